"""Weighted k-means without chance: it starts from the first distinct points.

How well a clustering divides the points is measured in ``silhouette``; which points are clustered, and into how many,
is decided in ``base_clusters`` and ``groups``.
"""

import numpy as np
from numpy.typing import NDArray

MAX_STEPS = 100
TOLERANCE = 0.01
POINTS_AT_A_TIME = 1024


def kmeans(
    points: NDArray[np.float64],
    *,
    k: int,
    weights: NDArray[np.float64] | None = None,
    max_steps: int = MAX_STEPS,
    tolerance: float = TOLERANCE,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Divide points into at most `k` clusters by Lloyd's algorithm.

    The first `k` distinct points are the first centres. A step assigns each point to its nearest centre (the first of
    several), drops clusters left empty and moves each centre to the weighted mean of its points. Steps end when no
    centre moved by `tolerance` or more, old and new centres paired in order of their coordinates, or when `max_steps`
    have followed the first. Source: Polis.

    Parameters
    ----------
    points : float64[n, 2]
    k
        Largest number of clusters.
    weights : float64[n], optional
        Weight of each point in the mean of its cluster; 1 by default.
    max_steps
        Largest number of steps after the first.
    tolerance
        Distance, in the unit of the points.

    Returns
    -------
    labels : int32[n]
        Cluster of each point, 0 to the number of clusters - 1, in the order of the first centres.
    centres : float64[clusters, 2]
        Weighted means of the clusters.
    """
    weights = np.ones(len(points)) if weights is None else weights
    centres = _first_distinct(points, k)
    for _ in range(max_steps + 1):
        previous = centres
        labels, centres = _step(points, weights, previous)
        if _is_settled(previous, centres, tolerance):
            break
    return labels, centres


def nearest(points: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the position of the centre nearest to each point, the first of several: int32[points]."""
    labels = np.empty(len(points), np.int32)
    for start in range(0, len(points), POINTS_AT_A_TIME):
        part = points[start : start + POINTS_AT_A_TIME]
        distances = np.square(part[:, :1] - centres[:, 0])
        distances += np.square(part[:, 1:] - centres[:, 1])
        labels[start : start + POINTS_AT_A_TIME] = distances.argmin(axis=1)
    return labels


def _step(
    points: NDArray[np.float64], weights: NDArray[np.float64], centres: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    labels = nearest(points, centres)
    is_filled = np.bincount(labels, minlength=len(centres)) > 0
    labels = (np.cumsum(is_filled, dtype=np.int32) - 1)[labels]
    total = np.bincount(labels, weights)
    sums = [np.bincount(labels, weights * axis) for axis in points.T]
    return labels, np.column_stack(sums) / total[:, np.newaxis]


def _first_distinct(points: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    _, first = np.unique(points, axis=0, return_index=True)
    return points[np.sort(first)[:k]]


def _is_settled(before: NDArray[np.float64], after: NDArray[np.float64], tolerance: float) -> bool:
    if len(before) != len(after):
        return False
    moved = before[np.lexsort(before.T[::-1])] - after[np.lexsort(after.T[::-1])]
    return bool((np.hypot(*moved.T) < tolerance).all())
