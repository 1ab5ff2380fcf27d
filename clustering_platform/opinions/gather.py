"""From the log of votes to sparse rows: who voted on what last, in two passes over the log, on all processors.

The first pass counts the votes of each voter, the second puts each vote at its place; what is superseded then goes
row by row. Beside the result there are never more than a few batches of the log in memory.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from clustering_platform.opinions.log import Log
from clustering_platform.opinions.threads import cores, in_threads

NARROW = 2**14
"""Up to so many columns, a column and a vote on it take 2 bytes, else 4."""
SMALL = 2**31
"""Below so many votes, places among them take 4 bytes."""
NONE = np.empty(0, np.int32)
_ROWS_EACH = 500_000
_MOST_WORKERS = 8
_LOWEST = {"vote": -1}

_T = TypeVar("_T")


@dataclass(frozen=True)
class SparseRows:
    """The last votes: those of voter i are ``cells[starts[i]:starts[i + 1]]``, ascending.

    Attributes
    ----------
    voters, items : int32[rows], int32[columns]
        Numbers in the log of the voters of the rows and the items of the columns.
    starts : int64[rows + 1]
    cells : uint16[votes] or uint32[votes]
        ``4 * column + vote + 1``.
    counts : int64[columns, 3]
        How many disagreed, passed and agreed.
    """

    voters: NDArray[np.int32]
    items: NDArray[np.int32]
    starts: NDArray[np.int64]
    cells: NDArray[np.unsignedinteger[Any]]
    counts: NDArray[np.int64]


def gather(
    log: Log,
    rows: range,
    *,
    n_voters: int,
    n_items: int,
    known_voters: NDArray[np.int32] = NONE,
    known_items: NDArray[np.int32] = NONE,
) -> SparseRows:
    """Return the last votes in some rows of a log; voters and items stand in order of their first vote in them.

    Parameters
    ----------
    n_voters, n_items
        Numbers in the log are below these.
    known_voters, known_items : int32
        Numbers that come before all others, whether or not they are in the rows.

    Raises
    ------
    ValueError
        The log names voters or items beyond these numbers, or votes that are none.
    """
    from clustering_platform.opinions.kernels import keep_last

    parts = _split(rows)
    counts, voters = _count(log, parts, n_voters=n_voters, known=known_voters)
    starts = starts_of(np.sum(counts, axis=0)[voters])
    cells, first_rows = _place(log, parts, counts, voters=voters, starts=starts, n_items=n_items)
    items = _in_order(first_rows, known_items)
    positions = np.zeros(n_items, np.int32)
    positions[items] = np.arange(items.size)
    kind = cell_type(items.size)
    kept = cells if cells.dtype == kind else np.empty(len(rows), kind)
    lengths = np.zeros(voters.size, np.int32)

    def keep(first: int, stop: int) -> tuple[int, NDArray[np.int64]]:
        of_columns = np.zeros((items.size, 3), np.int64)
        end = keep_last(cells, starts, positions, first, stop, kept, lengths, of_columns)
        return end, of_columns

    bounds = np.searchsorted(starts, np.linspace(0, len(rows), len(parts) + 1))
    bounds[-1] = voters.size
    done = in_parallel(keep, list(itertools.pairwise(bounds.tolist())))
    filled = [(int(starts[first]), end) for first, (end, _) in zip(bounds[:-1], done, strict=True)]
    size = close_gaps(filled, kept)
    of_columns = np.sum([counts for _, counts in done], axis=0)
    return SparseRows(voters, items, starts_of(lengths), kept[:size], of_columns)


def starts_of(lengths: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return where each of some rows of these lengths starts, and where the last one ends: int64[rows + 1]."""
    starts = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


def in_parallel(function: Callable[..., _T], arguments: Sequence[tuple[Any, ...]]) -> list[_T]:
    """Return the results of calls with some arguments, made at once."""
    return in_threads(lambda given: function(*given), arguments)


