"""A published day as drift needs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.opinions.patterns import NO_CLUSTER, cluster_positions, read_group_counts
from clustering_platform.opinions.statistics import Counts, Floats

TABLES_OF_A_DAY = ("opinion_snapshot", "voter_groups", "voting_patterns", "voted_items")
"""The tables of a day that drift is made of."""


@dataclass(frozen=True)
class Day:
    """What is published of a day.

    Attributes
    ----------
    status
        Status of the snapshot.
    voter_groups
        `voter_id`, `x`, `y`, `group_id` of all voters.
    voting_patterns
        The rows of level `group`.
    voted_items
        `item_id`.
    """

    day: date
    status: str
    voter_groups: pa.Table
    voting_patterns: pa.Table
    voted_items: pa.Table

    @cached_property
    def voter_ids(self) -> pa.Array:
        """Ids of all voters."""
        return self.voter_groups["voter_id"].combine_chunks()

    @cached_property
    def places(self) -> Floats:
        """Where they stand: float64[voters, 2]."""
        return np.column_stack([self.voter_groups[axis].to_numpy() for axis in "xy"])

    @cached_property
    def _positions(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        return cluster_positions(self.voter_groups["group_id"])

    @property
    def group_ids(self) -> NDArray[np.int32]:
        """Ids of the groups, ascending."""
        return self._positions[0]

    @property
    def groups(self) -> NDArray[np.int32]:
        """The place of each voter's group in `group_ids`, `NO_CLUSTER` for none: int32[voters]."""
        return self._positions[1]

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Voters of each group."""
        return np.bincount(self.groups[self.groups != NO_CLUSTER], minlength=self.group_ids.size)

    @cached_property
    def counts(self) -> Counts:
        """Votes of each group on each item: int64[groups, items, 3], as in `read_group_counts`."""
        return read_group_counts(self.voting_patterns, self.voted_items)[1]

    def items_of(self, other: Day) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the places of the items of both days, here and there."""
        return _common(self.voted_items["item_id"], other.voted_items["item_id"].combine_chunks())

    def voters_of(self, other: Day) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the places of the voters of both days, here and there."""
        return _common(self.voter_ids, other.voter_ids)


def _common(ids: pa.ChunkedArray | pa.Array, others: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    found = pc.fill_null(pc.index_in(ids, others), -1).to_numpy(zero_copy_only=False).astype(np.int64)
    here = np.flatnonzero(found >= 0)
    return here, found[here]
