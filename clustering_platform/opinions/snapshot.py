"""The snapshot as a whole: whether there is enough for groups, and the one row that sums it up."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clustering_platform.datasets import OpinionsConfig
from clustering_platform.opinions.matrix import read_vote_matrix
from clustering_platform.opinions.space import read_places, variance_shares
from clustering_platform.tables import TABLES, conform

SAME_PLACE = 1e-9
"""Grouped voters no farther apart than this share of their coordinates stand at one place."""


def snapshot_status(
    vote_matrix: pa.Table, opinion_space: pa.Table, *, config: OpinionsConfig
) -> tuple[str, str | None]:
    """Return the status of a snapshot and, unless it is `ready`, the reason with have and need."""
    if vote_matrix.num_rows < config.min_voters:
        return "insufficient_voters", (
            f"{vote_matrix.num_rows} < {config.min_voters} voters: groups are formed from {config.min_voters} on "
            "(opinions.min_voters)"
        )
    places = read_places(opinion_space, "voter")[1][vote_matrix["is_grouped"].to_numpy()]
    if max(np.ptp(axis) for axis in places.T) <= SAME_PLACE * np.abs(places).max():
        return "no_variation", f"all {len(places)} voters with enough votes stand at one place"
    return "ready", None


def build_opinion_snapshot(
    vote_matrix: pa.Table,
    voted_items: pa.Table,
    opinion_space: pa.Table,
    base_clusters: pa.Table,
    groupings: pa.Table,
    *,
    config: OpinionsConfig,
) -> pa.Table:
    """Return the table `opinion_snapshot`: one row."""
    status, reason = snapshot_status(vote_matrix, opinion_space, config=config)
    matrix = read_vote_matrix(vote_matrix, voted_items)
    chosen = groupings.filter(pc.and_(groupings["is_chosen"], pc.is_null(groupings["parent_id"]))).to_pylist()
    row = {
        "status": status,
        "reason": reason,
        "voters": vote_matrix.num_rows,
        "grouped_voters": int(matrix.is_grouped.sum()),
        "items": voted_items.num_rows,
        "votes": matrix.votes.size,
        "base_clusters": base_clusters.num_rows,
        "groups": chosen[0]["groups"] if chosen else 0,
        "silhouette": chosen[0]["silhouette"] if chosen else None,
        "variance_shares": variance_shares(matrix, voted_items, opinion_space).tolist(),
        "first_vote_at": pc.min(vote_matrix["first_vote_at"]).as_py(),
        "last_vote_at": pc.max(vote_matrix["last_vote_at"]).as_py(),
    }
    contract = TABLES["opinion_snapshot"]
    return conform(pa.Table.from_pylist([row], schema=contract.schema()), contract)
