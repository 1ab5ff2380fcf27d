"""Base clusters: a hundred or so small clusters of voters, from which groups are formed at any number of voters."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.grid import kmeans_on_grid
from clustering_platform.opinions.snapshot import snapshot_status
from clustering_platform.opinions.space import read_places
from clustering_platform.opinions.warm import go_on, is_start, last_base_clusters
from clustering_platform.tables import TABLES, conform


def build_base_clusters(
    vote_matrix: pa.Table, opinion_space: pa.Table, *, config: OpinionsConfig, previous: pa.Table | None = None
) -> pa.Table:
    """Return the table `base_clusters`; empty where the snapshot is not ready for groups.

    Only voters with enough votes are clustered. With no more of them than there may be base clusters, a base cluster
    holds those who stand at one place. Many voters are clustered by way of a grid; see ``grid``. Warm, clusters go on
    from those of the `previous` day, of which `voter_id` and `base_cluster_id` of the table `voter_groups` are needed.
    """
    status, _ = snapshot_status(vote_matrix, opinion_space, config=config)
    if status != "ready":
        return TABLES["base_clusters"].empty()
    grouped = np.flatnonzero(vote_matrix["is_grouped"].to_numpy())
    voter_ids, places = read_places(opinion_space, "voter")
    weights = voter_weights(vote_matrix["votes_cast"].to_numpy()[grouped], config=config)
    most, places = most_base_clusters(grouped.size, config=config), places[grouped]
    last = last_base_clusters(voter_ids, previous)[grouped] if previous is not None else None
    if is_start(last):
        ids, labels, centres = go_on(places, last, k=most, weights=weights, max_steps=config.max_steps)
    else:
        labels, centres = kmeans_on_grid(places, k=most, weights=weights, max_steps=config.max_steps)
        ids = np.arange(len(centres), dtype=np.int32)
    sizes = np.bincount(labels)
    by_cluster = np.argsort(labels.astype(np.uint16), kind="stable")  # sorted in linear time
    offsets = pa.array(np.append(0, np.cumsum(sizes)), pa.int32())
    table = pa.table(
        {
            "base_cluster_id": ids,
            "x": centres[:, 0],
            "y": centres[:, 1],
            "size": sizes,
            "weight": np.bincount(labels, weights),
            "voter_positions": pa.ListArray.from_arrays(offsets, grouped.astype(np.int32)[by_cluster]),
        }
    )
    return conform(table, TABLES["base_clusters"])


def most_base_clusters(n_grouped: int, *, config: OpinionsConfig) -> int:
    """Return the largest number of base clusters for so many grouped voters."""
    return max(min(config.base_clusters, n_grouped // config.voters_per_base_cluster), 2)


def voter_weights(votes_cast: NDArray[np.integer], *, config: OpinionsConfig) -> NDArray[np.float64]:
    """Return what each voter weighs when clusters are formed: float64[voters]."""
    return votes_cast.astype(np.float64) if config.voter_weights == "votes_cast" else np.ones(votes_cast.size)
