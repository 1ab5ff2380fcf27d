"""Many points clustered by way of fewer that stand for them: the cells of a grid laid over the map.

Up to `GRID_ABOVE` points nothing is done here, and clusters are those of ``kmeans``.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustering_platform.opinions.kmeans import MAX_STEPS, drop_empty, kmeans, nearest, weighted_means

GRID_ABOVE = 20_000
CELLS = 256
"""Along each axis."""
COARSE_CELLS = 128
"""Along each axis of the grid on which the first centres for the finer one are found."""
FINE_STEPS = 20
"""So many steps at most are made on the finer grid: more of them gain .5 % of the spread and double the time."""
CLIPPED = 0.001
"""Share of the points beyond the grid at each end of each axis; a few points far off must not make all cells large."""
CELLS_PER_CLUSTER = 10
"""With fewer cells than this for each cluster, places stand for points instead: there are few, or all on a line."""


class Gathered(NamedTuple):
    """Points that stand for others.

    Attributes
    ----------
    points : float64[cells, 2]
        Weighted mean of the points in the cell, in the order of the first point of each.
    weights : float64[cells]
        Sum of their weights.
    cells : int[n]
        Which cell each point is in.
    outliers : int[points beyond the grid]
        Points that count for a cell at the edge of the grid without being in it.
    """

    points: NDArray[np.float64]
    weights: NDArray[np.float64]
    cells: NDArray[np.intp]
    outliers: NDArray[np.intp]


def kmeans_on_grid(
    points: NDArray[np.float64],
    *,
    k: int,
    weights: NDArray[np.float64],
    max_steps: int = MAX_STEPS,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Divide points into at most `k` clusters, as `kmeans` does; of many points, by their cells.

    A point belongs to the cluster of its cell, or to the nearest one where it lies beyond the grid. Centres are the
    weighted means of the points themselves. Parameters and results are those of `kmeans`.
    """
    if len(points) <= GRID_ABOVE:
        return kmeans(points, k=k, weights=weights, max_steps=max_steps)
    gathered, start = gather(points, weights), None
    if len(gathered.points) < CELLS_PER_CLUSTER * k:
        gathered = gather_places(points, weights)
    else:
        coarse = gather(gathered.points, gathered.weights, cells=COARSE_CELLS)
        _, start = kmeans(coarse.points, k=k, weights=coarse.weights, max_steps=max_steps)
        max_steps = min(max_steps, FINE_STEPS)
    by_cell, centres = kmeans(gathered.points, k=k, weights=gathered.weights, start=start, max_steps=max_steps)
    labels = by_cell[gathered.cells]
    labels[gathered.outliers] = nearest(points[gathered.outliers], centres)
    labels = drop_empty(labels)
    return labels, weighted_means(points, labels, weights)


def gather(points: NDArray[np.float64], weights: NDArray[np.float64], *, cells: int = CELLS) -> Gathered:
    """Let the cells of a grid, so many along each axis, stand for points (float64[n, 2], float64[n] weights)."""
    low, high = np.quantile(points, [CLIPPED, 1 - CLIPPED], axis=0)
    cells_per_unit = cells / np.where(high > low, high - low, 1.0)
    cell = np.zeros(len(points), np.intp)
    is_outlier = np.zeros(len(points), np.bool_)
    for axis, lowest, per_unit in zip(points.T, low, cells_per_unit, strict=True):
        place = (axis - lowest) * per_unit
        is_outlier |= (place < 0) | (place > cells)
        cell *= cells
        cell += np.clip(place, 0, cells - 1, out=place).astype(np.intp)
    return _gathered(points, weights, cell, cells * cells)._replace(outliers=np.flatnonzero(is_outlier))


def gather_places(points: NDArray[np.float64], weights: NDArray[np.float64]) -> Gathered:
    """Let each place stand for the points at it."""
    places = np.ascontiguousarray(points).view(np.complex128).ravel()
    distinct, cells = np.unique(places, return_inverse=True)
    return _gathered(points, weights, cells, distinct.size)


def _gathered(
    points: NDArray[np.float64], weights: NDArray[np.float64], cells: NDArray[np.intp], n_cells: int
) -> Gathered:
    first = np.full(n_cells, len(points))
    first[cells[::-1]] = np.arange(len(points))[::-1]
    in_use = np.flatnonzero(first < len(points))
    in_use = in_use[np.argsort(first[in_use])]
    number = np.empty(n_cells, np.intp)
    number[in_use] = np.arange(in_use.size)
    cells = number[cells]
    total = np.bincount(cells, weights).astype(np.float64, copy=False)
    return Gathered(weighted_means(points, cells, weights), total, cells, np.empty(0, np.intp))
