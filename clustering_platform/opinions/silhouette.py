"""How well a clustering divides points."""

import numpy as np
from numpy.typing import NDArray


def mean_silhouette(points: NDArray[np.float64], labels: NDArray[np.int32]) -> float:
    """Return the mean silhouette of points in at least two clusters, between -1 and 1; every point counts 1."""
    return float(silhouettes(points, labels).mean())


def silhouettes(points: NDArray[np.float64], labels: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the silhouette of each point, in at least two clusters, between -1 and 1: float64[n].

    It is (b - a) / max(a, b), where a is its mean distance to the others of its cluster and b the mean
    distance to the nearest other cluster; 0 for a point alone in its cluster. Takes memory of the order of the
    points squared. Source: Rousseeuw 1987.

    Parameters
    ----------
    points : float64[n, 2]
    labels : int32[n]
        Cluster of each point; every number from 0 to the largest is in use.
    """
    distances = np.hypot(*(axis[:, np.newaxis] - axis for axis in points.T))
    sizes = np.bincount(labels)
    sums = distances @ np.eye(sizes.size)[labels]
    rows = np.arange(labels.size)
    own_size = sizes[labels]
    within = sums[rows, labels] / np.maximum(own_size - 1, 1)
    means = sums / sizes
    means[rows, labels] = np.inf
    between = means.min(axis=1)
    larger = np.maximum(within, between)
    is_defined = (own_size > 1) & (larger > 0)
    scores: NDArray[np.float64] = np.divide(between - within, larger, out=np.zeros(labels.size), where=is_defined)
    return scores
