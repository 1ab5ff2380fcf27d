"""Sums over votes of a figure that belongs to an item and a vote, as one sparse product.

What the figures mean belongs in the modules that use them.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from clustering_platform.opinions.matrix import VoteMatrix

VOTERS_AT_A_TIME = 50_000


def vote_sums(matrix: VoteMatrix, figures: NDArray[np.float64]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Add up, for each voter, the figures of the votes that the voter cast.

    Parameters
    ----------
    matrix
        Votes of voters on items.
    figures : float64[items, 3, k]
        k figures of each item and vote: disagree, pass, agree.

    Yields
    ------
    rows : slice
        So many voters at a time that nothing as long as the votes is held.
    sums : float64[voters in rows, k]
    """
    n_voters, n_items = matrix.shape
    of_cells = figures.reshape(3 * n_items, figures.shape[-1])
    ones = np.ones(int(np.diff(matrix.offsets[[*range(0, n_voters, VOTERS_AT_A_TIME), n_voters]]).max(initial=0)))
    for start in range(0, n_voters, VOTERS_AT_A_TIME):
        rows = slice(start, min(start + VOTERS_AT_A_TIME, n_voters))
        first, last = int(matrix.offsets[rows.start]), int(matrix.offsets[rows.stop])
        cells = matrix.columns[first:last] * np.int32(3)
        cells += matrix.votes[first:last]
        cells += 1
        offsets = (matrix.offsets[rows.start : rows.stop + 1] - first).astype(np.int32)
        shape = (rows.stop - rows.start, 3 * n_items)
        yield rows, csr_array((ones[: cells.size], cells, offsets), shape) @ of_cells
