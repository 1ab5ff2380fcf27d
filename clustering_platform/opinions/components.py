"""Principal components of the votes, without ever forming the dense matrix.

Filling missing votes with the mean of their column makes the centred matrix sparse: a missing vote becomes 0, and
every column still sums to 0. The components of this sparse residual R are therefore exactly those of the filled matrix.
They are eigenvectors of R'R, and are found among few vectors v, R'Rv, R'RR'Rv, ... (block Lanczos iteration), each of
which takes one pass over the votes.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustering_platform.opinions.matrix import VoteMatrix
from clustering_platform.opinions.passes import count_votes, gram_product, vote_sums

N_COMPONENTS = 2
DENSE_LIMIT = 32
"""Up to so many items, R'R is formed as it is."""
EXACT_VOTES = 2_000_000
MOST_VECTORS = 600
"""Among more vectors than these nothing is looked for: components that alike could be any."""
RANK_TOLERANCE = 1e-12
"""A component whose variance is below this share of the largest is rounding error, and becomes zero."""
SIGN_TOLERANCE = 1e-9

Floats = NDArray[np.float64]


class Accuracy(NamedTuple):
    """When iteration ends: where components turn by less than `angle` (radians), or `rest` is all that is missing.

    The rest is what the matrix adds to a component beside lengthening it, as a share of the largest variance. Divided
    by the distance of its variance to the next, it is the angle. Source: Davis and Kahan 1970.
    """

    angle: float
    rest: float


EXACT, QUICK = Accuracy(0.0, 1e-13), Accuracy(2e-4, 1e-8)


def item_means(matrix: VoteMatrix, *, times: NDArray[np.int64] | None = None) -> Floats:
    """Return the mean vote on each item, passes included: float64[items]. Moderated items count as 0 for everybody.

    Parameters
    ----------
    matrix
        Votes of voters on items.
    times : int64[voters], optional
        How often each voter counts; once by default.
    """
    disagree, passed, agree = count_votes(matrix, times=times)[0].T
    return mean_votes(agree, disagree, agree + passed + disagree, is_moderated_out=matrix.is_moderated_out)


def mean_votes(
    agree: NDArray[np.integer],
    disagree: NDArray[np.integer],
    seen: NDArray[np.integer],
    *,
    is_moderated_out: NDArray[np.bool_],
) -> Floats:
    """Return the mean votes for given counts, each int[items]; 0 where there are none."""
    return np.where(is_moderated_out, 0.0, (agree - disagree) / np.maximum(seen, 1))


def principal_components(
    matrix: VoteMatrix, means: Floats, *, weights: Floats | None = None, accuracy: Accuracy | None = None
) -> Floats:
    """Return the first two principal components of the votes: float64[2, items].

    Rows have length 1, or are all zero where the matrix has a lower rank. Items without variation have entries of
    exactly 0. The sign of a component is such that its largest entry in magnitude is positive, the first of them where
    several are equal. Polis finds the same components by power iteration, with an arbitrary sign.

    Parameters
    ----------
    matrix
        Votes of voters on items.
    means : float64[items]
        Mean vote on each item; see `item_means`.
    weights : float64[voters], optional
        What each voter counts; 1 by default.
    accuracy
        By default `EXACT` up to `EXACT_VOTES` votes and `QUICK` beyond.
    """
    n_items = matrix.shape[1]
    components, varies = np.zeros((N_COMPONENTS, n_items)), np.zeros(n_items, np.bool_)
    kept = ~matrix.is_moderated_out

    def product(vectors: Floats) -> Floats:
        pairs = [vectors[row : row + 2] for row in range(0, len(vectors), 2)]
        products = [
            gram_product(matrix, _two_columns(pair * kept), means=means, weights=weights).T[: len(pair)]
            for pair in pairs
        ]
        images = np.concatenate(products) * kept
        np.logical_or(varies, images.any(axis=0), out=varies)
        return images

    if matrix.cells.size:
        if accuracy is None:
            accuracy = EXACT if matrix.cells.size <= EXACT_VOTES else QUICK
        variances, vectors = _largest(product, _start(n_items), accuracy)
        for row, vector in enumerate(np.where(varies, vectors, 0.0)):
            if variances[row] > RANK_TOLERANCE * variances[0]:
                components[row] = _signed(vector / np.linalg.norm(vector))
    return components


def project(matrix: VoteMatrix, *, means: Floats, components: Floats) -> Floats:
    """Return the scalar product of each voter's votes, less the means, with each component: float64[voters, 2]."""
    centred = np.arange(-1, 2) - means[:, np.newaxis]
    centred[matrix.is_moderated_out] = 0.0
    return vote_sums(matrix, centred[:, :, np.newaxis] * components.T[:, np.newaxis])


def _largest(product: Callable[[Floats], Floats], start: Floats, accuracy: Accuracy) -> tuple[Floats, Floats]:
    """Return the largest eigenvalues of a symmetric matrix, descending, and its eigenvectors as rows.

    `product` multiplies rows by the matrix, `start` are orthonormal rows to begin with.
    """
    basis, images = start, product(start)
    most, judged = min(start.shape[1], MOST_VECTORS), 0
    while True:
        if len(basis) >= judged:
            values, mixes = np.linalg.eigh(basis @ images.T)
            values, mixes = values[::-1], mixes.T[::-1][:N_COMPONENTS]
            vectors = mixes @ basis
            rest = np.linalg.norm(mixes @ images - values[:N_COMPONENTS, np.newaxis] * vectors, axis=1)
            gaps = np.append(-np.diff(values), 0.0)[:N_COMPONENTS]
            if len(basis) == most or (rest <= np.maximum(accuracy.angle * gaps, accuracy.rest * values[0])).all():
                return values[:N_COMPONENTS], vectors
            judged = min(len(basis) + 2 + len(basis) // 16, most)
        new = _orthonormal(images[-2:][: most - len(basis)], basis)
        basis, images = np.concatenate([basis, new]), np.concatenate([images, product(new)])


def _start(n_items: int) -> Floats:
    """Return the rows to begin with: all of the space where it is small, otherwise two that are always the same."""
    if n_items <= DENSE_LIMIT:
        return np.eye(n_items)
    drawn = np.random.default_rng(0).standard_normal((n_items, N_COMPONENTS))
    return np.linalg.qr(drawn)[0].T


def _orthonormal(rows: Floats, basis: Floats) -> Floats:
    """Return orthonormal rows that span, together with the `basis`, what the rows do."""
    for _ in range(2):  # once leaves rounding errors
        rows = np.linalg.qr((rows - (rows @ basis.T) @ basis).T)[0].T
    return rows


def _two_columns(rows: Floats) -> Floats:
    return np.concatenate([rows, np.zeros((2 - len(rows), rows.shape[1]))]).T


def _signed(component: Floats) -> Floats:
    size = np.abs(component)
    largest = int(np.argmax(size >= size.max() * (1 - SIGN_TOLERANCE)))
    return component if component[largest] > 0 else -component
