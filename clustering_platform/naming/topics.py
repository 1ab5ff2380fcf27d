"""Naming the topics of a tree: drafts from the leaves up, then told apart from the root down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering_platform.calls.workers import in_order
from clustering_platform.naming.asking import Asker, Failed
from clustering_platform.naming.checks import (
    LONGEST_CATEGORY,
    LONGEST_SUMMARY,
    clean,
    clean_name,
    fault_of_name,
    fault_of_summary,
)
from clustering_platform.naming.material import Material
from clustering_platform.naming.prompts import read_prompt
from clustering_platform.naming.questions import Named, Question, ToldApart

_SUBTOPICS = 12
_TOLD_APART_AT_ONCE = 40
_TOKENS_OF_NAME = 60
_TEXTS_EACH = 3


@dataclass(frozen=True)
class Name:
    """What a topic is called, and why.

    Attributes
    ----------
    state
        `named` by the model, `kept` from before, `inherited` from the only subtopic, or `failed`: the offline name.
    reason
        What failed; None where nothing did.
    evidence
        Ids of items that show it.
    """

    name: str
    summary: str
    category: str
    evidence: tuple[str, ...]
    state: str
    reason: str | None = None


@dataclass
class Naming:
    """A tree while it gets its names.

    Attributes
    ----------
    compares_centroids
        Whether the centroids of topics are of the model that names are embedded with; else names are compared with the
        texts that are sent.
    kept
        Names from before that stand, by place.
    done
        Called with a line after each step.
    """

    topics: Sequence[Material]
    asker: Asker
    most_words: int
    about: str | None = None
    categories: Sequence[str] = ()
    concurrency: int = 8
    compares_centroids: bool = True
    kept: Mapping[int, Name] = field(default_factory=dict)
    done: Callable[[str], None] = lambda line: None
    names: dict[int, Name] = field(default_factory=dict)

    def run(self) -> list[Name]:
        """Return a name for every topic, in order.

        Raises
        ------
        CallError
            The service refuses whatever it is asked; answers that came are in the cache.
        """
        self._draft()
        self._tell_apart()
        return [self.names[place] for place in range(len(self.topics))]

    def questions(self) -> list[Question[Any]]:
        """Return the questions that are to be asked, as far as they are known beforehand, for an estimate.

        For names that are not known yet offline names stand in.
        """
        stand_ins = {place: self.kept.get(place, _offline(topic, "")) for place, topic in enumerate(self.topics)}
        other = replace(self, names=stand_ins)
        drafts = [
            other._question(place)
            for place, topic in enumerate(self.topics)
            if place not in self.kept and len(topic.children) != 1
        ]
        places = range(len(self.topics))
        return [*drafts, *(other._siblings_question(part) for place in places for part in self._parts(place))]

    def _draft(self) -> None:
        """Name every topic by itself; subtopics come before the topic that consists of them."""
        below = {place: topic.children for place, topic in enumerate(self.topics)}
        for place, name in in_order(below, self._drafted, threads=self.concurrency):
            self.names[place] = name
            self.done(f"draft {len(self.names)} of {len(self.topics)}")

    def _tell_apart(self) -> None:
        """Compare the names of topics side by side; a topic's own name is final before those below are compared."""
        above = {place: [] if topic.parent is None else [topic.parent] for place, topic in enumerate(self.topics)}
        for number, (place, changed) in enumerate(in_order(above, self._told_apart, threads=self.concurrency), 1):
            for child, name in changed.items():
                self.names[child] = replace(self.names[child], name=name)
            self._part_ways(self.topics[place].children)
            self.done(f"subtopics compared of {number} of {len(self.topics)}")

    def _drafted(self, place: int) -> Name:
        topic = self.topics[place]
        if place in self.kept:
            return self.kept[place]
        if len(topic.children) == 1:
            child = self.names[topic.children[0]]
            return replace(child, state="failed" if child.state == "failed" else "inherited")
        if not (topic.items or topic.children):
            return _offline(topic, "its items have no texts")
        answer = self.asker.answer(self._question(place))
        return _offline(topic, answer.reason) if isinstance(answer, Failed) else self._checked(topic, answer)

    def _checked(self, topic: Material, answer: Named) -> Name:
        name, summary = clean_name(answer.name), clean(answer.summary, LONGEST_SUMMARY)
        category = clean(answer.category, LONGEST_CATEGORY)
        sent = {f"i{number}": item_id for number, (item_id, _) in enumerate(topic.items, 1)}
        if reason := self._objection(answer, name, summary, sent, topic):
            return _offline(topic, reason)
        evidence = tuple(dict.fromkeys(sent[item] for item in answer.evidence))
        if self.categories and category not in self.categories:
            category = ""
        return Name(name, summary, category, evidence, "named")

    def _objection(
        self, answer: Named, name: str, summary: str, sent: Mapping[str, str], topic: Material
    ) -> str | None:
        if not answer.is_coherent:
            return "the model found nothing that its items have in common"
        if fault := self._fault(name, topic):
            return f"the name given {fault}"
        if fault := fault_of_summary(summary):
            return f"the summary given {fault}"
        return "items were given as evidence that were not sent" if set(answer.evidence) - set(sent) else None

    def _fault(self, name: str, topic: Material) -> str | None:
        if fault := fault_of_name(name, most_words=self.most_words, texts=(text for _, text in topic.items)):
            return fault
        is_about = self.asker.is_about(name, topic.offline, self._subject(topic))
        return None if is_about else "is not about its items"

    def _subject(self, topic: Material) -> NDArray[np.float32] | list[str]:
        """Return what a name is compared with."""
        if self.compares_centroids:
            return topic.centroid
        return [text for _, text in topic.items] or [self.names[child].name for child in topic.children]

    def _question(self, place: int) -> Question[Named]:
        topic = self.topics[place]
        subtopics = [
            {"name": self.names[child].name, "summary": self.names[child].summary, "size": self.topics[child].size}
            for child in topic.children[:_SUBTOPICS]
        ]
        data = {
            "collection": self.about,
            "size": topic.size,
            "items": [{"id": f"i{number}", "text": text} for number, (_, text) in enumerate(topic.items, 1)],
            "phrases": topic.phrases,
            "subtopics": subtopics,
            "others": topic.others,
            "categories": list(self.categories),
        }
        return Question(read_prompt("topic"), _filled(data), Named, topic.topic_id)

    def _parts(self, place: int) -> list[list[int]]:
        """Return the subtopics of a topic whose names are to be compared, as many together as go into one call."""
        children = self.topics[place].children
        if len(children) < 2 or all(child in self.kept for child in children):
            return []
        return [children[start : start + _TOLD_APART_AT_ONCE] for start in range(0, len(children), _TOLD_APART_AT_ONCE)]

    def _told_apart(self, place: int) -> dict[int, str]:
        """Return the names of subtopics that change."""
        return {child: name for part in self._parts(place) for child, name in self._compared(part).items()}

    def _compared(self, part: list[int]) -> dict[int, str]:
        """Return the names that change; none where an answer does not name each topic once, and apart."""
        answer = self.asker.answer(self._siblings_question(part))
        if isinstance(answer, Failed):
            return {}
        given = {topic.id: clean_name(topic.name) for topic in answer.topics}
        ids = {f"t{number}": place for number, place in enumerate(part, 1)}
        if len(answer.topics) != len(part) or set(given) != set(ids):
            return {}
        if len({name.casefold() for name in given.values()}) < len(part):
            return {}
        return {
            place: given[key]
            for key, place in ids.items()
            if self.names[place].state == "named"
            and given[key] != self.names[place].name
            and not self._fault(given[key], self.topics[place])
        }

    def _siblings_question(self, part: list[int]) -> Question[ToldApart]:
        parent = self.topics[part[0]].parent
        path: list[str] = []
        while parent is not None:
            path.insert(0, self.names[parent].name)
            parent = self.topics[parent].parent
        topics = [
            {
                "id": f"t{number}",
                "name": self.names[place].name,
                "summary": self.names[place].summary,
                "size": self.topics[place].size,
                "texts": [text for _, text in self.topics[place].items[:_TEXTS_EACH]],
            }
            for number, place in enumerate(part, 1)
        ]
        data = {"collection": self.about, "path": path, "topics": topics}
        longest = _TOKENS_OF_NAME * (len(part) + 1)
        return Question(read_prompt("siblings"), _filled(data), ToldApart, " > ".join(path), longest)

    def _part_ways(self, siblings: Sequence[int]) -> None:
        """Give their offline names back to topics that are called as a sibling is.

        Names kept from before go first, then offline names, which nothing can stand in for, then the larger topic.
        """
        taken: set[str] = set()
        ranks = {"kept": 0, "failed": 1}
        for place in sorted(
            siblings, key=lambda place: (ranks.get(self.names[place].state, 2), -self.topics[place].size)
        ):
            name = self.names[place]
            if name.name.casefold() in taken and name.state != "failed":
                self.names[place] = name = _offline(self.topics[place], "the name given is that of a sibling")
            taken.add(name.name.casefold())


def _offline(topic: Material, reason: str) -> Name:
    return Name(topic.offline, "", "", (), "failed", reason)


def _filled(data: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not known."""
    return {key: value for key, value in data.items() if value not in (None, [], "")}
