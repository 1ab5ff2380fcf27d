"""Fewer dimensions: the layouts that the map and the tree are made from.

Distances, UMAP and principal axes belong here; what is read out of a layout belongs in ``projection`` and ``tree``.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.compiled import keep_compiled

if TYPE_CHECKING:
    from clustering_platform.semantics.neighbours import Neighbours

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

CLUSTERING_DIMENSIONS = 5
CLUSTERING_STEPS = 50


def on_one_thread() -> AbstractContextManager[object]:
    """Return a context in which the loops of scikit-learn use one thread.

    Several threads of k-means add their sums in the order in which they end, so that centres differ in their last
    digits from run to run; and they take fifty times the CPU for the small steps of mini-batches.
    """
    from threadpoolctl import threadpool_limits

    context: AbstractContextManager[object] = threadpool_limits(1, user_api="openmp")
    return context


def distinct_rows(vectors: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return the distinct rows in an order of their own and, for each row given, its place among them.

    Their order does not depend on the order given, so neither does anything made from them. UMAP needs this too: even
    with a seed, its layouts differ from run to run where rows repeat.
    """
    rows, inverse = np.unique(vectors, axis=0, return_inverse=True)
    return rows, inverse.reshape(-1)


def neighbour_count(points: int) -> int:
    """Return the number of neighbours for UMAP: the square root of the points, at least 5 and at most 15.

    Measured as the mean adjusted mutual information of the tree on mixtures of 40 to 300 labelled sentences:
    .883, against .878 with always 15 and .856 with always 5.
    """
    return min(15, max(5, round(math.sqrt(points))))


def graph_layout(
    points: Floats,
    neighbours: Neighbours,
    *,
    dimensions: int = CLUSTERING_DIMENSIONS,
    steps: int | None = CLUSTERING_STEPS,
    spread: float = 0.0,
    start: Literal["spectral", "pca"] = "spectral",
    seed: int,
) -> Floats:
    """Lay out distinct points with UMAP, from neighbours that are known.

    The defaults are those for clustering. A quarter of UMAP's usual steps: clusters of the layout are the same within
    .005 of adjusted mutual information (CLINC150, Banking77) from 50 steps on.

    Parameters
    ----------
    points
        Array of shape (n, d) with distinct rows; n is at least 10 and larger than `dimensions` + 2.
    steps
        Passes over the graph; None: as many as UMAP thinks right.
    spread
        Smallest distance between points of the layout (`min_dist`); 0 for clustering.
    start
        Where points begin: at the first eigenvectors of their graph, as UMAP does, or on their principal axes, which
        takes a fraction of the time.

    Returns
    -------
    Array of shape (n, dimensions); the same bytes for the same input.
    """
    import warnings

    from umap import UMAP

    keep_compiled("umap")
    itself = np.arange(len(points), dtype=np.int32)[:, None]
    rows = np.concatenate([itself, neighbours.rows], axis=1)
    distance = np.concatenate([np.zeros((len(points), 1), np.float32), 1 - neighbours.similarity], axis=1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="precomputed_knn")
        warnings.filterwarnings("ignore", message="n_jobs value")
        reducer = UMAP(
            n_neighbors=rows.shape[1],
            n_components=dimensions,
            n_epochs=steps,
            min_dist=spread,
            metric="cosine",
            init=start if points.shape[1] > dimensions else "random",
            random_state=seed,
            precomputed_knn=(rows, distance, None),
            n_jobs=1,
        )
        return np.asarray(reducer.fit_transform(points), dtype=np.float32)


def principal_layout(points: Floats, *, dimensions: int) -> Floats:
    """Lay out points on their principal axes; axes that they do not have are zero.

    The sign of an axis is chosen such that its largest weight is positive.
    """
    centred = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:dimensions]
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    layout = np.zeros((len(points), dimensions))
    layout[:, : len(axes)] = centred @ axes.T
    return layout.astype(np.float32)
