"""Base clusters: a hundred or so small clusters of voters, from which groups are formed at any number of voters."""

import numpy as np
import pyarrow as pa

from clustering_platform.datasets import OpinionsConfig
from clustering_platform.opinions.kmeans import kmeans
from clustering_platform.opinions.snapshot import snapshot_status
from clustering_platform.opinions.space import read_places
from clustering_platform.opinions.warm import go_on, is_start, last_base_clusters
from clustering_platform.tables import TABLES, conform


def build_base_clusters(
    vote_matrix: pa.Table, opinion_space: pa.Table, *, config: OpinionsConfig, previous: pa.Table | None = None
) -> pa.Table:
    """Return the table `base_clusters`; empty where the snapshot is not ready for groups.

    Only voters with enough votes are clustered, each counting 1. With at most ``config.base_clusters`` of them, a
    base cluster holds those who stand at one place. Warm, they go on from those of the `previous` day.
    """
    status, _ = snapshot_status(vote_matrix, opinion_space, config=config)
    if status != "ready":
        return TABLES["base_clusters"].empty()
    is_grouped = vote_matrix["is_grouped"].to_numpy()
    voter_ids, places = read_places(opinion_space, "voter")
    grouped_ids = voter_ids.filter(is_grouped)
    last = last_base_clusters(grouped_ids, previous)
    if is_start(last):
        weights = np.ones(len(last))
        clusters = go_on(places[is_grouped], last, k=config.base_clusters, weights=weights, max_steps=config.max_steps)
        ids, labels, centres = clusters
    else:
        labels, centres = kmeans(places[is_grouped], k=config.base_clusters, max_steps=config.max_steps)
        ids = np.arange(len(centres), dtype=np.int32)
    sizes = np.bincount(labels)
    members = grouped_ids.take(np.argsort(labels, kind="stable"))
    offsets = pa.array(np.append(0, np.cumsum(sizes)), pa.int32())
    table = pa.table(
        {
            "base_cluster_id": ids,
            "x": centres[:, 0],
            "y": centres[:, 1],
            "size": sizes,
            "voter_ids": pa.ListArray.from_arrays(offsets, members.combine_chunks()),
        }
    )
    return conform(table, TABLES["base_clusters"])
