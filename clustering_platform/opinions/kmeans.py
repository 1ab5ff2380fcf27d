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
NEARBY = 9
"""So many centres, its own among them, are looked at for a point before all are."""
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
    how far the centres moved since. Only where these bounds do not settle the matter are distances computed: those to
    the centres around its own and, where a centre farther off may be nearer, to all. The result is that of `nearest`.
    Source of the bounds: Hamerly 2010.

    Parameters
    ----------
    points : float64[n, 2]
    """

    def __init__(self, points: NDArray[np.float64]) -> None:
        self._points = points
        self._slack = SLACK * float(np.ptp(points, axis=0).max(initial=0.0)) if len(points) else 0.0
        self._centres = np.empty((0, 2))
        self._labels = np.zeros(len(points), np.int32)
        self._own = np.zeros(len(points))
        self._others = np.zeros(len(points))

    def nearest(self, centres: NDArray[np.float64]) -> NDArray[np.int32]:
        """Return the position of the centre nearest to each point, the first of several: int32[points]."""
        if len(self._points) * len(centres) < BOUNDS_FROM or len(centres) <= NEARBY:
            return nearest(self._points, centres)
        is_new = len(centres) != len(self._centres)
        unsettled = np.arange(len(self._points)) if is_new else self._unsettled(centres)
        for start in range(0, len(unsettled), POINTS_AT_A_TIME):
            rows = unsettled[start : start + POINTS_AT_A_TIME]
            distances = _squared_distances(self._points[rows], centres)
            self._labels[rows], self._own[rows], self._others[rows] = _two_least(distances)
        self._centres = centres
        return self._labels.copy()

    def _unsettled(self, centres: NDArray[np.float64]) -> NDArray[np.intp]:
        """Move the bounds as the centres moved, and return the points that any centre may be nearest to now."""
        moved = np.hypot(*(centres - self._centres).T)
        nearby, beyond = _surroundings(centres)
        labels = self._labels
        self._own += moved[labels]
        self._others -= moved[nearby].max(axis=1)[labels]
        np.minimum(self._others, beyond[labels] - self._own, out=self._others)
        doubtful = np.flatnonzero(self._own + self._slack >= self._others)

        labels = labels[doubtful]
        candidates = nearby[labels]
        x, y = self._points[doubtful].T
        distances = np.square(x[:, np.newaxis] - centres[:, 0][candidates])
        distances += np.square(y[:, np.newaxis] - centres[:, 1][candidates])
        to_former = np.hypot(x - centres[:, 0][labels], y - centres[:, 1][labels])
        first, own, second = _two_least(distances)
        self._labels[doubtful] = candidates[np.arange(doubtful.size), first]
        self._own[doubtful] = own
        self._others[doubtful] = np.minimum(second, beyond[labels] - to_former)
        unsettled: NDArray[np.intp] = doubtful[own + self._slack >= beyond[labels] - to_former]
        return unsettled


def _surroundings(centres: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the `NEARBY` centres nearest to each, itself among them, and how far off the nearest beyond them is."""
    distances = _squared_distances(centres, centres)
    order = np.argpartition(distances, NEARBY, axis=1)
    beyond = np.sqrt(distances[np.arange(len(centres)), order[:, NEARBY]])
    return np.sort(order[:, :NEARBY], axis=1), beyond


def _two_least(distances: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Return for each row of squared distances where the least is, the first of several, and the least two distances.

    The row is changed.
    """
    rows, first = np.arange(len(distances)), distances.argmin(axis=1)
    least = distances[rows, first]
    distances[rows, first] = np.inf
    return first, np.sqrt(least), np.sqrt(distances[rows, distances.argmin(axis=1)])  # quicker than the minimum


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
