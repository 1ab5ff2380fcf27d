"""Passes over all votes of a matrix, shared among the cores; beside their results they take hardly any memory.

What is done with the results belongs in the modules that ask for them, the loops themselves in ``kernels``.
"""

import functools
import operator

import numpy as np
from numpy.typing import NDArray

from clustering_platform.opinions.matrix import VoteMatrix
from clustering_platform.opinions.threads import PARTS, cores, in_threads, parts_of

Floats = NDArray[np.float64]
_ALL_ONE, _ALL_ONCE = np.empty(0), np.empty(0, np.int64)


def gram_product(matrix: VoteMatrix, vectors: Floats, *, means: Floats, weights: Floats | None = None) -> Floats:
    """Return R'WR times two vectors, where R are the votes less the mean of their item and 0 where there is none.

    Parameters
    ----------
    matrix
        Votes of voters on items.
    vectors : float64[items, 2]
    means : float64[items]
    weights : float64[voters], optional
        Diagonal of W; 1 by default.

    Returns
    -------
    float64[items, 2]
    """
    from clustering_platform.opinions.kernels import add_gram

    vectors, weights = np.ascontiguousarray(vectors), _ALL_ONE if weights is None else weights

    def add(part: tuple[int, int]) -> Floats:
        total = np.zeros(vectors.shape)
        add_gram(matrix.starts, matrix.cells, *part, means, weights, vectors, total)
        return total

    total: Floats = np.sum(in_threads(add, parts_of(matrix.starts)), axis=0)
    return total


def vote_sums(matrix: VoteMatrix, figures: Floats, *, voters: slice = slice(None)) -> Floats:
    """Add up, for each voter, the figures of the votes that the voter cast.

    Parameters
    ----------
    matrix
        Votes of voters on items.
    figures : float64[items, 3, k]
        k figures of each item and vote: disagree, pass, agree.
    voters
        Which voters; all by default.

    Returns
    -------
    float64[voters, k]
    """
    from clustering_platform.opinions.kernels import add_figures

    first, stop, _ = voters.indices(matrix.shape[0])
    starts = matrix.starts[first : stop + 1]
    by_cell = np.pad(figures, ((0, 0), (0, 1), (0, 0))).reshape(-1, figures.shape[-1])
    sums = np.zeros((stop - first, figures.shape[-1]))

    def add(part: tuple[int, int]) -> None:
        add_figures(starts, matrix.cells, *part, by_cell, sums)

    in_threads(add, parts_of(starts))
    return sums


def count_votes(
    matrix: VoteMatrix,
    clusters: NDArray[np.int32] | None = None,
    n_clusters: int = 1,
    *,
    times: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Count the votes of each cluster on each item.

    Parameters
    ----------
    matrix
        Votes of voters on items.
    clusters : int32[voters], optional
        Cluster of each voter, negative for none; by default all are in one.
    n_clusters
        Number of clusters.
    times : int64[voters], optional
        How often each voter counts; once by default.

    Returns
    -------
    int64[n_clusters, items, 3]
        How many disagreed, passed and agreed.
    """
    from clustering_platform.opinions.kernels import add_counts

    clusters = np.zeros(matrix.shape[0], np.int32) if clusters is None else clusters
    times = _ALL_ONCE if times is None else times

    def add(part: tuple[int, int]) -> NDArray[np.int64]:
        counts = np.zeros((n_clusters, 4 * matrix.shape[1]), np.int64)
        add_counts(matrix.starts, matrix.cells, *part, clusters, times, counts)
        return counts

    parts = parts_of(matrix.starts, min(cores(), PARTS))  # each has counts of its own
    counts = functools.reduce(operator.iadd, in_threads(add, parts))
    return counts.reshape(n_clusters, matrix.shape[1], 4)[..., :3]
