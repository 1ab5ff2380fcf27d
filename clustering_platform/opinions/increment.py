"""A vote matrix that goes on from a stored one: only the votes that came since are read.

It is the same, bit for bit, as one made of the whole log. Whether a stored matrix fits a log is found out by whoever
looks for one: the log must begin with the votes that it was made of, all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.opinions.gather import WIDE, SparseRows, close_gaps, gather, in_parallel, n_workers, starts_of
from clustering_platform.opinions.log import Log
from clustering_platform.opinions.packing import unpack_piece


@dataclass(frozen=True)
class StoredMatrix:
    """The tables `vote_matrix` and `voted_items`, made of the first `log_rows` rows of a log."""

    vote_matrix: pa.Table
    voted_items: pa.Table
    log_rows: int


def go_on(stored: StoredMatrix, log: Log, stop: int, voters: pa.Table, items: pa.Table) -> SparseRows | None:
    """Return the last votes in the rows of a log up to `stop`, or None where `stored` lists other voters or items."""
    n_voters = stored.vote_matrix.num_rows
    columns = pc.index_in(stored.voted_items["item_id"], items["item_id"].combine_chunks())
    if columns.null_count or not stored.vote_matrix["voter_id"].equals(voters["voter_id"].slice(0, n_voters)):
        return None
    new = gather(
        log,
        range(stored.log_rows, stop),
        n_voters=voters.num_rows,
        n_items=items.num_rows,
        known_voters=np.arange(n_voters, dtype=np.int32),
        known_items=columns.to_numpy().astype(np.int32),
    )
    return _merge(stored, new)


def _merge(stored: StoredMatrix, new: SparseRows) -> SparseRows:
    from clustering_platform.opinions.kernels import merge_rows

    n_rows, n_columns = new.voters.size, new.items.size
    old_lengths = np.zeros(n_rows, np.int64)
    old_lengths[: stored.vote_matrix.num_rows] = stored.vote_matrix["votes_cast"].to_numpy()
    old_starts = starts_of(old_lengths)
    room = old_starts + new.starts
    columns, votes = np.empty(room[-1], new.columns.dtype), np.empty(room[-1], np.int8)
    lengths = np.zeros(n_rows, np.int32)

    def merge(
        first: int, stop: int, old_columns: NDArray[Any], old_votes: NDArray[np.int8]
    ) -> tuple[int, NDArray[np.int64]]:
        replaced = np.zeros((n_columns, 3), np.int64)
        end: int = merge_rows(
            old_starts[first : stop + 1] - old_starts[first],
            old_columns,
            old_votes,
            new.starts[first : stop + 1],
            new.columns,
            new.votes,
            int(room[first]),
            columns,
            votes,
            lengths[first:stop],
            replaced,
        )
        return end, replaced

    pieces = list(_pieces(stored, n_rows, at_most=n_rows // n_workers(len(columns)) + 1))
    done = in_parallel(merge, pieces)
    filled = [(int(room[first]), end) for (first, *_), (end, _) in zip(pieces, done, strict=True)]
    size = close_gaps(filled, columns, votes)
    counts = new.counts + np.sum([replaced for _, replaced in done], axis=0)
    for column, name in enumerate(("disagree", "pass", "agree")):
        counts[: stored.voted_items.num_rows, column] += stored.voted_items[name].to_numpy()
    return SparseRows(new.voters, new.items, starts_of(lengths), columns[:size], votes[:size], counts)


def _pieces(stored: StoredMatrix, n_rows: int, *, at_most: int) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a stored matrix, and at the end those of new voters: first row, stop, columns, votes."""
    width = np.uint16 if stored.voted_items.num_rows <= WIDE else np.uint32
    first = 0
    for rows in stored.vote_matrix.select(["item_positions", "votes"]).to_batches(at_most):
        yield first, first + len(rows), unpack_piece(rows[0], width), unpack_piece(rows[1], np.int8)
        first += len(rows)
    nothing = pa.array([], pa.binary())
    yield first, n_rows, unpack_piece(nothing, width), unpack_piece(nothing, np.int8)
