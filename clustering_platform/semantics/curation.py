"""Decisions of people, replayed over the tree at hand: the tables `topic_names` and `curation`.

How decisions are stored belongs in ``store.curation``, what a merge does to a tree in ``merging``, what to tell
somebody whose decision cannot be taken in ``proposing``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from clustering_platform.semantics.identity import relabel
from clustering_platform.semantics.merging import MergePlan, plan_merges
from clustering_platform.store.curation import Decision
from clustering_platform.tables import TABLES, conform

_RANKS = {"human": 0, "llm": 1, "offline": 2}


@dataclass(frozen=True)
class KnownTopics:
    """The topics that decisions are about.

    Attributes
    ----------
    parents
        The topic above each topic of the tree as found, by lasting id; None for the root.
    own_sizes
        Items of each of these topics that are in none of its children.
    next_ids
        Where topics that are retired went, by id.
    """

    parents: Mapping[str, str | None]
    own_sizes: Mapping[str, int]
    next_ids: Mapping[str, Sequence[str]]

    def plan(self, log: Sequence[Decision]) -> MergePlan:
        """Return what the merges of a log make of the tree."""
        return plan_merges(self.parents, self.own_sizes, in_force(log, "merge"))


@dataclass(frozen=True)
class Standing:
    """What came of a decision."""

    state: str
    reason: str | None = None


def known_topics(found_topics: pa.Table, topic_lineage: pa.Table) -> KnownTopics:
    """Return the topics that decisions are about, from the tables of one commit."""
    rows = topic_lineage.select(["topic_id", "found_id", "status", "next_ids"]).to_pylist()
    lasting = {row["found_id"]: row["topic_id"] for row in rows if row["found_id"] is not None}
    parents, own_sizes = read_tree(relabel(found_topics.select(["topic_id", "parent_id", "size"]), lasting))
    return KnownTopics(
        parents, own_sizes, {row["topic_id"]: row["next_ids"] for row in rows if row["status"] == "retired"}
    )


def read_tree(topic_tree: pa.Table) -> tuple[dict[str, str | None], dict[str, int]]:
    """Return the topic above each topic, and how many of its items are in none of its children."""
    columns = (topic_tree[name].to_pylist() for name in ("topic_id", "parent_id", "size"))
    rows = list(zip(*columns, strict=True))
    own_sizes = {topic_id: size for topic_id, _, size in rows}
    for _, parent_id, size in rows:
        if parent_id is not None:
            own_sizes[parent_id] -= size
    return {topic_id: parent_id for topic_id, parent_id, _ in rows}, own_sizes


def undone_by(log: Sequence[Decision]) -> dict[int, int]:
    """Return which decisions are undone, and by which: the newest that undoes it and is not undone itself."""
    undone: dict[int, int] = {}
    for decision in reversed(log):
        if decision.undoes and decision.sequence not in undone:
            undone.setdefault(decision.undoes, decision.sequence)
    return undone


def in_force(log: Sequence[Decision], *actions: str) -> list[Decision]:
    """Return the decisions of some kinds that are not undone, oldest first."""
    undone = undone_by(log)
    return [decision for decision in log if decision.action in actions and decision.sequence not in undone]


def decided_topics(log: Iterable[Decision]) -> set[str]:
    """Return the topics that decisions are about, those merged into included."""
    topics = set()
    for decision in log:
        topics |= {decision.topic_id} | ({decision.value} if decision.action == "merge" and decision.value else set())
    return topics


def replay(log: Sequence[Decision], topics: KnownTopics) -> dict[int, Standing]:
    """Return what comes of each decision, by its number.

    A decision is about a topic id for as long as that id lasts; none is ever carried over to another topic, also not
    to the one that its topic went to. Where its topic is not in the tree it is dormant, and applied again as soon as
    the topic is back: when a merge is undone, or when a later refit finds a topic with at least half of its items
    again. Of several names of a topic the last holds, of `unusable` and `usable` the last; notes add up; of two merges
    of a topic the first holds.
    """
    undone, plan = undone_by(log), topics.plan(log)
    standings: dict[int, Standing] = {}
    replaced: dict[tuple[str, str], int] = {}
    for decision in reversed(log):
        if decision.sequence in undone:
            standings[decision.sequence] = Standing("undone", f"by decision {undone[decision.sequence]}")
        elif decision.action == "merge":
            standings[decision.sequence] = _merge_standing(decision, plan, topics)
        elif decision.action == "undo":
            standings[decision.sequence] = Standing("applied")
        else:
            standings[decision.sequence] = _standing(decision, replaced, plan, topics)
    return dict(sorted(standings.items()))


def _standing(
    decision: Decision, replaced: dict[tuple[str, str], int], plan: MergePlan, topics: KnownTopics
) -> Standing:
    """Return what comes of a decision about a single topic; `replaced` holds the later ones, by what they are about."""
    subject = "name" if decision.action == "rename" else "status"
    if decision.action != "note":
        later = replaced.setdefault((decision.topic_id, subject), decision.sequence)
        if later != decision.sequence:
            return Standing("superseded", f"by decision {later}")
    if decision.topic_id in plan.parents:
        return Standing("applied")
    return Standing("dormant", whereabouts(decision.topic_id, plan, topics))


def _merge_standing(merge: Decision, plan: MergePlan, topics: KnownTopics) -> Standing:
    if fault := plan.refused.get(merge.sequence):
        absent = plan.absent.get(merge.sequence)
        return Standing("dormant", whereabouts(absent, plan, topics) if absent else fault)
    home = plan.into[merge.topic_id]
    return Standing("applied", None if home == merge.value else f"into {home}, which {merge.value} is part of")


def whereabouts(topic_id: str, plan: MergePlan, topics: KnownTopics) -> str:
    """Return where a topic is that is not in the tree, in words."""
    if topic_id in plan.into:
        return f"{topic_id} is part of {plan.into[topic_id]}"
    if topic_id in topics.parents:
        return f"all items of {topic_id} are part of other topics"
    if topic_id not in topics.next_ids:
        return f"there never was a topic {topic_id}"
    went = topics.next_ids[topic_id]
    return f"{topic_id} is retired" + (f"; most of it went to {went[0]}" if went else "")


def build_topic_names(
    proposed_names: pa.Table, written_names: pa.Table, topic_tree: pa.Table, log: Sequence[Decision]
) -> pa.Table:
    """Return the table `topic_names`: of each topic the name by a person, else by a language model, else proposed.

    A name given by a person stands as it was given. Of other names that siblings share, the later ones get a number,
    proposed ones first. A topic is unusable where the last word of people on it says so or, where there is none, the
    one on the nearest topic above.
    """
    contract = TABLES["topic_names"]
    names = {decision.topic_id: decision.value for decision in in_force(log, "rename")}
    status = {decision.topic_id: decision.action for decision in in_force(log, "unusable", "usable")}
    notes: dict[str, list[str | None]] = {}
    for decision in in_force(log, "note"):
        notes.setdefault(decision.topic_id, []).append(decision.value)
    written = {row["topic_id"]: row for row in written_names.to_pylist()}
    topics = {row["topic_id"]: row for row in topic_tree.to_pylist()}
    parents = {topic_id: row["parent_id"] for topic_id, row in topics.items()}
    rows = proposed_names.select(["topic_id", "name", "summary", "keywords"]).to_pylist()
    for row in rows:
        topic_id = row["topic_id"]
        row |= {"source": "offline", "category": None, "evidence_ids": [], "reason": None}
        row |= _by_model(written.get(topic_id))
        if topic_id in names:
            row |= {"name": names[topic_id], "source": "human"}
        row |= {"status": _status(topic_id, status, parents), "notes": notes.get(topic_id, [])}
        row["strength"] = strength(topics[topic_id]["cohesion"], topics[topic_id]["stability"])
    _tell_apart(rows, parents)
    final = {row["topic_id"]: row["name"] for row in rows}
    for row in rows:
        row["category"] = row["category"] or final.get(parents[row["topic_id"]])
    return conform(pa.Table.from_pylist(rows, contract.schema()), contract)


def strength(cohesion: float, stability: float | None) -> int:
    """Return how firm a topic is, 1 to 10: the geometric mean of cohesion and stability, or the cohesion alone."""
    firmness = max(cohesion, 0.0) if stability is None else (max(cohesion, 0.0) * stability) ** 0.5
    return 1 + round(9 * min(firmness, 1.0))


def _by_model(row: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a language model says of a topic, or why it does not."""
    if row is None:
        return {}
    if row["name"] is None:
        return {"reason": row["reason"]}
    return {name: row[name] for name in ("name", "summary", "category", "evidence_ids")} | {"source": "llm"}


