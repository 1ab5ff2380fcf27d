"""Clusters by density, and what becomes of the points between them.

The strategies `recursive`, `levels` and `flat` are made of these.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.reduction import Floats, Labels
from clustering_platform.semantics.silhouettes import mean_vectors, unit_rows


@dataclass(frozen=True)
class Clusters:
    """Clusters of some points, every point in one.

    Attributes
    ----------
    labels : int64[n]
        Cluster 0, 1, ... of each point.
    is_noise : bool[n]
        Which points lay between the clusters and were sent to the most similar one.
    membership : float64[n]
        How far a point belongs to its cluster, 0 to 1; 0 for noise.
    """

    labels: Labels
    is_noise: NDArray[np.bool_]
    membership: NDArray[np.float64]


def density_clusters(vectors: Floats, layout: Floats, *, smallest: int, neighbours: int) -> Clusters | None:
    """Return the clusters that HDBSCAN finds in a layout, or None where there are fewer than two.

    Parameters
    ----------
    vectors
        Array of shape (n, d) of length one: in their space noise finds the cluster it is most similar to.
    layout
        Array of shape (n, few).
    smallest, neighbours
        `min_cluster_size` and `min_samples`.
    """
    from hdbscan import HDBSCAN

    if len(layout) < 2 * smallest:
        return None
    clusterer = HDBSCAN(min_cluster_size=smallest, min_samples=min(neighbours, smallest), core_dist_n_jobs=1)
    clusterer.fit(layout.astype(np.float64))
    labels = np.asarray(clusterer.labels_, dtype=np.int64)
    if labels.max() < 1:
        return None
    membership = np.where(labels >= 0, clusterer.probabilities_, 0.0)
    return Clusters(send_home(vectors, labels), labels < 0, membership)


def send_home(vectors: Floats, labels: Labels) -> Labels:
    """Return the labels with each negative one replaced by the cluster of the most similar centroid (cosine)."""
    outside = np.flatnonzero(labels < 0)
    home = labels.copy()
    if len(outside):
        home[outside] = (vectors[outside] @ unit_rows(mean_vectors(vectors, labels)).T).argmax(axis=1)
    return home
