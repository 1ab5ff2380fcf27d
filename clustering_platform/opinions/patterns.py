"""Voting patterns: how each base cluster, each group and each subgroup voted on each item."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.opinions.matrix import VoteMatrix, read_vote_matrix, vote_counts
from clustering_platform.tables import TABLES, conform

LEVELS = {"base_cluster": "base_cluster_id", "group": "group_id", "subgroup": "subgroup_id"}
"""Level of a cluster -> the column of `voter_groups` that holds its id."""
MAJORITIES = pa.array(["disagree", "pass", "agree", "split", "none"])
SPLIT, NONE = 3, 4


def build_voting_patterns(vote_matrix: pa.Table, voted_items: pa.Table, voter_groups: pa.Table) -> pa.Table:
    """Return the table `voting_patterns`: every cluster of every level, by id, with every item, in matrix order.

    The votes are those cast, on moderated items as well. Voters in no cluster are not counted.

    Raises
    ------
    ValueError
        `voter_groups` does not list the voters of the matrix in its order.
    """
    matrix = read_vote_matrix(vote_matrix, voted_items)
    if not voter_groups["voter_id"].combine_chunks().equals(matrix.voter_ids):
        raise ValueError("voter_groups and vote_matrix list different voters, or in a different order")
    levels = [_level(matrix, level, voter_groups[column]) for level, column in LEVELS.items()]
    return conform(pa.concat_tables(levels), TABLES["voting_patterns"])


def read_group_counts(
    voting_patterns: pa.Table, voted_items: pa.Table, *, level: str = "group"
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the ids of the groups, or of the clusters of another level, and their votes.

    Returns
    -------
    ids : int32[groups]
    counts : int64[groups, items, 3]
        How many disagreed, passed and agreed.
    """
    rows = voting_patterns.filter(pc.equal(voting_patterns["level"], level))
    counts = np.stack([rows[vote].to_numpy() for vote in ("disagree", "pass", "agree")], axis=-1)
    ids = rows["cluster_id"].to_numpy()[:: max(voted_items.num_rows, 1)]
    return ids, counts.reshape(ids.size, voted_items.num_rows, 3).astype(np.int64)


def _level(matrix: VoteMatrix, level: str, cluster_ids: pa.ChunkedArray) -> pa.Table:
    ids = np.unique(cluster_ids.drop_null().to_numpy())
    clusters = pc.fill_null(pc.index_in(cluster_ids, pa.array(ids), skip_nulls=True), -1).to_numpy()
    counts = matrix.counts(clusters, ids.size)
    n_items = matrix.shape[1]
    return pa.table(
        {
            "level": pa.repeat(level, ids.size * n_items),
            "cluster_id": np.repeat(ids, n_items),
            "item_id": matrix.item_ids.take(np.tile(np.arange(n_items), ids.size)),
            **vote_counts(counts),
            **_majorities(counts.reshape(-1, 3)),
        }
    )


def _majorities(counts: NDArray[np.int64]) -> dict[str, pa.Array]:
    seen, most = counts.sum(axis=1), counts.max(axis=1, initial=0)
    majority = counts.argmax(axis=1)
    majority[(counts == most[:, np.newaxis]).sum(axis=1) > 1] = SPLIT
    majority[seen == 0] = NONE
    share = np.divide(most, seen, out=np.zeros(seen.size), where=seen > 0)
    return {"consensus": pa.array(share, mask=seen == 0), "majority": MAJORITIES.take(majority)}