def n_workers(work: int) -> int:
    """Return how many threads are to share so many votes."""
    return max(1, min(cores(), _MOST_WORKERS, work // _ROWS_EACH))


def cell_type(n_columns: int) -> np.dtype[np.unsignedinteger[Any]]:
    """Return the type of the cells of a matrix of so many columns."""
    return np.dtype(np.uint16 if n_columns <= NARROW else np.uint32)


def close_gaps(filled: Sequence[tuple[int, int]], array: NDArray[Any]) -> int:
    """Move the filled stretches (start, stop) of an array together; return where the last one ends."""
    end = 0
    for start, stop in filled:
        if start > end:
            array[end : end + stop - start] = array[start:stop]
        end += stop - start
    return end


def _split(rows: range) -> list[range]:
    """Return consecutive parts of some rows, one for each worker."""
    bounds = np.linspace(rows.start, rows.stop, n_workers(len(rows)) + 1).astype(int).tolist()
    return [range(*bound) for bound in itertools.pairwise(bounds)]


def _count(
    log: Log, parts: Sequence[range], *, n_voters: int, known: NDArray[np.int32]
) -> tuple[list[NDArray[np.int32]], NDArray[np.int32]]:
    """Return the votes of each voter in each part (int32[n_voters]), and the voters in order of their first vote."""
    from clustering_platform.opinions.kernels import count_votes

    def count(part: range) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        counts, order, n_seen = np.zeros(n_voters, np.int32), np.empty(n_voters, np.int32), 0
        for (voters,) in _arrays(log, part, voter_number=n_voters):
            n_seen = count_votes(voters, counts, order, n_seen)
        return counts, order[:n_seen]

    counted = in_parallel(count, [(part,) for part in parts])
    is_new, voters = np.ones(n_voters, np.bool_), []
    for order in (known, *(order for _, order in counted)):
        voters.append(order[is_new[order]])
        is_new[order] = False
    return [counts for counts, _ in counted], np.concatenate(voters)


def _place(
    log: Log,
    parts: Sequence[range],
    counts: Sequence[NDArray[np.int32]],
    *,
    voters: NDArray[np.int32],
    starts: NDArray[np.int64],
    n_items: int,
) -> tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.int64]]:
    """Return the votes, packed, by voter in order of the log, and the row in which each item comes first, or -1."""
    from clustering_platform.opinions.kernels import place_votes

    cells = np.empty(starts[-1], cell_type(n_items))
    n_voters = len(counts[0])
    places: list[NDArray[Any]] = [np.zeros(n_voters, np.int32 if starts[-1] < SMALL else np.int64)]
    places[0][voters] = starts[:-1]
    for votes_cast in counts[:-1]:
        places.append(places[-1] + votes_cast)

    def put(part: range, places: NDArray[Any]) -> NDArray[np.int64]:
        first_rows, row = np.full(n_items, -1, np.int64), part.start
        for numbers, items, votes in _arrays(log, part, voter_number=n_voters, item_number=n_items, vote=2):
            place_votes(numbers, items, votes, places, cells, first_rows, row)
            row += votes.size
        return first_rows

    found = np.array(in_parallel(put, list(zip(parts, places, strict=True))))
    return cells, np.where(found < 0, np.iinfo(np.int64).max, found).min(axis=0)


def _in_order(first_rows: NDArray[np.int64], known: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the items that come in some row, those known first, then by the row in which they come first."""
    order = np.argsort(first_rows, kind="stable").astype(np.int32)
    met = order[: int((first_rows < np.iinfo(np.int64).max).sum())]
    return np.concatenate([known, met[~np.isin(met, known)]])


def _arrays(log: Log, rows: range, **limits: int) -> Iterator[list[NDArray[Any]]]:
    """Yield some columns of some rows, a batch at a time, after a look whether values lie below their limits."""
    for batch in log.batches(list(limits), rows.start, rows.stop):
        arrays = [batch[column].to_numpy() for column in limits]
        for (column, limit), array in zip(limits.items(), arrays, strict=True):
            if not _LOWEST.get(column, 0) <= array.min() <= array.max() < limit:
                raise ValueError(f"votes: {column} has values that are not below {limit}; ingest the dataset again")
        yield arrays
