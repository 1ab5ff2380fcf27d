"""The table `topic_lineage`: what became of each topic between the tree published before and the one at hand.

Which topic keeps its id is decided in ``identity``; here it is only told what that means.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from clustering_platform.semantics.identity import topic_order
from clustering_platform.semantics.membership import Ints, Membership, Overlap, overlap_of
from clustering_platform.tables import TABLES, conform

Row = dict[str, Any]


@dataclass(frozen=True)
class Before:
    """What was published before.

    Attributes
    ----------
    commit
        Number of its commit.
    found
        The tree as it was found, with lasting ids.
    published
        The tree as it was published, people's merges done.
    lineage
        Its table `topic_lineage`; None in commits from before there was one.
    """

    commit: int
    found: Membership
    published: Membership
    lineage: pa.Table | None = None

    @property
    def rows(self) -> dict[str, Row]:
        """The rows of its lineage, by topic id."""
        return {row["topic_id"]: row for row in self.lineage.to_pylist()} if self.lineage else {}

    @property
    def remembered(self) -> dict[str, list[str]]:
        """Items of the topics that are remembered although they are found no more, by id."""
        return {topic_id: row["last_item_ids"] for topic_id, row in self.rows.items() if row["last_item_ids"]}


@dataclass
class _Flow:
    """Where earlier topics went and later ones come from; -1: nowhere in particular."""

    overlap: Overlap
    home: Ints
    source: Ints
    kept: dict[int, int]
    arrivals: dict[int, list[int]] = field(default_factory=dict)


def build_topic_lineage(
    published: Membership, before: Before | None, *, found_ids: Mapping[str, str], decided: Collection[str] = ()
) -> pa.Table:
    """Return the table `topic_lineage`: the topics of the tree in its order, then the retired ones by number.

    An earlier topic *goes to* the topic that has its id, else to the deepest one that holds more than half of its
    items, of those that both trees have. A topic *comes from* the earlier topic of its id, else from the deepest one
    that held more than half of all its items; the root explains nothing, as it holds everything. Then

    - `merged`: a topic with its id from before that another earlier topic goes to, one neither above nor below it; or
      a topic with a new id that two or more earlier topics go to, none above another. Topics that have their id still
      go nowhere else;
    - `continued`: any other topic with its id from before;
    - `split`: a topic with a new id that comes from an earlier topic which still has its id, or from which another
      topic comes too;
    - `new`: any other topic;
    - `retired`: any other id that was ever given. Its row stays as it was when it went.

    Parameters
    ----------
    published
        The tree at hand, people's merges done, its topics in preorder.
    before
        What was published before; None for the first time: every topic is new.
    found_ids
        The id that each topic has in the tree as found, by lasting id, topics that people merged included.
    decided
        Topics that decisions of people are about: of these, the items are remembered when they are found no more.
    """
    flow = _flow(before.published, published) if before else None
    rows = [_row_now(published, row, flow, before) for row in range(len(published.topic_ids))]
    earlier = before.rows if before else {}
    gone = {*earlier, *found_ids, *(before.published.topic_ids if before else ())} - set(published.topic_ids)
    rows += [_row_gone(key, published, flow, before, earlier.get(key)) for key in topic_order(list(gone))]
    for row in rows:
        found_id = found_ids.get(row["topic_id"])
        is_remembered = found_id is None and row["topic_id"] in decided
        items = _last_items(row["topic_id"], before, earlier) if is_remembered else None
        row |= {"found_id": found_id, "last_item_ids": items}
    contract = TABLES["topic_lineage"]
    return conform(pa.Table.from_pylist(rows, contract.schema()), contract)


def _flow(before: Membership, after: Membership) -> _Flow:
    overlap = overlap_of(before, after)
    kept = {before.place[key]: row for row, key in enumerate(after.topic_ids) if key in before.place}
    rows, columns, shared = overlap.rows, overlap.columns, overlap.counts
    home = _deepest(rows, columns, 2 * shared > overlap.before_sizes[rows], after.depths, len(before.topic_ids))
    source = _deepest(columns, rows, 2 * shared > after.sizes[columns], before.depths, len(after.topic_ids))
    home[home == 0], source[source == 0] = -1, -1
    for earlier, later in kept.items():
        home[earlier], source[later] = later, earlier
    flow = _Flow(overlap, home, source, kept)
    for later in range(len(after.topic_ids)):
        flow.arrivals[later] = _arrivals(flow, later)
    return flow


def _deepest(of: Ints, among: Ints, counts: np.ndarray[Any, np.dtype[np.bool_]], depths: Ints, size: int) -> Ints:
    """Return for each topic the deepest among those that count; as each holds more than half, they are a chain."""
    chosen = np.full(size, -1, dtype=np.int64)
    of, among = of[counts], among[counts]
    order = np.argsort(depths[among], kind="stable")
    chosen[of[order]] = among[order]
    return chosen


def _arrivals(flow: _Flow, later: int) -> list[int]:
    """Return the earlier topics without their id that go to a topic and that it did not hold before."""
    before = flow.overlap.before
    own = int(flow.source[later]) if later in flow.kept.values() else -1
    related = {own, *before.above(own)} if own >= 0 else set()
    coming = [
        earlier
        for earlier in np.flatnonzero(flow.home == later).tolist()
        if earlier not in flow.kept and earlier not in related and own not in before.above(earlier)
    ]
    return [earlier for earlier in coming if not set(before.above(earlier)) & set(coming)]


def _row_now(published: Membership, row: int, flow: _Flow | None, before: Before | None) -> Row:
    topic_id, size = published.topic_ids[row], int(published.sizes[row])
    if flow is None or before is None:
        return _as_row(topic_id, "new", size_after=size)
    status, origins = _status(flow, row)
    names = before.published.topic_ids
    place = before.published.place.get(topic_id)
    shared, jaccard = _compared(flow, origins[0], row) if origins else (0, None)
    return _as_row(
        topic_id,
        status,
        previous_ids=[names[earlier] for earlier in origins],
        next_ids=[] if place is None else _next_ids(flow, place),
        jaccard=jaccard,
        common_items=shared,
        size_before=None if place is None else int(before.published.sizes[place]),
        size_after=size,
        compared_with=before.commit,
    )


def _status(flow: _Flow, row: int) -> tuple[str, list[int]]:
    """Return the status of a topic of the tree at hand and the earlier topics that it comes from."""
    source, arrivals = int(flow.source[row]), flow.arrivals[row]
    if flow.kept.get(source) == row:
        return ("merged" if arrivals else "continued"), [source, *arrivals]
    if len(arrivals) > 1:
        return "merged", arrivals
    if source < 0:
        return "new", arrivals
    went_to_several = source in flow.kept or np.count_nonzero(flow.source == source) > 1
    return ("split" if went_to_several else "new"), [source]


def _row_gone(
    topic_id: str, published: Membership, flow: _Flow | None, before: Before | None, earlier: Row | None
) -> Row:
    """Return the row of a topic that is in the tree no more: as it was, where it went longer ago."""
    place = before.published.place.get(topic_id) if before else None
    if flow is None or before is None or place is None:
        return earlier or _as_row(topic_id, "retired", compared_with=before.commit if before else None)
    home = int(flow.home[place])
    shared, jaccard = _compared(flow, place, home) if home >= 0 else (0, None)
    return _as_row(
        topic_id,
        "retired",
        next_ids=_next_ids(flow, place),
        jaccard=jaccard,
        common_items=shared,
        size_before=int(before.published.sizes[place]),
        compared_with=before.commit,
    )


def _next_ids(flow: _Flow, place: int) -> list[str]:
    home = int(flow.home[place])
    later = ([home] if home >= 0 else []) + np.flatnonzero(flow.source == place).tolist()
    return [flow.overlap.after.topic_ids[row] for row in dict.fromkeys(later)]


def _compared(flow: _Flow, earlier: int, later: int) -> tuple[int, float]:
    return flow.overlap.shared(earlier, later), flow.overlap.jaccard(earlier, later)


def _last_items(topic_id: str, before: Before | None, earlier: Mapping[str, Row]) -> list[str] | None:
    """Return the items that a topic had when it was last found, or None where that is not known."""
    if before and topic_id in before.found.place:
        return before.found.members(before.found.place[topic_id])
    items: list[str] | None = earlier[topic_id]["last_item_ids"] if topic_id in earlier else None
    return items


def _as_row(topic_id: str, status: str, **values: Any) -> Row:
    plain: Row = {"previous_ids": [], "next_ids": [], "common_items": 0}
    return {"topic_id": topic_id, "status": status, **plain, **values}
