"""Parquet files as records: columns of any plain type become text, within limits on what they decode to.

What the text means belongs in ``votes`` and ``items``.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clustering_platform.ingest.columns import check_names, list_names, shown
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.records import LONGEST_TEXT, Malformed, Records, rest_columns, rest_json
from clustering_platform.ingest.text_files import Stamp, open_regular, unchanged
from clustering_platform.ingest.vector_rows import VectorRows

LARGEST_DECODED = 4 * 2**30
"""Bytes that one file may decode to. Half a megabyte can decode to five gigabytes, whatever the file says of itself."""

_BATCH_ROWS = 10_000
_LARGEST_EXACT_FLOAT = 2.0**53


class ParquetFile:
    """A Parquet file.

    Parameters
    ----------
    vectors
        Name of the column that holds vectors, if it has it.

    Raises
    ------
    IngestError
        It is not Parquet, incomplete, damaged, encrypted or too large, or two columns have the same name.
    """

    def __init__(self, path: Path, name: str, *, vectors: str | None = None) -> None:
        self.path, self._name, self._vectors = path, name, vectors
        self._stamp = Stamp.of(path)
        with self._opened([]) as file:
            schema, metadata = file.schema_arrow, file.metadata
        self._rows = metadata.num_rows
        self._fields = {field.name: field.type for field in schema}
        check_names(name, schema.names)
        self.columns = tuple(field.name for field in schema if _is_plain(field.type))
        self._ignored = [field.name for field in schema if not _is_plain(field.type) and field.name != vectors]
        self._check_size(self._rows * len(self.columns))

    @property
    def notes(self) -> tuple[str, ...]:
        """The columns whose type cannot be read."""
        if not self._ignored:
            return ()
        return (f"columns of nested or other types that cannot be read were ignored: {list_names(self._ignored)}",)

    @property
    def has_vectors(self) -> bool:
        """Whether it has the column of vectors."""
        return self._vectors in self._fields

    def vectors(self) -> VectorRows:
        """Return the vectors of all rows.

        Raises
        ------
        IngestError
            The column is not there, or holds something other than lists of numbers.
        """
        column = self._vectors
        if column is None or column not in self._fields:
            raise IngestError(
                f"{self._name}: source.vectors.column names no column of it; found {list_names(list(self._fields))}"
            )
        if not _is_vector(self._fields[column]):
            raise IngestError(
                f"{self._name}: column {shown(column)!r} is {self._fields[column]}, not lists of numbers; "
                "write vectors as list<float>"
            )
        with unchanged(self.path, self._name, self._stamp), self._opened([]) as file:
            pieces = (batch.column(0) for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=[column]))
            return VectorRows.of_lists(self._within_limit(pieces))

    def _within_limit(self, pieces: Iterable[pa.Array]) -> Iterator[pa.Array]:
        decoded = 0
        for piece in pieces:
            decoded += piece.nbytes
            self._check_size(decoded)
            yield piece

    def records(self, wanted: Sequence[str], *, without: frozenset[str] | None = None) -> Iterator[Records]:
        """Yield all rows; see `Reader.records`."""
        others = rest_columns(self.columns, without)
        names = list(dict.fromkeys([*wanted, *others]))
        first, decoded = 1, 0
        with unchanged(self.path, self._name, self._stamp), self._opened(names) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=names):
                lengths = {name: _lengths(batch[name]) for name in names}
                decoded += sum(int(length.sum()) for length in lengths.values())
                self._check_size(decoded)
                yield self._records(batch, first, lengths, wanted, others)
                first += batch.num_rows
        if first - 1 != self._rows:
            raise IngestError(
                f"{self._name}: has {first - 1} rows but says {self._rows}; it is damaged, export it again"
            )

    def _records(
        self,
        batch: pa.RecordBatch,
        first: int,
        lengths: dict[str, NDArray[np.int64]],
        wanted: Sequence[str],
        others: Sequence[str],
    ) -> Records:
        too_long = np.zeros(batch.num_rows, bool)
        for length in lengths.values():
            too_long |= length > LONGEST_TEXT
        lines = np.arange(first, first + batch.num_rows, dtype=np.int64)
        kept = batch.filter(pa.array(~too_long))
        columns = {name: self._text(kept, name) for name in lengths}
        rest = zip(*(columns[name].to_pylist() for name in others), strict=True) if others else ()
        return Records(
            lines[~too_long],
            {name: columns[name] for name in wanted},
            [rest_json(zip(others, row, strict=True)) for row in rest],
            [Malformed(int(line), "field_too_long") for line in lines[too_long]],
        )

    def _text(self, batch: pa.RecordBatch, name: str) -> pa.Array:
        with self._refusing(f"column {shown(name)!r} cannot be read as text: it may hold bytes that are not UTF-8"):
            return as_text(batch[name])

    def _check_size(self, decoded: int) -> None:
        if decoded > LARGEST_DECODED:
            raise IngestError(
                f"{self._name}: decodes to more than {LARGEST_DECODED / 2**30:.0f} GiB; split it into several files"
            )

    @contextlib.contextmanager
    def _opened(self, names: Sequence[str]) -> Iterator[pq.ParquetFile]:
        strings = [name for name in names if _is_text(self._fields[name])]
        with (
            self._refusing(
                "cannot be read as Parquet: it is incomplete, damaged, encrypted or packed in an unknown way"
            ),
            open_regular(self.path, self._name) as raw,
        ):
            yield pq.ParquetFile(raw, read_dictionary=strings)

    @contextlib.contextmanager
    def _refusing(self, what: str) -> Iterator[None]:
        """Turn what Arrow raises into `IngestError`; its own messages may quote values."""
        try:
            yield
        except (pa.ArrowException, OSError, UnicodeError, OverflowError, MemoryError) as error:
            raise IngestError(f"{self._name}: {what} ({type(error).__name__}); export it again") from None


def as_text(column: pa.Array) -> pa.Array:
    """Return a column as text: whole floats without a fraction, times in ISO 8601, null and NaN as null.

    Raises
    ------
    pa.ArrowException
        A value has no text, or is not valid UTF-8.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):
        return _float_text(pc.cast(column, pa.float64()))
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = pc.cast(column, pa.timestamp("us", column.type.tz), safe=False)
    if pa.types.is_timestamp(column.type) and column.type.tz:
        column = pc.cast(column, pa.timestamp(column.type.unit, "UTC"))
    text = pc.cast(column, pa.string())
    text.validate(full=True)
    return text


