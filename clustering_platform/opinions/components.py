"""Principal components of the votes, without ever forming the dense matrix.

Filling missing votes with the mean of their column makes the centred matrix sparse: a missing vote becomes 0, and
every column still sums to 0. The components of this sparse residual are therefore exactly those of the filled matrix.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from clustering_platform.opinions.matrix import VoteMatrix

N_COMPONENTS = 2
DENSE_LIMIT = 32
"""Up to so many voters or items the components come from a dense matrix of that size."""
RANK_TOLERANCE = 1e-12
"""A component whose variance is below this share of the largest is rounding error, and becomes zero."""
SIGN_TOLERANCE = 1e-9


def item_means(matrix: VoteMatrix) -> NDArray[np.float64]:
    """Return the mean vote on each item, passes included: float64[items]. Moderated items count as 0 for everybody."""
    n_items = matrix.shape[1]
    sums = np.bincount(matrix.columns, weights=matrix.votes, minlength=n_items)
    means: NDArray[np.float64] = sums / np.bincount(matrix.columns, minlength=n_items)
    return np.where(matrix.is_moderated_out, 0.0, means)


def residual(matrix: VoteMatrix, means: NDArray[np.float64]) -> csr_array:
    """Return the votes less the mean of their item, 0 where missing or moderated: float64 sparse [voters, items]."""
    values = matrix.votes - means[matrix.columns]
    values[matrix.is_moderated_out[matrix.columns]] = 0.0
    return csr_array((values, matrix.columns, matrix.offsets), matrix.shape)


def principal_components(centred: csr_array) -> NDArray[np.float64]:
    """Return the first two principal components of a matrix whose columns sum to 0: float64[2, items].

    Rows have length 1, or are all zero where the matrix has a lower rank. Columns without variation have entries of
    exactly 0. The sign of a component is such that its largest entry in magnitude is positive, the first of them where
    several are equal. Polis finds the same components by power iteration, with an arbitrary sign.
    """
    components = np.zeros((N_COMPONENTS, centred.shape[1]))
    if not centred.data.any():
        return components
    varies = np.bincount(centred.indices, np.abs(centred.data), minlength=centred.shape[1]) > 0
    variances, vectors = _dense(centred) if min(centred.shape) <= DENSE_LIMIT else _iterative(centred)
    for row in range(min(N_COMPONENTS, variances.size)):
        if variances[row] > RANK_TOLERANCE * variances[0]:
            components[row] = _signed(np.where(varies, vectors[row], 0.0))
    return components


def variance_shares(centred: csr_array, components: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the variance along each component: float64[2], zeros where nothing varies."""
    total = np.square(centred.data).sum()
    along = np.square(centred @ components.T).sum(axis=0)
    shares: NDArray[np.float64] = along / total if total else np.zeros_like(along)
    return shares


def _iterative(centred: csr_array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lanczos iteration to machine precision on v -> R'(Rv), from a fixed start."""
    n_items = centred.shape[1]
    transposed = centred.T
    operator = LinearOperator((n_items, n_items), matvec=lambda v: transposed @ (centred @ v), dtype=np.float64)
    rng = np.random.default_rng(0)
    try:
        variances, vectors = eigsh(operator, k=N_COMPONENTS, which="LA", v0=rng.standard_normal(n_items), rng=rng)
    except ArpackNoConvergence:
        return _dense(centred)
    return variances[::-1], vectors.T[::-1]


def _dense(centred: csr_array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eigenvectors of the dense R'R or, where there are fewer voters than items, of RR' carried over to the items."""
    by_voter = centred.shape[0] < centred.shape[1]
    gram = (centred @ centred.T if by_voter else centred.T @ centred).toarray()
    variances, vectors = np.linalg.eigh(gram)
    variances, vectors = variances[::-1][:N_COMPONENTS], vectors.T[::-1][:N_COMPONENTS]
    if by_voter:
        vectors = vectors @ centred
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return variances, vectors


def _signed(component: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.abs(component)
    largest = int(np.argmax(size >= size.max() * (1 - SIGN_TOLERANCE)))
    return component if component[largest] > 0 else -component
