"""Which items each topic of a tree holds, and how many two trees have in common, topic by topic.

What follows from that for ids belongs in ``identity``, for the history of topics in ``lineage``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Membership:
    """The topics of a tree, each with the items in it and below.

    Attributes
    ----------
    topic_ids
        Ids of the topics, t of them; rows of the arrays below are their places here.
    item_ids
        Ids of the items.
    items, topics
        Shape (e,): item `items[i]` is in topic `topics[i]`; an item is in every topic of its path.
    parents
        Shape (t,): place of the topic above, -1 for a root.
    depths
        Shape (t,): levels below the root.
    """

    topic_ids: tuple[str, ...]
    item_ids: pa.Array
    items: Ints
    topics: Ints
    parents: Ints
    depths: Ints

    @cached_property
    def sizes(self) -> Ints:
        """Number of items of each topic, shape (t,)."""
        return np.bincount(self.topics, minlength=len(self.topic_ids))

    @cached_property
    def is_leaf(self) -> NDArray[np.bool_]:
        """Which topics have none below them, shape (t,)."""
        leaf = np.ones(len(self.topic_ids), dtype=bool)
        leaf[self.parents[self.parents >= 0]] = False
        return leaf

    @cached_property
    def place(self) -> dict[str, int]:
        """The place of each topic, by id."""
        return {topic_id: row for row, topic_id in enumerate(self.topic_ids)}

    def above(self, topic: int) -> list[int]:
        """Return the places of all topics above one, the nearest first."""
        found = []
        while (topic := int(self.parents[topic])) >= 0:
            found.append(topic)
        return found

    def members(self, topic: int) -> list[str]:
        """Return the ids of the items of a topic."""
        ids: list[str] = self.item_ids.take(pa.array(self.items[self.topics == topic])).to_pylist()
        return ids


def read_membership(item_topics: pa.Table, topic_ids: Sequence[str] | None = None) -> Membership:
    """Return the membership of a tree from the columns `item_id` and `path` of its items.

    Parameters
    ----------
    topic_ids
        Ids of its topics in the order wanted. Default: in the order in which the paths name them.
    """
    item_ids, paths = _whole(item_topics["item_id"]), _whole(item_topics["path"])
    named, lengths = paths.flatten(), paths.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
    ids = pc.unique(named) if topic_ids is None else pa.array(topic_ids, named.type)
    topics = pc.index_in(named, value_set=ids).to_numpy(zero_copy_only=False).astype(np.int64)
    depths_named = np.arange(len(topics)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    parents, depths = np.full(len(ids), -1, dtype=np.int64), np.zeros(len(ids), dtype=np.int64)
    below = np.flatnonzero(depths_named)
    parents[topics[below]] = topics[below - 1]
    depths[topics] = depths_named
    rows = np.repeat(np.arange(len(item_ids)), lengths)
    return Membership(tuple(ids.to_pylist()), item_ids, rows, topics, parents, depths)


def sets_of(members: dict[str, list[str]]) -> Membership:
    """Return the membership of topics that are given by their items and form no tree."""
    flat = pa.array([item for items in members.values() for item in items], pa.string())
    item_ids = pc.unique(flat)
    topics = np.repeat(np.arange(len(members)), [len(items) for items in members.values()])
    items = pc.index_in(flat, value_set=item_ids).to_numpy(zero_copy_only=False).astype(np.int64)
    roots, depths = np.full(len(members), -1, dtype=np.int64), np.zeros(len(members), dtype=np.int64)
    return Membership(tuple(members), item_ids, items, topics, roots, depths)


@dataclass(frozen=True)
class Overlap:
    """How many items each earlier topic shares with each later one.

    Attributes
    ----------
    before, after
        The earlier and the later tree.
    rows, columns, counts
        Shape (p,), one for each pair that shares items: place before, place after, items shared. In order of rows,
        then of columns.
    before_sizes, after_sizes
        Sizes counting only the items that both trees have.
    """

    before: Membership
    after: Membership
    rows: Ints
    columns: Ints
    counts: Ints
    before_sizes: Ints
    after_sizes: Ints

    @cached_property
    def _keys(self) -> Ints:
        return self.rows * len(self.after.topic_ids) + self.columns

    def shared(self, before: int, after: int) -> int:
        """Return the number of items that two topics share."""
        key = before * len(self.after.topic_ids) + after
        place = int(np.searchsorted(self._keys, key))
        return int(self.counts[place]) if place < len(self._keys) and self._keys[place] == key else 0

    def jaccard(self, before: int, after: int) -> float:
        """Return items shared over items in either, on the items of both trees; 0 where there are none."""
        shared = self.shared(before, after)
        either = int(self.before_sizes[before] + self.after_sizes[after]) - shared
        return shared / either if either else 0.0


def overlap_of(before: Membership, after: Membership) -> Overlap:
    """Return how the topics of two trees overlap: one product of sparse matrices, no loop over items."""
    from scipy.sparse import coo_array, csr_array

    known = pc.fill_null(pc.index_in(after.item_ids, value_set=before.item_ids), -1)
    row_before = np.asarray(known.to_numpy(zero_copy_only=False), dtype=np.int64)
    is_common = np.zeros(len(before.item_ids), dtype=bool)
    is_common[row_before[row_before >= 0]] = True
    earlier = is_common[before.items]
    later = row_before[after.items] >= 0

    def matrix(rows: Ints, topics: Ints, width: int) -> Any:
        return csr_array((np.ones(len(rows), dtype=np.int64), (rows, topics)), shape=(len(before.item_ids), width))

    one = matrix(before.items[earlier], before.topics[earlier], len(before.topic_ids))
    other = matrix(row_before[after.items[later]], after.topics[later], len(after.topic_ids))
    product = coo_array(one.T @ other)
    order = np.lexsort((product.col, product.row))
    return Overlap(
        before,
        after,
        product.row[order].astype(np.int64),
        product.col[order].astype(np.int64),
        product.data[order].astype(np.int64),
        np.bincount(before.topics[earlier], minlength=len(before.topic_ids)),
        np.bincount(after.topics[later], minlength=len(after.topic_ids)),
    )


def _whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
