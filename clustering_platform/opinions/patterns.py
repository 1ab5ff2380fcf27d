"""Voting patterns: how each base cluster, each group and each subgroup voted on each item."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.opinions.matrix import VoteMatrix, read_vote_matrix, vote_counts
from clustering_platform.opinions.passes import count_votes
from clustering_platform.tables import TABLES, conform

LEVELS = {"base_cluster": "base_cluster_id", "group": "group_id", "subgroup": "subgroup_id"}
"""Level of a cluster -> the column of `voter_groups` that holds its id."""
NO_CLUSTER = -1
MAJORITIES = pa.array(["disagree", "pass", "agree", "split", "none"])
DISAGREE, PASS, AGREE, SPLIT, NONE = range(5)


class Level(NamedTuple):
    """One level of clusters: ids, ascending, and int32[voters] positions of their clusters or `NO_CLUSTER`."""

    name: str
    ids: NDArray[np.int32]
    clusters: NDArray[np.int32]


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
    levels = [Level(name, *cluster_positions(voter_groups[column])) for name, column in LEVELS.items()]
    counts = _counts(matrix, levels)
    tables = [_patterns(matrix, level, found) for level, found in zip(levels, counts, strict=True)]
    return conform(pa.concat_tables(tables), TABLES["voting_patterns"])


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


def cluster_positions(cluster_ids: pa.ChunkedArray) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the ids in use, ascending, and for each voter the position of its id, `NO_CLUSTER` for none."""
    ids = np.sort(pc.unique(cluster_ids).drop_null().to_numpy())
    return ids, pc.fill_null(pc.index_in(cluster_ids, pa.array(ids), skip_nulls=True), NO_CLUSTER).to_numpy()


def _counts(matrix: VoteMatrix, levels: list[Level]) -> list[NDArray[np.int64]]:
    """Count the votes of the clusters of each level on each item: int64[clusters, items, 3] for each.

    Votes are walked through once: those of voters who are in the same cluster on every level are counted together,
    and added up for each level. Where each level divides the one above, those are its smallest clusters.
    """
    voters = np.zeros(matrix.shape[0], np.int64)
    owners: list[NDArray[np.int64]] = []
    for level in levels:
        pairs = voters * (level.ids.size + 1) + level.clusters + 1
        in_use = np.flatnonzero(np.bincount(pairs))
        voters = _positions(in_use)[pairs]
        above, cluster = np.divmod(in_use, level.ids.size + 1)
        owners = [owner[above] for owner in owners] + [cluster - 1]
    is_clustered = np.max(owners, axis=0, initial=NO_CLUSTER) > NO_CLUSTER
    n_clustered = int(is_clustered.sum())
    positions = np.where(is_clustered, np.cumsum(is_clustered) - 1, NO_CLUSTER).astype(np.int32)
    counts = count_votes(matrix, positions[voters], n_clustered)
    return [_sums(counts, owner[is_clustered], level.ids.size) for owner, level in zip(owners, levels, strict=True)]


def _positions(values: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return an array that holds, at each of some distinct numbers from 0 on, its position among them."""
    positions = np.zeros(values.max(initial=-1) + 1, np.int64)
    positions[values] = np.arange(values.size)
    return positions


def _sums(counts: NDArray[np.int64], owners: NDArray[np.int64], n_owners: int) -> NDArray[np.int64]:
    """Return the sum of the counts (int64[n, items, 3]) of each owner, every one of which has some."""
    order = np.argsort(owners, kind="stable")
    order = order[np.searchsorted(owners[order], 0) :]
    if n_owners == len(counts) == order.size and np.array_equal(order, np.arange(n_owners)):
        return counts
    starts = np.searchsorted(owners[order], np.arange(n_owners))
    sums: NDArray[np.int64] = np.add.reduceat(counts[order], starts, axis=0) if n_owners else counts[:0]
    return sums


def _patterns(matrix: VoteMatrix, level: Level, counts: NDArray[np.int64]) -> pa.Table:
    n_clusters, n_items = level.ids.size, matrix.shape[1]
    return pa.table(
        {
            "level": pa.repeat(level.name, n_clusters * n_items),
            "cluster_id": np.repeat(level.ids, n_items),
            "item_id": pa.concat_arrays([matrix.item_ids] * n_clusters or [matrix.item_ids[:0]]),
            **vote_counts(counts),
            **_majorities(*(counts[..., vote].ravel() for vote in range(3))),
        }
    )


def _majorities(
    disagree: NDArray[np.int64], passed: NDArray[np.int64], agree: NDArray[np.int64]
) -> dict[str, pa.Array]:
    seen, most = disagree + passed + agree, np.maximum(np.maximum(disagree, passed), agree)
    ties = (disagree == most).astype(np.int8) + (passed == most) + (agree == most)
    majority = np.where(agree == most, np.int8(AGREE), np.where(passed == most, np.int8(PASS), np.int8(DISAGREE)))
    majority[ties > 1] = SPLIT
    majority[seen == 0] = NONE
    return {"consensus": pa.array(most / np.maximum(seen, 1), mask=seen == 0), "majority": MAJORITIES.take(majority)}
