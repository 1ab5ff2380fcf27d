"""Principal components of the votes, without ever forming the dense matrix.

Filling missing votes with the mean of their column makes the centred matrix sparse: a missing vote becomes 0, and
every column still sums to 0. The components of this sparse residual are therefore exactly those of the filled matrix.

Up to `EXACT_VOTES` votes everything is computed in double precision, to machine precision. Of more votes the residual
is in single precision, and the iteration ends where the components turn by less than a thousandth of a radian.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from clustering_platform.opinions.blocks import (
    block_of,
    cells_of,
    in_parts,
    in_threads,
    row_blocks,
    sparse_rows,
    transposed,
)
from clustering_platform.opinions.matrix import VoteMatrix

N_COMPONENTS = 2
EXACT_VOTES = 2_000_000
DENSE_LIMIT = 32
"""Up to so many voters or items the components come from a dense matrix of that size."""
RANK_TOLERANCE = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 1e-6}
"""A component whose variance is below this share of the largest is rounding error, and becomes zero."""
SIGN_TOLERANCE = 1e-9

Floats = NDArray[np.float64]


class Iteration(NamedTuple):
    """How Lanczos iterates: precision of the products, vectors kept, relative tolerance, most restarts."""

    dtype: Any
    kept: int
    tolerance: float
    restarts: int | None


EXACT = Iteration(np.float64, 20, 0.0, None)
"""To machine precision."""
QUICK = Iteration(np.float32, 10, 1e-5, 100)
"""With fewer vectors than ten, it may end having taken the third component for the second."""


def item_means(matrix: VoteMatrix) -> Floats:
    """Return the mean vote on each item, passes included: float64[items]. Moderated items count as 0 for everybody."""
    disagree, passed, agree = matrix.counts(np.zeros(matrix.shape[0], np.int32), 1)[0].T
    return mean_votes(agree, disagree, agree + passed + disagree, is_moderated_out=matrix.is_moderated_out)


def mean_votes(
    agree: NDArray[np.integer],
    disagree: NDArray[np.integer],
    seen: NDArray[np.integer],
    *,
    is_moderated_out: NDArray[np.bool_],
) -> Floats:
    """Return the mean votes for given counts, each int[items]."""
    return np.where(is_moderated_out, 0.0, (agree - disagree) / np.maximum(seen, 1))


def residual(matrix: VoteMatrix, means: Floats) -> csr_array:
    """Return the votes less the mean of their item, 0 where missing or moderated: sparse [voters, items].

    It is float64 or, for more than `EXACT_VOTES` votes, float32; the columns are those of the matrix, not a copy.
    """
    values = np.empty(matrix.votes.size, np.float64 if matrix.votes.size <= EXACT_VOTES else np.float32)
    subtracted = means.astype(values.dtype)
    is_moderated = bool(matrix.is_moderated_out.any())

    def fill(rows: slice) -> None:
        cells = cells_of(rows, matrix.offsets)
        columns, block = matrix.columns[cells], values[cells]
        np.take(subtracted, columns, out=block, mode="clip")
        np.subtract(matrix.votes[cells], block, out=block)
        if is_moderated:
            block[matrix.is_moderated_out[columns]] = 0.0

    in_threads(fill, row_blocks(matrix.offsets))
    return sparse_rows(values, matrix.columns, matrix.offsets, matrix.shape)


def principal_components(centred: csr_array) -> Floats:
    """Return the first two principal components of a matrix whose columns sum to 0: float64[2, items].

    Rows have length 1, or are all zero where the matrix has a lower rank. Columns without variation have entries of
    exactly 0. The sign of a component is such that its largest entry in magnitude is positive, the first of them where
    several are equal. Polis finds the same components by power iteration, with an arbitrary sign.
    """
    components = np.zeros((N_COMPONENTS, centred.shape[1]))
    if not any(centred.data[cells_of(rows, centred.indptr)].any() for rows in row_blocks(centred.indptr)):
        return components
    variances, vectors = _dense(centred) if min(centred.shape) <= DENSE_LIMIT else _iterative(centred)
    for row in range(min(N_COMPONENTS, variances.size)):
        if variances[row] > RANK_TOLERANCE[centred.dtype] * variances[0]:
            components[row] = _signed(vectors[row])
    return components


def project(centred: csr_array, components: Floats) -> Floats:
    """Return the scalar product of each row with each component: float64[rows, 2]."""
    products = np.empty((centred.shape[0], len(components)))
    factors = components.astype(centred.dtype)

    def fill(rows: slice) -> None:
        block = block_of(rows, centred)
        for axis, factor in enumerate(factors):  # in one product for all, scipy takes ten times as long
            products[rows, axis] = block @ factor

    in_threads(fill, row_blocks(centred.indptr))
    return products


def _iterative(centred: csr_array) -> tuple[Floats, Floats]:
    """Lanczos iteration on v -> R'(Rv), from a fixed start; exactly where the quick one comes to no end."""
    n_items = centred.shape[1]
    for iteration in (EXACT,) if centred.dtype == np.float64 else (QUICK, EXACT):
        varies = np.zeros(n_items, np.bool_)
        product = _gram_product(centred, iteration.dtype, varies)
        rng = np.random.default_rng(0)
        try:
            variances, vectors = eigsh(
                LinearOperator((n_items, n_items), matvec=product, dtype=np.float64),
                k=N_COMPONENTS,
                which="LA",
                v0=rng.standard_normal(n_items),
                rng=rng,
                ncv=iteration.kept,
                tol=iteration.tolerance,
                maxiter=iteration.restarts,
            )
        except ArpackNoConvergence:
            continue
        return variances[::-1], np.where(varies, vectors.T[::-1], 0.0)
    return _dense(centred)


def _gram_product(centred: csr_array, dtype: Any, varies: NDArray[np.bool_]) -> Callable[[Floats], Floats]:
    """Return the function v -> R'(Rv); it marks in `varies` the columns that it finds to be other than zero."""
    blocks = [block_of(rows, centred) for rows in row_blocks(centred.indptr)]
    parts = in_parts([(block, transposed(block)) for block in blocks])

    def product(vector: Floats) -> Floats:
        rounded = vector.ravel().astype(dtype)

        def of_part(part: Sequence[tuple[csr_array, csc_array]]) -> Floats:
            total = np.zeros(centred.shape[1])
            for block, turned in part:
                total += turned @ (block @ rounded)
            return total

        total: Floats = np.sum(in_threads(of_part, parts), axis=0)
        np.logical_or(varies, total, out=varies)
        return total

    return product


def _dense(centred: csr_array) -> tuple[Floats, Floats]:
    """Eigenvectors of the dense R'R or, where there are fewer voters than items, of RR' carried over to the items."""
    by_voter = centred.shape[0] < centred.shape[1]
    if by_voter:
        rows = centred.astype(np.float64)
        gram = (rows @ rows.T).toarray()
    else:
        gram = np.zeros((centred.shape[1], centred.shape[1]))
        for block in row_blocks(centred.indptr):
            rows = block_of(block, centred).astype(np.float64)
            gram += (rows.T @ rows).toarray()
    variances, vectors = np.linalg.eigh(gram)
    variances, vectors = variances[::-1][:N_COMPONENTS], vectors.T[::-1][:N_COMPONENTS]
    if by_voter:
        vectors = vectors @ rows
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float64).tiny)
        return variances, vectors
    return variances, np.where(gram.diagonal() > 0, vectors, 0.0)


def _signed(component: Floats) -> Floats:
    size = np.abs(component)
    largest = int(np.argmax(size >= size.max() * (1 - SIGN_TOLERANCE)))
    return component if component[largest] > 0 else -component
