"""How well topics are told apart: exact silhouettes on cosine distance."""

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.reduction import Floats


def mean_vectors(vectors: Floats, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean vector of each label 0, 1, ...; negative labels are left out. Lengths are below one."""
    count = int(labels.max()) + 1
    sums = np.zeros((count, vectors.shape[1]))
    for label in range(count):
        sums[label] = vectors[labels == label].mean(axis=0, dtype=np.float64)
    return sums


def unit_rows(matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the rows scaled to length one; rows of zeros stay."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    scaled: NDArray[np.float64] = np.divide(matrix, lengths, out=np.zeros(matrix.shape), where=lengths > 0)
    return scaled


def mean_silhouette(vectors: Floats, labels: NDArray[np.int64], others: NDArray[np.float64] | None = None) -> float:
    """Return the mean silhouette (Rousseeuw 1987) of vectors of length one under cosine distance.

    The mean cosine distance from a vector to a set is one minus its product with the mean vector of the set, so the
    exact value takes n x k products instead of n x n distances.

    Parameters
    ----------
    vectors
        Array of shape (n, d) with rows of length one.
    labels
        Array of shape (n,): the cluster 0, 1, ... of each; negative ones do not count at all.
    others
        Mean vectors, shape (m, d), of clusters beside these, to which vectors may lie nearer.

    Returns
    -------
    Mean over the vectors that count, between -1 and 1; 0 where there is one cluster only and nothing beside it.
    """
    vectors, labels = vectors[labels >= 0], labels[labels >= 0]
    means = mean_vectors(vectors, labels)
    beside = means if others is None else np.concatenate([means, others])
    if len(beside) < 2:
        return 0.0
    sizes = np.bincount(labels)[labels]
    rows = np.arange(len(labels))
    similarity = vectors @ beside.T
    own = (similarity[rows, labels] * sizes - 1) / np.maximum(sizes - 1, 1)
    similarity[rows, labels] = -np.inf
    inside, outside = np.maximum(1 - own, 0), np.maximum(1 - similarity.max(axis=1), 0)
    largest = np.maximum(inside, outside)
    widths = np.divide(outside - inside, largest, out=np.zeros(len(rows)), where=largest > 0)
    return float(np.where(sizes > 1, widths, 0).mean())
