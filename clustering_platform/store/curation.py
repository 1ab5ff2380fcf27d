"""The log of what people decided about topics: ``curation/<dataset>/<20-digit sequence>.json``.

A decision is a small JSON file, created only if its number is free and never changed or removed; whoever comes second
takes the next number. It is durable when `Curation.append` returns. What decisions do to topics belongs in
``semantics``.
"""

import os
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from clustering_platform.store.errors import StoreError
from clustering_platform.store.files import make_durable, new_file, publish

Action = Literal["rename", "merge", "unusable", "usable", "note", "undo"]
LONGEST_NAME, LONGEST_NOTE = 120, 2000
TOPIC_ID, NUMBER = re.compile(r"t(0|[1-9][0-9]{0,8})"), re.compile(r"[1-9][0-9]{0,17}")
_JOINERS = "\u200c\u200d"
"""Characters that show nothing but belong to the spelling of many languages."""


def plain_text(text: str, longest: int, *, lines: bool = False) -> str:
    """Return what a person wrote, without white space around it, in Unicode's form C.

    Parameters
    ----------
    longest
        Largest number of characters.
    lines
        Whether it may have more than one line.

    Raises
    ------
    ValueError
        It is empty, too long, or holds characters that control how text is shown: line ends, marks of writing
        direction and others without a shape of their own.
    """
    text = unicodedata.normalize("NFC", text).strip()
    if all(character in _JOINERS or character.isspace() for character in text):
        raise ValueError("it is empty")
    if len(text) > longest:
        raise ValueError(f"it has {len(text)} characters; at most {longest} are allowed")
    for character in text:
        shown = character in _JOINERS or (lines and character == "\n")
        if not shown and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            raise ValueError(f"it holds the character U+{ord(character):04X}, which controls how text is shown")
    return text


def _topic_id(text: str) -> str:
    if not TOPIC_ID.fullmatch(text):
        raise ValueError(f"{text!r} is no topic id; those are t0, t1, ...")
    return text


class Decision(BaseModel):
    """What somebody decided about a topic.

    `value` is the new name, the id of the topic to merge into, the note, or the number of the decision to undo.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    dataset: str
    sequence: int = Field(ge=1)
    decided_at: AwareDatetime
    author: Annotated[str, AfterValidator(lambda text: plain_text(text, LONGEST_NAME))] | None = None
    action: Action
    topic_id: Annotated[str, AfterValidator(_topic_id)]
    value: str | None = Field(default=None, validate_default=True)

    @field_validator("value")
    @classmethod
    def _value_of_its_action(cls, value: str | None, info: ValidationInfo) -> str | None:
        return _valid_value(value, info.data)

    @property
    def undoes(self) -> int:
        """The number of the decision that this one undoes; 0 where it undoes none."""
        return int(self.value or 0) if self.action == "undo" else 0


def _valid_value(value: str | None, beside: Mapping[str, Any]) -> str | None:
    """Return the value of a decision if it goes with what stands beside it; what is not valid there is left out."""
    action = beside.get("action")
    if action in ("unusable", "usable", None):
        if value is not None and action:
            raise ValueError(f"{action!r} takes no value")
        return value
    if value is None:
        raise ValueError(f"{action!r} needs a value")
    match action:
        case "rename":
            return plain_text(value, LONGEST_NAME)
        case "note":
            return plain_text(value, LONGEST_NOTE, lines=True)
        case "merge" if _topic_id(value) == beside.get("topic_id"):
            raise ValueError("a topic cannot be merged into itself")
        case "undo" if not (NUMBER.fullmatch(value) and int(value) < beside.get("sequence", 0)):
            raise ValueError(f"{value!r} is not the number of an earlier decision")
    return value


class Curation:
    """The decisions of a warehouse."""

    def __init__(self, root: Path) -> None:
        self.warehouse = root
        self.root = root / "curation"

    def path(self, dataset: str, sequence: int) -> Path:
        """Return where the decision of that number is, or would be."""
        return self.root / dataset / f"{sequence:020d}.json"

    def last_sequence(self, dataset: str) -> int:
        """Return the number of the newest decision of a dataset; 0 where there is none."""
        numbers = [int(path.stem) for path in (self.root / dataset).glob("*.json") if path.stem.isdecimal()]
        return max(numbers, default=0)

    def read(self, dataset: str, stop: int | None = None) -> list[Decision]:
        """Return the decisions of a dataset, oldest first, up to number `stop`.

        Raises
        ------
        StoreError
            One of them is missing or damaged; the message names its file.
        """
        last = self.last_sequence(dataset)
        return [self._read_one(dataset, number) for number in range(1, 1 + (last if stop is None else min(stop, last)))]

    def append(
        self, dataset: str, action: Action, topic_id: str, value: str | None = None, *, author: str | None = None
    ) -> Decision:
        """Write a decision under the next free number and return it; it is durable then.

        Raises
        ------
        ValueError
            It cannot be a decision: the message says why.
        """
        while True:
            sequence = self.last_sequence(dataset) + 1
            decision = Decision(
                dataset=dataset,
                sequence=sequence,
                decided_at=datetime.now(UTC),
                author=author,
                action=action,
                topic_id=topic_id,
                value=value,
            )
            if self._write(decision):
                return decision

    def _write(self, decision: Decision) -> bool:
        """Write a decision and tell whether its number was free."""
        target = self.path(decision.dataset, decision.sequence)
        with new_file(target.parent) as file:
            file.write(decision.model_dump_json(indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
            try:
                publish(file, target)
            except FileExistsError:
                return False
        make_durable([target], self.warehouse)
        return True

    def _read_one(self, dataset: str, sequence: int) -> Decision:
        path = self.path(dataset, sequence)
        try:
            decision = Decision.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise StoreError(f"{path}: this decision is missing; put the file back from a copy") from error
        except ValidationError as error:
            fault = error.errors()[0]["msg"]
            raise StoreError(f"{path}: this decision is damaged ({fault}); put the file back from a copy") from error
        if (decision.dataset, decision.sequence) != (dataset, sequence):
            raise StoreError(
                f"{path}: holds decision {decision.sequence} of {decision.dataset!r}; put the file back from a copy"
            )
        return decision
