"""What is checked before a decision of people is written into the log: that it can be applied to the tree at hand.

Whoever takes decisions, at the command line or elsewhere, asks here first.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
from pydantic import ValidationError

from clustering_platform.semantics.curation import KnownTopics, Standing, in_force, known_topics, replay, undone_by
from clustering_platform.semantics.errors import CurationError
from clustering_platform.store.curation import TOPIC_ID, Action, Decision


@dataclass(frozen=True)
class CuratedTopics:
    """What is published of a dataset's topics and all that was decided about them, up to now.

    Attributes
    ----------
    names
        Names of the topics in the tree once all of `log` is applied, by id.
    log
        All decisions, also those that are not published yet.
    published
        How many of them are published.
    """

    dataset: str
    topics: KnownTopics
    names: Mapping[str, str]
    log: Sequence[Decision]
    published: int

    def decided(self, sequence: int) -> Decision:
        """Return the decision of a number.

        Raises
        ------
        CurationError
            There is none.
        """
        if not 1 <= sequence <= len(self.log):
            raise CurationError(f"there is no decision {sequence}; {len(self.log)} were taken about {self.dataset!r}")
        return self.log[sequence - 1]

    def standings(self) -> dict[int, Standing]:
        """Return what comes of each decision in the tree at hand, by its number."""
        return replay(self.log, self.topics)

    def find(self, text: str) -> str:
        """Return the id of the topic that is meant by an id or an exact name.

        Raises
        ------
        CurationError
            There is no such topic, or several have that name.
        """
        if text in self.names:
            return text
        if TOPIC_ID.fullmatch(text):
            return text  # what became of it is told when the decision is checked
        meant = [topic_id for topic_id, name in self.names.items() if name.casefold() == text.strip().casefold()]
        if len(meant) == 1:
            return meant[0]
        if meant:
            raise CurationError(f"{len(meant)} topics are called {text!r}: {', '.join(meant)}; say which by its id")
        by_name = {name.casefold(): topic_id for topic_id, name in self.names.items()}
        near = difflib.get_close_matches(text.casefold(), by_name, n=1)
        raise CurationError(f"no topic is called {text!r}; {self._nearest(by_name[near[0]] if near else None)}")

    def check(self, action: Action, topic_id: str, value: str | None = None, author: str | None = None) -> None:
        """Make sure that a decision would be applied to the tree at hand.

        Raises
        ------
        CurationError
            It would not; the message says why, and names what was probably meant.
        """
        decision = self._draft(action, topic_id, value, author)
        if decision.undoes:
            self._check_undo(decision)
            return
        standing = replay([*self.log, decision], self.topics)[decision.sequence]
        if standing.state != "applied":
            hint = "" if self._was_there(topic_id, value) else f"; {self._nearest(None, topic_id)}"
            raise CurationError(f"{standing.reason}{hint}")
        if action == "rename":
            self._check_siblings(decision)

    def _draft(self, action: Action, topic_id: str, value: str | None, author: str | None) -> Decision:
        try:
            return Decision(
                dataset=self.dataset,
                sequence=len(self.log) + 1,
                decided_at=datetime.now(UTC),
                author=author,
                action=action,
                topic_id=topic_id,
                value=value,
            )
        except ValidationError as error:
            fault = error.errors()[0]
            raise CurationError(f"{fault['loc'][-1]}: {fault['msg'].removeprefix('Value error, ')}") from error

    def _check_undo(self, decision: Decision) -> None:
        if by := undone_by(self.log).get(decision.undoes):
            raise CurationError(f"decision {decision.undoes} is undone by decision {by} already")

    def _check_siblings(self, decision: Decision) -> None:
        """Refuse a name that a topic beside it has: two of one name could not be told apart."""
        parents = self.topics.plan(self.log).parents
        for other, name in self.names.items():
            is_beside = other != decision.topic_id and parents.get(other) == parents.get(decision.topic_id)
            if is_beside and name.casefold() == str(decision.value).casefold():
                raise CurationError(f"{other} beside it is called {name!r}; rename that one first, or merge the two")

    def _was_there(self, topic_id: str, value: str | None) -> bool:
        known = {*self.topics.parents, *self.topics.next_ids}
        return topic_id in known and (value is None or not TOPIC_ID.fullmatch(value) or value in known)

    def _nearest(self, topic_id: str | None, text: str = "") -> str:
        near = [topic_id] if topic_id else difflib.get_close_matches(text, list(self.names), n=1, cutoff=0.5)
        if near:
            return f"did you mean {near[0]}, {self.names[near[0]]!r}?"
        return f"there are {len(self.names)} topics, see `clustering show {self.dataset}`"


def curated_topics(
    dataset: str,
    found_topics: pa.Table,
    topic_lineage: pa.Table,
    topic_names: pa.Table,
    log: Sequence[Decision],
    published: int,
) -> CuratedTopics:
    """Return what is known of a dataset's topics, from the tables of its newest commit and the log as it is now."""
    topics = known_topics(found_topics, topic_lineage)
    merged = topics.plan(log).into
    names = dict(zip(topic_names["topic_id"].to_pylist(), topic_names["name"].to_pylist(), strict=True))
    names = {topic_id: name for topic_id, name in names.items() if topic_id not in merged}
    names |= {
        decision.topic_id: str(decision.value) for decision in in_force(log, "rename") if decision.topic_id in names
    }
    return CuratedTopics(dataset, topics, names, log, published)