def _status(topic_id: str | None, status: Mapping[str, str], parents: Mapping[str, str | None]) -> str:
    while topic_id is not None:
        if topic_id in status:
            return "active" if status[topic_id] == "usable" else "unusable"
        topic_id = parents[topic_id]
    return "active"


def _tell_apart(rows: Sequence[dict[str, Any]], parents: Mapping[str, str | None]) -> None:
    """Give a number to names that a sibling has already; people's come first, then those of language models."""
    taken: set[tuple[str | None, str]] = set()
    for row in sorted(rows, key=lambda row: _RANKS[row["source"]]):
        name, number, parent = row["name"], 2, parents[row["topic_id"]]
        while row["source"] != "human" and (parent, row["name"].casefold()) in taken:
            row["name"] = f"{name} ({number})"
            number += 1
        taken.add((parent, row["name"].casefold()))


def build_curation(log: Sequence[Decision], topics: KnownTopics) -> pa.Table:
    """Return the table `curation`: the log, with what came of each decision."""
    contract = TABLES["curation"]
    standings = replay(log, topics)
    rows = [
        decision.model_dump(include={"sequence", "decided_at", "author", "action", "topic_id", "value"})
        | vars(standings[decision.sequence])
        for decision in log
    ]
    return conform(pa.Table.from_pylist(rows, contract.schema()), contract)
