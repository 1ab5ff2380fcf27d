"""How a table becomes the bytes of a Parquet file: encodings by type, row groups, the hash of the content.

Choices, measured on a million rows: numbers and times as packed differences take a fifth of the time and half of the
room of dictionaries with compression; texts are worth a dictionary only where they repeat, and compression, as decimal
numbers are, only where a sample shrinks to less than half; packed binary values are written as they are.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clustering_platform.store.digests import ROWS, Digested, after_each

_SAMPLE = 4096
_FEW = 1000
_PIECE = 2**23  # bytes that are written at a time


def write_parquet(
    table: pa.Table, file: BinaryIO, *, digested: Digested, notes: Callable[[str, Sequence[str]], Mapping[bytes, str]]
) -> str:
    """Write a table and return the hash of its content: schema and data, without what `notes` adds.

    Parameters
    ----------
    digested
        What the digests at the ends of the row groups cover; nothing: there are none.
    notes
        Key-value metadata of the file, given the hash and the digests.
    """
    groups = (_one_chunk(table.slice(start, ROWS)) for start in range(0, table.num_rows, ROWS))
    return write_row_groups(groups, file, like=table, digested=digested, notes=notes)


def write_row_groups(
    groups: Iterable[pa.Table],
    file: BinaryIO,
    *,
    like: pa.Table,
    digested: Digested,
    notes: Callable[[str, Sequence[str]], Mapping[bytes, str]],
) -> str:
    """Write a table that comes in row groups of `ROWS` rows, encoded as `like` would be; see `write_parquet`."""
    hashed = _HashedFile(file, str(like.schema.remove_metadata()).encode())
    with contextlib.closing(hashed):
        with pq.ParquetWriter(hashed, like.schema, **_options(like)) as writer:
            digests = after_each(iter(groups), digested, lambda rows: writer.write_table(rows, row_group_size=ROWS))
            content = hashed.hash()
            writer.add_key_value_metadata(notes(content, digests))
        hashed.flush()
    return content


class _HashedFile:
    """A file for writing that hashes what it is given; large content is hashed and written while more is encoded."""

    def __init__(self, file: BinaryIO, start: bytes) -> None:
        self._file, self._digest = file, hashlib.sha256(start)
        self._held: list[bytes] = []
        self._size = self._held_size = 0
        self._threads = ThreadPoolExecutor(2)  # they start with the first piece
        self._under_way: list[Future[None]] = []
        self.closed = False

    def write(self, data: bytes) -> int:
        self._held.append(data)
        self._size += len(data)
        self._held_size += len(data)
        if self._held_size >= _PIECE:
            self._wait()
            pieces = self._take()
            self._under_way = [self._threads.submit(put, pieces) for put in (self._hash, self._write)]
        return len(data)

    def flush(self) -> None:
        """Write all that was given."""
        self._wait()
        pieces = self._take()
        self._hash(pieces)
        self._write(pieces)

    def hash(self) -> str:
        """Return the hash of all that was given."""
        self.flush()
        return self._digest.hexdigest()[:32]

    def tell(self) -> int:
        return self._size

    def close(self) -> None:
        self.closed = True
        self._threads.shutdown()

    def _take(self) -> list[bytes]:
        held, self._held, self._held_size = self._held, [], 0
        return held

    def _wait(self) -> None:
        under_way, self._under_way = self._under_way, []
        for work in under_way:
            work.result()

    def _hash(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            self._digest.update(piece)

    def _write(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            self._file.write(piece)


def _one_chunk(rows: pa.Table) -> pa.Table:
    """Return rows in one piece: how a table was put together is not to be seen in its file."""
    return rows.combine_chunks() if any(column.num_chunks > 1 for column in rows.columns) else rows


def _options(table: pa.Table) -> dict[str, Any]:
    """Return how to write each column: by its type, and for texts and decimal numbers by what a sample gains.

    A table of few rows is written as it is: finding out takes longer than anything that could be gained.
    """
    if table.num_rows < _FEW:
        return {"use_dictionary": False, "compression": "none"}
    dictionary: list[str] = []
    encodings: dict[str, str] = {}
    compression: dict[str, str] = {}
    for field in table.schema:
        sample = _sample(table[field.name])
        path = f"{field.name}.list.element" if _is_list(field.type) else field.name
        compression[path] = "none"
        if pa.types.is_int8(sample.type) or (pa.types.is_string(sample.type) and _repeats(sample)):
            dictionary.append(path)
        elif pa.types.is_integer(sample.type) or pa.types.is_temporal(sample.type):
            encodings[path] = "DELTA_BINARY_PACKED"
        elif not pa.types.is_binary(sample.type) and _shrinks(sample):
            compression[path] = "zstd"
            if pa.types.is_floating(sample.type):
                encodings[path] = "BYTE_STREAM_SPLIT"
    return {"use_dictionary": dictionary, "column_encoding": encodings, "compression": compression}


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind))


def _sample(column: pa.ChunkedArray) -> pa.Array:
    """Return the first values of a column; of lists, those in them."""
    first = column.slice(0, _SAMPLE).combine_chunks()
    values = pc.list_flatten(first) if _is_list(first.type) else first
    return values.slice(0, _SAMPLE).drop_null()


def _repeats(values: pa.Array) -> bool:
    return bool(2 * pc.count_distinct(values).as_py() <= len(values))


def _shrinks(values: pa.Array) -> bool:
    """Tell whether compression makes less than half of values, the bytes of decimal numbers set apart by place."""
    if pa.types.is_floating(values.type):
        numbers = np.ascontiguousarray(values.to_numpy())
        content = numbers.view(np.uint8).reshape(-1, numbers.itemsize).T.tobytes()
    else:
        content = b"".join(values.cast(pa.binary()).to_pylist()) if pa.types.is_string(values.type) else b""
    return 2 * len(pa.compress(content, codec="zstd", asbytes=True)) < len(content)
