"""How well topics are told apart: exact silhouettes on cosine distance."""

import itertools

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.reduction import Floats

_BLOCK = 8192


def mean_vectors(vectors: Floats, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean vector of each label 0, 1, ...; negative labels are left out. Lengths are below one."""
    count = int(labels.max()) + 1
    order = np.argsort(labels, kind="stable")
    bounds = np.searchsorted(labels[order], np.arange(count + 1))
    return np.stack(
        [vectors[order[start:end]].mean(axis=0, dtype=np.float64) for start, end in itertools.pairwise(bounds)]
    )


def unit_rows(matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the rows scaled to length one; rows of zeros stay."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    scaled: NDArray[np.float64] = np.divide(matrix, lengths, out=np.zeros(matrix.shape), where=lengths > 0)
    return scaled


def mean_silhouette(vectors: Floats, labels: NDArray[np.int64], others: NDArray[np.float64] | None = None) -> float:
    """Return the mean of `silhouettes`; 0 where there are no vectors."""
    widths = silhouettes(vectors, labels, others)
    return float(widths.mean()) if len(widths) else 0.0


def silhouettes(
    vectors: Floats, labels: NDArray[np.int64], others: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the silhouette (Rousseeuw 1987) of each vector of length one under cosine distance.

    The mean cosine distance from a vector to a set is one minus its product with the mean vector of the set, so the
    exact value takes n x k products instead of n x n distances.

    Parameters
    ----------
    vectors
        Array of shape (n, d) with rows of length one.
    labels
        Array of shape (n,): the cluster 0, 1, ... of each.
    others
        Mean vectors, shape (m, d), of clusters beside these, to which vectors may lie nearer.

    Returns
    -------
    Array of shape (n,), between -1 and 1; 0 where there is one cluster only and nothing beside it, and for a vector
    that is alone in its cluster.
    """
    if not len(vectors):
        return np.zeros(0)
    means = mean_vectors(vectors, labels)
    beside = means if others is None else np.concatenate([means, others])
    sizes = np.bincount(labels)
    widths = np.zeros(len(labels))
    if len(beside) < 2:
        return widths
    for start in range(0, len(labels), _BLOCK):
        block = slice(start, start + _BLOCK)
        widths[block] = _widths(vectors[block] @ beside.T, labels[block], sizes[labels[block]])
    return widths


def _widths(
    similarity: NDArray[np.float64], labels: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.float64]:
    rows = np.arange(len(labels))
    own = (similarity[rows, labels] * sizes - 1) / np.maximum(sizes - 1, 1)
    similarity[rows, labels] = -np.inf
    inside, outside = np.maximum(1 - own, 0), np.maximum(1 - similarity.max(axis=1), 0)
    largest = np.maximum(inside, outside)
    widths = np.divide(outside - inside, largest, out=np.zeros(len(rows)), where=largest > 0)
    return np.where(sizes > 1, widths, 0)
