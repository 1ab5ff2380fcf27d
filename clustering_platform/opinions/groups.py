"""Groups: base clusters that lie together, and which group each voter belongs to."""

import string
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.datasets import OpinionsConfig
from clustering_platform.opinions.kmeans import kmeans
from clustering_platform.opinions.parity import group_steps
from clustering_platform.opinions.silhouette import mean_silhouette
from clustering_platform.opinions.space import read_places
from clustering_platform.tables import TABLES, conform

BASE_CLUSTERS_PER_GROUP = 12
"""For every so many base clusters, one group more than two is tried."""


class Grouping(NamedTuple):
    """One division of the base clusters: int32[base clusters] labels, float64[groups, 2] centres."""

    silhouette: float
    labels: NDArray[np.int32]
    centres: NDArray[np.float64]


def build_groups(base_clusters: pa.Table, *, config: OpinionsConfig) -> tuple[pa.Table, pa.Table]:
    """Return the tables `groups` and `groupings`; both empty where there are fewer than two base clusters.

    Two groups and more are tried, up to ``config.max_groups`` and to 2 + base clusters / 12. The number with the
    largest silhouette is chosen, the larger number where two are equal. A base cluster weighs as many as its voters
    when groups are formed and 1 when they are judged. Source: Polis, without smoothing over time.
    """
    tried = try_groupings(base_clusters, config=config)
    if not tried:
        return TABLES["groups"].empty(), TABLES["groupings"].empty()
    chosen = max(tried, key=lambda grouping: (grouping.silhouette, len(grouping.centres)))
    groupings = pa.table(
        {
            "groups": [len(grouping.centres) for grouping in tried],
            "silhouette": [grouping.silhouette for grouping in tried],
            "is_chosen": [grouping is chosen for grouping in tried],
        }
    )
    return _groups(base_clusters, chosen), conform(groupings, TABLES["groupings"])


def try_groupings(base_clusters: pa.Table, *, config: OpinionsConfig) -> list[Grouping]:
    """Divide the base clusters into two groups and more; numbers that k-means ends below are left out."""
    points = np.column_stack([base_clusters["x"].to_numpy(), base_clusters["y"].to_numpy()])
    weights = base_clusters["size"].to_numpy().astype(np.float64)
    largest = min(config.max_groups, 2 + len(points) // BASE_CLUSTERS_PER_GROUP)
    tried = []
    for k in range(2, min(largest, len(points)) + 1):
        steps = group_steps(polis_parity=config.polis_parity)
        labels, centres = kmeans(points, k=k, weights=weights, max_steps=steps)
        if len(centres) == k:
            tried.append(Grouping(mean_silhouette(points, labels), labels, centres))
    return tried


def _groups(base_clusters: pa.Table, grouping: Grouping) -> pa.Table:
    n_groups = len(grouping.centres)
    sizes = np.bincount(grouping.labels, base_clusters["size"].to_numpy()).astype(np.int64)
    order = np.argsort(grouping.labels, kind="stable")
    offsets = pa.array(np.append(0, np.cumsum(np.bincount(grouping.labels))), pa.int32())
    table = pa.table(
        {
            "group_id": np.arange(n_groups),
            "letter": list(string.ascii_uppercase[:n_groups]),
            "size": sizes,
            "share": sizes / sizes.sum(),
            "x": grouping.centres[:, 0],
            "y": grouping.centres[:, 1],
            "base_cluster_ids": pa.ListArray.from_arrays(
                offsets, base_clusters["base_cluster_id"].combine_chunks().take(order)
            ),
        }
    )
    return conform(table, TABLES["groups"])


def build_voter_groups(
    vote_matrix: pa.Table, opinion_space: pa.Table, base_clusters: pa.Table, groups: pa.Table
) -> pa.Table:
    """Return the table `voter_groups`: all voters in the order of the matrix, grouped or not."""
    voter_ids, places = read_places(opinion_space, "voter")
    base_cluster = _owner(voter_ids, base_clusters["voter_ids"], base_clusters["base_cluster_id"])
    table = pa.table(
        {
            "voter_id": voter_ids,
            "votes_cast": vote_matrix["votes_cast"],
            "x": places[:, 0],
            "y": places[:, 1],
            "base_cluster_id": base_cluster,
            "group_id": _owner(base_cluster, groups["base_cluster_ids"], groups["group_id"]),
        }
    )
    return conform(table, TABLES["voter_groups"])


def _owner(members: pa.Array, lists: pa.ChunkedArray, owner_ids: pa.ChunkedArray) -> pa.Array:
    """Return for each member the id beside the list that it is in, null where it is in none."""
    lists = lists.combine_chunks()
    place = pc.index_in(members, pc.list_flatten(lists), skip_nulls=True)
    return owner_ids.combine_chunks().take(pc.list_parent_indices(lists).take(place))