def _float_text(column: pa.Array) -> pa.Array:
    column = pc.if_else(pc.is_nan(column), None, column)
    is_whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), _LARGEST_EXACT_FLOAT))
    whole = pc.cast(pc.if_else(is_whole, column, 0.0), pa.int64())
    return pc.if_else(is_whole, pc.cast(whole, pa.string()), pc.cast(column, pa.string()))


def _lengths(column: pa.Array) -> NDArray[np.int64]:
    """Return the bytes that each value of a column decodes to: int64[rows]."""
    if pa.types.is_dictionary(column.type):
        lengths = pc.binary_length(column.dictionary).take(column.indices)
    elif _is_text(column.type):
        lengths = pc.binary_length(column)
    else:
        return np.full(len(column), 8, np.int64)
    return np.asarray(pc.fill_null(pc.cast(lengths, pa.int64()), 0), np.int64)


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind)
    )


def _is_vector(kind: pa.DataType) -> bool:
    types = pa.types
    is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(is_list and (types.is_floating(kind.value_type) or types.is_integer(kind.value_type)))


def _is_plain(kind: pa.DataType) -> bool:
    types = pa.types
    if types.is_dictionary(kind):
        return _is_text(kind.value_type)
    checks = (
        types.is_integer,
        types.is_floating,
        types.is_boolean,
        types.is_timestamp,
        types.is_date,
        types.is_decimal,
    )
    return _is_text(kind) or any(check(kind) for check in checks)
