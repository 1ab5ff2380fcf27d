"""Work shared among the cores.

Pieces are cut, and results come, in an order that depends on the votes alone, so that no figure depends on the machine.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

PARTS = 8
"""Into so many parts rows are divided where what is found in them is added up: as many cores can take part."""
VOTES_IN_A_PART = 2**18
"""A part has at least so many votes: fewer are done sooner than shared out."""

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def parts_of(starts: NDArray[np.integer], n_parts: int = PARTS) -> list[tuple[int, int]]:
    """Divide rows into at most so many parts, (first row, last row + 1), of about equally many votes each.

    Parameters
    ----------
    starts : int[rows + 1]
        Where each row begins, and where the last one ends.
    """
    n_parts = max(1, min(n_parts, int(starts[-1] - starts[0]) // VOTES_IN_A_PART))
    inner = np.searchsorted(starts, np.linspace(starts[0], starts[-1], n_parts + 1)[1:-1])
    return list(pairwise(np.unique([0, *inner, starts.size - 1]).tolist())) or [(0, 0)]


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
