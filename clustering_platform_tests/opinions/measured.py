"""Voters with given votes, places and clusters, as the tables from which measures are made."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.cluster_measures import build_cluster_measures
from clustering_platform.opinions.matrix import VoteMatrix, build_vote_matrix, read_vote_matrix
from clustering_platform.opinions.patterns import build_voting_patterns
from clustering_platform.opinions.voter_measures import build_voter_measures
from clustering_platform.tables import TABLES, arrow_type, conform
from clustering_platform_tests.opinions.tables import DAY, items_table, one_vote_each

Rows = Sequence[Sequence[int | None]]


@dataclass(frozen=True)
class Measured:
    """Voters v0, v1, ... with their votes on items i0, i1, ..., each with at least one vote."""

    rows: Rows
    places: Sequence[tuple[float, float]]
    groups: Sequence[int | None]
    base_clusters: Sequence[int | None] | None = None
    moderated_out: frozenset[str] = frozenset()

    @cached_property
    def tables(self) -> tuple[pa.Table, pa.Table]:
        votes, voters, items = one_vote_each(self.rows)
        marked = items_table([(item, -(item in self.moderated_out), False) for item in items["item_id"].to_pylist()])
        return build_vote_matrix(votes, voters, marked, day=DAY, config=OpinionsConfig())

    @cached_property
    def matrix(self) -> VoteMatrix:
        return read_vote_matrix(*self.tables)

    @cached_property
    def voter_groups(self) -> pa.Table:
        known = {
            "voter_id": self.matrix.voter_ids,
            "votes_cast": self.matrix.votes_cast,
            "x": [x for x, _ in self.places],
            "y": [y for _, y in self.places],
            "group_id": pa.array(self.groups, pa.int32()),
            "base_cluster_id": pa.array(self.base_clusters or self.groups, pa.int32()),
        }
        contract = TABLES["voter_groups"]
        nulls = {column.name: pa.nulls(len(self.places), arrow_type(column.type)) for column in contract.columns}
        return conform(pa.table(nulls | known), contract)

    @cached_property
    def patterns(self) -> pa.Table:
        return build_voting_patterns(*self.tables, self.voter_groups)

    @cached_property
    def cluster_measures(self) -> pa.Table:
        return build_cluster_measures(self.voter_groups, self.patterns)

    @cached_property
    def voter_measures(self) -> pa.Table:
        return build_voter_measures(*self.tables, self.voter_groups, self.patterns)

    def cluster(self, level: str, cluster_id: int) -> dict[str, Any]:
        """Return the measures of one cluster."""
        rows = self.cluster_measures.to_pylist()
        return next(row for row in rows if (row["level"], row["cluster_id"]) == (level, cluster_id))


FIVE = Measured(
    rows=[[1, 1], [1, 0], [-1, None], [-1, 1], [None, 1]],
    places=[(0, 0), (2, 0), (1, 3), (5, 1), (7, 1)],
    groups=[0, 0, 0, 1, 1],
    base_clusters=[0, 0, 1, 2, 2],
)
"""Group 0 is v0, v1 and v2 around (1, 1); group 1 is v3 and v4 around (6, 1); the centre of all is (3, 1)."""
