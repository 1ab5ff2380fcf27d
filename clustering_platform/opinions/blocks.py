"""Many votes at a time: rows cut into blocks that fit the caches, and blocks shared among the cores.

Where rows are cut depends on the votes alone and results come in the order of the blocks, so that no figure depends on
the machine. What is computed on a block belongs with what it is computed for.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

VOTES_AT_A_TIME = 1 << 19
PARTS = 8
"""Into so many runs the blocks are divided where their results are added up: as many cores can take part."""

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def row_blocks(offsets: NDArray[np.integer], *, votes: int | None = None) -> list[slice]:
    """Cut rows into blocks.

    Parameters
    ----------
    offsets : int[rows + 1]
        Where each row begins, from 0, and where the last one ends.
    votes
        How many votes a block has, about: whole rows until there are as many. Default: `VOTES_AT_A_TIME`.
    """
    n_rows, n_votes = offsets.size - 1, int(offsets[-1])
    starts = np.searchsorted(offsets, np.arange(0, n_votes, votes or VOTES_AT_A_TIME))
    edges = np.unique(np.concatenate([[0], starts, [n_rows]])).tolist()
    return [slice(start, stop) for start, stop in pairwise(edges)]


def cells_of(rows: slice, offsets: NDArray[np.integer]) -> slice:
    """Return where the votes of a block of rows lie."""
    return slice(int(offsets[rows.start]), int(offsets[rows.stop]))


def sparse_rows(
    values: NDArray[Any], columns: NDArray[np.int32], offsets: NDArray[np.integer], shape: tuple[int, int]
) -> csr_array:
    """Return a sparse matrix in compressed row form; below 2^31 values, nothing but the offsets is copied."""
    if values.size <= np.iinfo(np.int32).max:
        offsets = offsets.astype(np.int32, copy=False)  # of 64 bits, they would have the columns copied to 64 bits
    return csr_array((values, columns, offsets), shape)


def block_of(rows: slice, matrix: csr_array) -> csr_array:
    """Return a block of rows of a sparse matrix; values and columns are not copied."""
    cells = cells_of(rows, matrix.indptr)
    block = csr_array((rows.stop - rows.start, matrix.shape[1]), dtype=matrix.dtype)
    block.data, block.indices = matrix.data[cells], matrix.indices[cells]  # given to csr_array, they would be copied
    block.indptr = (matrix.indptr[rows.start : rows.stop + 1] - cells.start).astype(matrix.indices.dtype)
    return block


def transposed(block: csr_array) -> csc_array:
    """Return the transpose of a sparse matrix; nothing is copied."""
    turned = csc_array(block.shape[::-1], dtype=block.dtype)
    turned.data, turned.indices, turned.indptr = block.data, block.indices, block.indptr
    return turned


def in_parts(blocks: Sequence[Piece]) -> list[Sequence[Piece]]:
    """Divide blocks into at most `PARTS` runs of about equal length."""
    edges = np.linspace(0, len(blocks), min(PARTS, len(blocks)) + 1).astype(int).tolist()
    return [blocks[start:stop] for start, stop in pairwise(edges)]


def in_threads(function: Callable[[Piece], Result], pieces: Sequence[Piece]) -> list[Result]:
    """Return what `function` gives for each piece, in their order, computed by as many threads as there are cores."""
    workers = min(len(pieces), cores())
    if workers < 2:
        return [function(piece) for piece in pieces]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, pieces))


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
