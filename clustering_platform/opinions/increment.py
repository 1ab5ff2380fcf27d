"""A vote matrix that goes on from a stored one: only the votes that came since are read.

It is the same, bit for bit, as one made of the whole log. Whether a stored matrix fits a log is found out by whoever
looks for one: the log must begin with the votes that it was made of, all of them.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.opinions.gather import (
    SparseRows,
    cell_type,
    close_gaps,
    gather,
    in_parallel,
    n_workers,
    starts_of,
)
from clustering_platform.opinions.log import InMemory, Log, Rows
from clustering_platform.opinions.packing import unpack_piece


@dataclass(frozen=True)
class StoredMatrix:
    """The tables `vote_matrix` (perhaps read piece by piece) and `voted_items`, made of the first rows of a log."""

    vote_matrix: pa.Table | Rows
    voted_items: pa.Table
    log_rows: int


def go_on(stored: StoredMatrix, log: Log, stop: int, voters: pa.Table, items: pa.Table) -> SparseRows | None:
    """Return the last votes in the rows of a log up to `stop`, or None where `stored` does not fit.

    It must not be made of more rows, and must list the same voters and items.
    """
    matrix = InMemory(stored.vote_matrix) if isinstance(stored.vote_matrix, pa.Table) else stored.vote_matrix
    columns = pc.index_in(stored.voted_items["item_id"], items["item_id"].combine_chunks())
    lengths = _lengths(matrix, voters["voter_id"])
    if stored.log_rows > stop or columns.null_count or lengths is None:
        return None
    new = gather(
        log,
        range(stored.log_rows, stop),
        n_voters=voters.num_rows,
        n_items=items.num_rows,
        known_voters=np.arange(lengths.size, dtype=np.int32),
        known_items=columns.to_numpy().astype(np.int32),
    )
    return _merge(matrix, lengths, stored.voted_items, new)


def _lengths(matrix: Rows, voter_ids: pa.ChunkedArray) -> NDArray[np.int64] | None:
    """Return the votes of each voter of a matrix, or None where its voters are not the first of `voter_ids`."""
    lengths, first = [np.zeros(0, np.int64)], 0
    for rows in matrix.batches(["voter_id", "votes_cast"], 0, matrix.num_rows):
        if not pa.chunked_array([rows["voter_id"]]).equals(voter_ids.slice(first, rows.num_rows)):
            return None
        lengths.append(rows["votes_cast"].to_numpy())
        first += rows.num_rows
    return np.concatenate(lengths)


def _merge(matrix: Rows, old_lengths: NDArray[np.int64], old_items: pa.Table, new: SparseRows) -> SparseRows:
    from clustering_platform.opinions.kernels import merge_rows

    n_old, n_rows = old_lengths.size, new.voters.size
    old_starts = starts_of(np.append(old_lengths, np.zeros(n_rows - n_old, np.int64)))
    room = old_starts + new.starts
    cells = np.empty(room[-1], new.cells.dtype)
    lengths = np.zeros(n_rows, np.int32)

    def merge(first: int, stop: int) -> tuple[int, NDArray[np.int64]]:
        replaced, end = np.zeros((new.items.size, 3), np.int64), int(room[first])
        for old in _batches(matrix, first, stop):
            last = first + len(old) if len(old) else stop
            starts = old_starts[first : last + 1] - old_starts[first]
            old_cells = unpack_piece(old, cell_type(old_items.num_rows))
            if old_cells.size != starts[-1]:
                raise ValueError("vote_matrix: the packed votes are not as many as votes_cast says")
            end = merge_rows(
                starts,
                old_cells,
                new.starts[first : last + 1],
                new.cells,
                end,
                cells,
                lengths[first:last],
                replaced,
            )
            first = last
        return end, replaced

    bounds = np.linspace(0, n_rows, n_workers(len(cells)) + 1).astype(int).tolist()
    done = in_parallel(merge, list(itertools.pairwise(bounds)))
    size = close_gaps([(int(room[first]), end) for first, (end, _) in zip(bounds, done, strict=False)], cells)
    counts = new.counts + np.sum([replaced for _, replaced in done], axis=0)
    for column, name in enumerate(("disagree", "pass", "agree")):
        counts[: old_items.num_rows, column] += old_items[name].to_numpy()
    return SparseRows(new.voters, new.items, starts_of(lengths), cells[:size], counts)


def _batches(matrix: Rows, first: int, stop: int) -> Iterator[pa.Array]:
    """Yield the packed votes of the voters of a matrix, then nothing once for those who are new."""
    for rows in matrix.batches(["votes"], first, min(stop, matrix.num_rows)):
        yield rows["votes"]
    yield pa.array([], pa.binary())
