"""Weighted k-means without chance: it starts from the first distinct points.

How well a clustering divides the points is measured in ``silhouette``; which points are clustered, and into how many,
is decided in ``base_clusters`` and ``groups``.
"""

import numpy as np
from numpy.typing import NDArray

MAX_STEPS = 100
TOLERANCE = 0.01
POINTS_AT_A_TIME = 1024
BOUNDS_FROM = 20_000
"""From so many pairs of points and centres on, distances that cannot have mattered are not computed again."""
SLACK = 1e-9
"""Share of the extent of the points by which a bound must hold: far above what rounding can do to it."""


def kmeans(
    points: NDArray[np.float64],
    *,
    k: int,
    weights: NDArray[np.float64] | None = None,
    start: NDArray[np.float64] | None = None,
    max_steps: int = MAX_STEPS,
    tolerance: float = TOLERANCE,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Divide points into at most `k` clusters by Lloyd's algorithm.

    The first `k` distinct points are the first centres, unless others are given. A step assigns each point to its
    nearest centre (the first of several), drops clusters left empty and moves each centre to the weighted mean of its
    points. Steps end when no centre moved by `tolerance` or more, old and new centres paired in order of their
    coordinates, or when `max_steps` have followed the first. Source: Polis.

    Parameters
    ----------
    points : float64[n, 2]
    k
        Largest number of clusters.
    weights : float64[n], optional
        Weight of each point in the mean of its cluster, above 0; 1 by default.
    start : float64[at most k, 2], optional
        The first centres.
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
    weighted = [weights * axis for axis in points.T]
    centres = _first_distinct(points, k) if start is None else start[:k]
    search = Search(points)
    for _ in range(max_steps + 1):
        previous = centres
        labels = drop_empty(search.nearest(previous))
        centres = _centres(labels, weights, weighted)
        if _is_settled(previous, centres, tolerance):
            break
    return labels, centres


def kmeans_of_starts(
    points: NDArray[np.float64], *, k: int, weights: NDArray[np.float64], starts: int, seed: int, max_steps: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Divide points by `kmeans` from several starts and return the division with the least weighted squared distances.

    One start is the usual one, the others are drawn: each centre with a probability proportional to its weight and its
    squared distance to the nearest one drawn before. Source: k-means++, Arthur and Vassilvitskii 2007.
    """
    rng = np.random.default_rng(seed)
    firsts = [None, *(_drawn(points, weights, k, rng) for _ in range(starts - 1))]
    divisions = [kmeans(points, k=k, weights=weights, start=first, max_steps=max_steps) for first in firsts]

    def spread(division: tuple[NDArray[np.int32], NDArray[np.float64]]) -> float:
        labels, centres = division
        return float(weights @ np.square(points - centres[labels]).sum(axis=1))

    return min(divisions, key=spread)


def _drawn(
    points: NDArray[np.float64], weights: NDArray[np.float64], k: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    chances = weights
    drawn: list[NDArray[np.float64]] = []
    nearest = np.full(len(points), np.inf)
    while len(drawn) < k and chances.sum() > 0:
        drawn.append(points[rng.choice(len(points), p=chances / chances.sum())])
        nearest = np.minimum(nearest, np.square(points - drawn[-1]).sum(axis=1))
        chances = weights * nearest
    return np.array(drawn)


class Search:
    """The nearest of some centres to each of many points, again and again while the centres move a little.

    How far a point is from its own centre at most and from every other at least is known from the last time and from
    how far the centres moved since; only where that does not settle the matter are distances computed. The result is
    that of `nearest`.

    Parameters
    ----------
    points : float64[n, 2]
    """

    def __init__(self, points: NDArray[np.float64]) -> None:
        self._points = np.ascontiguousarray(points)
        self._slack = SLACK * float(np.ptp(points, axis=0).max(initial=0.0)) if len(points) else 0.0
        self._centres = np.empty((0, 2))
        self._labels = np.zeros(len(points), np.int32)
        self._own, self._others = np.empty(len(points)), np.empty(len(points))

    def nearest(self, centres: NDArray[np.float64]) -> NDArray[np.int32]:
        """Return the position of the centre nearest to each point, the first of several: int32[points]."""
        if len(self._points) * len(centres) < BOUNDS_FROM or len(centres) < 2:
            return nearest(self._points, centres)
        from clustering_platform.opinions.bounds import move_labels

        moved = np.zeros(len(centres))
        if len(centres) == len(self._centres):
            moved = np.hypot(*(centres - self._centres).T)
        else:
            self._labels[:], self._own[:], self._others[:] = 0, np.inf, -np.inf
        apart = _squared_distances(centres, centres)
        np.fill_diagonal(apart, np.inf)
        gaps = np.sqrt(apart.min(axis=1))
        state = self._labels, self._own, self._others
        move_labels(self._points, np.ascontiguousarray(centres), moved, gaps, self._slack, *state)
        self._centres = centres
        return self._labels.copy()


def nearest(points: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the position of the centre nearest to each point, the first of several: int32[points]."""
    labels = np.empty(len(points), np.int32)
    for start in range(0, len(points), POINTS_AT_A_TIME):
        part = slice(start, start + POINTS_AT_A_TIME)
        labels[part] = _squared_distances(points[part], centres).argmin(axis=1)
    return labels


def drop_empty(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return labels numbered anew, in the same order, so that every number up to the largest is in use."""
    is_used = np.bincount(labels) > 0
    return labels if is_used.all() else (np.cumsum(is_used, dtype=np.int32) - 1)[labels]


def weighted_means(
    points: NDArray[np.float64], labels: NDArray[np.integer], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weighted mean of the points with each label: float64[labels, 2]; every label is in use."""
    return _centres(labels, weights, [weights * axis for axis in points.T])


def _centres(
    labels: NDArray[np.integer], weights: NDArray[np.float64], weighted: list[NDArray[np.float64]]
) -> NDArray[np.float64]:
    sums = [np.bincount(labels, axis) for axis in weighted]
    return np.column_stack(sums) / np.bincount(labels, weights)[:, np.newaxis]


def _squared_distances(points: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    along_x = points[:, :1] - centres[:, 0]
    along_y = points[:, 1:] - centres[:, 1]
    np.square(along_x, out=along_x)
    np.square(along_y, out=along_y)
    return np.add(along_x, along_y, out=along_x)


def _first_distinct(points: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return the first `k` distinct points; of many points, only as many are looked at as are needed."""
    for end in (8 * k, len(points)):
        head = np.ascontiguousarray(points[:end]).view(np.complex128).ravel()
        _, first = np.unique(head, return_index=True)
        if first.size >= k:
            break
    return points[np.sort(first)[:k]]


def _is_settled(before: NDArray[np.float64], after: NDArray[np.float64], tolerance: float) -> bool:
    if len(before) != len(after):
        return False
    moved = before[np.lexsort(before.T[::-1])] - after[np.lexsort(after.T[::-1])]
    return bool((np.hypot(*moved.T) < tolerance).all())
