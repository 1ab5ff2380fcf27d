"""A stored table that is read piece by piece: some columns, some rows, never more than is asked for."""

import bisect
import contextlib
import functools
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clustering_platform.store.digests import NO_ROWS, ROWS, Digested, next_digest
from clustering_platform.store.errors import StoreError
from clustering_platform.tables import Table

DIGESTS_KEY = b"clustering.digests"
_BATCH = 65_536


@contextlib.contextmanager
def readable(path: Path, table: str) -> Iterator[None]:
    """Turn what goes wrong when a file is read into a `StoreError` that says what to do."""
    try:
        yield
    except (OSError, pa.ArrowException, KeyError) as error:
        raise StoreError(f"{path}: the file is gone or damaged; materialize {table!r} again") from error


@dataclass(frozen=True)
class StoredTable:
    """A table of the warehouse; `StoreError` where its file is gone or damaged.

    Attributes
    ----------
    path
        Its file, whole.
    contract
        Its contract.
    content
        Hash of its content.
    """

    path: Path
    contract: Table
    content: str

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        with readable(self.path, self.contract.name):
            return int(metadata_of(self.path).num_rows)

    def read(self, *columns: str) -> pa.Table:
        """Return some columns whole, or all of the contract, without those of the partition."""
        names = list(columns) or [column.name for column in self.contract.columns]
        with readable(self.path, self.contract.name):
            return read_columns(self.path, names)

    def batches(self, columns: Sequence[str], start: int = 0, stop: int | None = None) -> Iterator[pa.RecordBatch]:
        """Yield some columns of the rows from `start` up to `stop`, a batch at a time."""
        stop = self.num_rows if stop is None else stop
        if start >= stop:
            return
        with readable(self.path, self.contract.name):
            ends = _row_group_ends(self.path)
            groups = range(bisect.bisect_right(ends, start), bisect.bisect_left(ends, stop) + 1)
            row = ends[groups.start - 1] if groups.start else 0
            with self._open() as file:
                for batch in file.iter_batches(
                    _BATCH, row_groups=list(groups), columns=list(columns), use_threads=False
                ):
                    piece = batch.slice(max(start - row, 0), max(stop - max(start, row), 0))
                    row += batch.num_rows
                    if piece.num_rows:
                        yield piece

    def search(self, column: str, value: datetime) -> int:
        """Return how many rows come before the first one with `value` or more in an ascending column of times."""
        with readable(self.path, self.contract.name):
            return _search(self.path, column, value)

    def digest(self, stop: int) -> str:
        """Return the digest of the first `stop` rows.

        Raises
        ------
        ValueError
            There are not so many, or the contract asks for no digests.
        """
        if not self.contract.digested or stop > self.num_rows:
            raise ValueError(f"{self.path}: no digest of its first {stop} rows")
        with readable(self.path, self.contract.name):
            return _digest(self.path, self.contract.digested, stop)

    def _open(self) -> pq.ParquetFile:
        return pq.ParquetFile(self.path, metadata=metadata_of(self.path), pre_buffer=False)


def read_columns(path: Path, columns: Sequence[str]) -> pa.Table:
    """Return some columns of a Parquet file, a row group at a time: beside them there is little in memory."""
    with pq.ParquetFile(path, pre_buffer=False) as file:
        groups = [file.read_row_group(group, columns=list(columns)) for group in range(file.num_row_groups)]
        table = pa.concat_tables(groups) if groups else file.read(columns=list(columns))
        return table.replace_schema_metadata()


def rows_below(times: pa.ChunkedArray, value: datetime) -> int:
    """Return how many of some ascending times come before the first one of `value` or more."""
    sought = pa.scalar(value, times.type).cast(pa.int64()).as_py()
    return int(np.searchsorted(times.cast(pa.int64()).to_numpy(), sought))


# A file that has its name never changes: what was found in it holds for ever.


def metadata_of(path: Path) -> pq.FileMetaData:
    """Return the metadata of a Parquet file of the warehouse, read again where another file is in its place."""
    state = path.stat()
    return _metadata(path, state.st_ino, state.st_mtime_ns)


@functools.lru_cache(256)
def _metadata(path: Path, inode: int, changed: int) -> pq.FileMetaData:
    return pq.read_metadata(path)


@functools.lru_cache(64)
def _row_group_ends(path: Path) -> list[int]:
    metadata = metadata_of(path)
    return list(itertools.accumulate(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)))


@functools.lru_cache(256)
def _search(path: Path, column: str, value: datetime) -> int:
    metadata = metadata_of(path)
    place = metadata.schema.names.index(column)
    group = bisect.bisect_left(
        range(metadata.num_row_groups), value, key=lambda group: metadata.row_group(group).column(place).statistics.max
    )
    ends = _row_group_ends(path)
    before = ends[group - 1] if group else 0
    if group == metadata.num_row_groups:
        return before
    with pq.ParquetFile(path, metadata=metadata) as file:
        values = file.read_row_group(group, columns=[column])[column]
    return before + rows_below(values, value)


@functools.lru_cache(256)
def _digest(path: Path, columns: Digested, stop: int) -> str:
    metadata = metadata_of(path)
    group, rest = divmod(stop, ROWS)
    digests = json.loads((metadata.metadata or {}).get(DIGESTS_KEY, b"[]"))
    if stop == metadata.num_rows and rest:
        return str(digests[group])
    before = str(digests[group - 1]) if group else NO_ROWS
    if not rest:
        return before
    names = [name for column in columns for name in ([column] if isinstance(column, str) else column)]
    with pq.ParquetFile(path, metadata=metadata) as file:
        return next_digest(before, file.read_row_group(group, columns=names).slice(0, rest), columns)
