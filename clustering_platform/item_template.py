"""Templates over the fields of an item: the language, apart from the tables it is used on.

``{text}`` is a field, ``{metadata[title]}`` a further column of the source, ``{{`` and ``}}`` are braces. There is
nothing else: no attributes, no formats, no expressions.
"""

import difflib
import re
from dataclasses import dataclass
from typing import TypeAlias

FIELDS = ("text", "item_id", "created_at")
"""The fields of an item that may be embedded; who wrote it is personal and not among them."""

_PIECE = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<field>[^{}]*)\}|(?P<stray>[{}])|(?P<literal>[^{}]+)")
_METADATA = re.compile(r"metadata\[([^\[\]{}]+)\]")


class TemplateError(ValueError):
    """A template cannot be understood; the message says where and what could be meant."""


@dataclass(frozen=True)
class ItemField:
    """A field of the item."""

    name: str


@dataclass(frozen=True)
class MetadataKey:
    """A key of the item's metadata."""

    key: str


Piece: TypeAlias = str | ItemField | MetadataKey


def parse_template(template: str) -> tuple[Piece, ...]:
    """Return the pieces of a template in order: literal text, fields, keys of the metadata.

    Raises
    ------
    TemplateError
        It has no field, one that is not known, or a brace that does not belong to one.
    """
    pieces: list[Piece] = []
    for match in _PIECE.finditer(template):
        if match["stray"]:
            raise TemplateError(
                f"the brace at position {match.start() + 1} is not part of a field; a brace itself is written twice"
            )
        if match["field"] is None:
            pieces.append(match["literal"] or match["brace"][0])
        else:
            pieces.append(_field(match["field"].strip()))
    if all(isinstance(piece, str) for piece in pieces):
        raise TemplateError("has no field, so that all items would be the same; write {text}")
    return tuple(pieces)


def _field(name: str) -> ItemField | MetadataKey:
    if metadata := _METADATA.fullmatch(name):
        return MetadataKey(metadata[1].strip())
    if name in FIELDS:
        return ItemField(name)
    if name == "author_id":
        raise TemplateError("{author_id} is personal and cannot be embedded")
    near = difflib.get_close_matches(name, FIELDS, n=1)
    known = ", ".join(f"{{{field}}}" for field in FIELDS)
    meant = f"did you mean {{{near[0]}}}?" if near else f"known: {known}"
    column = f"; a further column of the source is {{metadata[{name}]}}" if re.fullmatch(r"[\w .-]+", name) else ""
    raise TemplateError(f"unknown field {{{name}}}; {meant}{column}")
