"""Digests over the first rows of a table that grows at its end: they tell whether one log goes on from another.

A file carries the digest at the end of each of its row groups, so that the digest of any number of first rows takes
the rows of one row group at most. Which columns count is said by the contract (``Table.digested``).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ROWS = 65_536
"""Rows of a row group, in every file; a digest is made anew after each."""
NO_ROWS = ""
"""Digest of no rows."""

Digested = tuple[str | tuple[str, str], ...]


def digest(table: pa.Table, columns: Digested, *, stop: int | None = None) -> str:
    """Return the digest of the first `stop` rows of a table, or of all."""
    rows = table.slice(0, stop)
    found = NO_ROWS
    for start in range(0, rows.num_rows, ROWS):
        found = next_digest(found, rows.slice(start, ROWS), columns)
    return found


def next_digest(before: str, rows: pa.Table, columns: Digested) -> str:
    """Return the digest of a table up to the end of `rows`, given the one up to their start.

    Rows are those of one row group, from its start. A column counts by its values (numbers or times). A pair of a
    column of numbers and a column of ids counts by which rows have the same number, and by the ids: other numbers for
    the same ids change nothing.
    """
    found = hashlib.sha256(before.encode())
    for column in columns:
        for part in _values(rows[column]) if isinstance(column, str) else _ids(*(rows[name] for name in column)):
            found.update(part)
    return found.hexdigest()[:32]


def after_each(groups: Iterator[pa.Table], columns: Digested, then: Callable[[pa.Table], None]) -> Sequence[str]:
    """Hand each row group to `then` and return the digests at their ends."""
    digests: list[str] = []
    for rows in groups:
        then(rows)
        if columns:
            digests.append(next_digest(digests[-1] if digests else NO_ROWS, rows, columns))
    return digests


def _values(column: pa.ChunkedArray) -> Iterator[memoryview]:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    yield np.ascontiguousarray(column.to_numpy()).data


def _ids(numbers: pa.ChunkedArray, ids: pa.ChunkedArray) -> Iterator[memoryview]:
    codes = np.asarray(numbers.combine_chunks().dictionary_encode().indices, np.int32)
    first = np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=-1))  # codes go up at each first appearance
    named = ids.combine_chunks().take(pa.array(first))
    lengths = np.asarray(pc.binary_length(named), np.int32)
    yield codes.data
    yield lengths.data
    yield memoryview(named.buffers()[2] or b"")[: lengths.sum()]
