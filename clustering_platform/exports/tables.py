"""Tables as files: CSV, JSONL, JSON, Parquet, in batches, so that memory does not grow with the table."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from clustering_platform.exports import csv_text
from clustering_platform.exports.errors import ExportError
from clustering_platform.exports.json_text import json_rows
from clustering_platform.store.commits import Commit, Commits
from clustering_platform.tables import TABLES, Table

Format = Literal["csv", "jsonl", "json", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
HISTORY = "_history"
_BATCH = 20_000
_BUFFER = 2**20
"""Bytes of a column that are read at a time; else all of its row group is, 100 MB of vectors."""


@dataclass(frozen=True)
class CommittedRows:
    """The rows of one table in the commits that were asked for.

    `days` says of which days they are; it is empty for tables of the dataset as a whole.
    """

    contract: Table
    days: tuple[date, ...]
    paths: tuple[Path, ...]

    @property
    def schema(self) -> pa.Schema:
        """The columns of the contract, all of which may be null."""
        return pa.schema([field.with_nullable(True) for field in self.contract.stored_schema()])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the columns of the contract; one that an older file lacks is null there."""
        for path in self.paths:
            yield from read_batches(path, self.schema)


def read_batches(path: Path, schema: pa.Schema, *, rows: int = _BATCH) -> Iterator[pa.RecordBatch]:
    """Yield the columns of a schema, some rows at a time; one that the file lacks is null.

    Raises
    ------
    ExportError
        The file is gone or damaged.
    """
    try:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER) as file:
            present = [name for name in schema.names if name in file.schema_arrow.names]
            for group in range(file.num_row_groups):  # asked for all at once, it keeps the file in memory
                for batch in file.iter_batches(rows, row_groups=[group], columns=present, use_threads=False):
                    yield _in_columns(batch, schema)
    except (FileNotFoundError, pa.ArrowInvalid) as error:
        raise ExportError(f"{path}: the file is gone or damaged; run the job again that made it") from error


def read_whole(path: Path, schema: pa.Schema) -> pa.Table:
    """Return the columns of a schema; see `read_batches`."""
    nullable = pa.schema([field.with_nullable(True) for field in schema])
    return pa.Table.from_batches(read_batches(path, nullable), nullable)


def find_rows(commits: Commits, dataset: str, name: str, day: date | None) -> CommittedRows:
    """Return the rows of a table as committed last.

    Parameters
    ----------
    name
        A table; with ``_history`` behind it, the table over all days.
    day
        For tables by day, the day; by default the newest one, for a history all of them.

    Raises
    ------
    ExportError
        There is no such table, or nothing of it is published for that day.
    """
    contract, is_history = find_table(name)
    if contract.scope != "day":
        if day:
            what = "of the dataset as a whole" if contract.scope == "dataset" else "over all days"
            raise ExportError(f"table {contract.name!r} is {what}; there is none of a single day, leave out --day")
        chosen = [commit for commit in [commits.newest(dataset, None, scope=contract.scope)] if commit]
        if not chosen:
            raise ExportError(f"nothing is published of {dataset!r} yet; run: clustering run {dataset}")
    elif is_history and not day:
        chosen = day_commits(commits, dataset)
    else:
        chosen = [find_commit(commits, dataset, day)]
    chosen = [commit for commit in chosen if contract.name in commit.tables]
    if not chosen:
        raise ExportError(f"the commits of {dataset!r} are older than table {contract.name!r}; run it again")
    return CommittedRows(
        contract,
        tuple(commit.day for commit in chosen if commit.day),
        tuple(commits.files.root / commit.tables[contract.name].path for commit in chosen),
    )


def find_table(name: str) -> tuple[Table, bool]:
    """Return the contract of a table, and whether its history is meant; else raise `ExportError` with the nearest."""
    plain = name.removesuffix(HISTORY)
    if name in TABLES:
        return TABLES[name], False
    if plain in TABLES and TABLES[plain].scope == "day":
        return TABLES[plain], True
    near = difflib.get_close_matches(plain, TABLES, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(TABLES)}"
    why = "has no days and so no history" if plain in TABLES else "is no table"
    raise ExportError(f"{name!r} {why}; {hint}")


def day_commits(commits: Commits, dataset: str) -> list[Commit]:
    """Return the newest commit of each day of a dataset, by day, or raise `ExportError` if there is none."""
    found = [commit for commit in commits.current(dataset) if commit.day]
    if not found:
        raise ExportError(f"no day of {dataset!r} is published yet; run: clustering run {dataset}")
    return found


def find_commit(commits: Commits, dataset: str, day: date | None) -> Commit:
    """Return the newest commit of a day, by default of the newest day, or raise `ExportError`."""
    found = {commit.day: commit for commit in day_commits(commits, dataset) if commit.day}
    day = day or max(found)
    if day not in found:
        nearest = min(found, key=lambda one: abs((one - day).days))
        raise ExportError(
            f"{day} of {dataset!r} is not published; the nearest day that is: {nearest}. "
            f"Or run: clustering run {dataset} --day {day}"
        )
    return found[day]


def write_rows(rows: CommittedRows, sink: BinaryIO, kind: Format, *, raw: bool = False) -> int:
    """Write rows to an open file and return how many there were.

    Parameters
    ----------
    raw
        In CSV, leave text alone that a spreadsheet would take for a formula.
    """
    writer = {"csv": _write_csv, "jsonl": _write_jsonl, "json": _write_json, "parquet": _write_parquet}[kind]
    counted = _Counted(rows.batches())
    writer(rows.schema, counted, sink, raw)
    return counted.rows


class _Counted(Iterator[pa.RecordBatch]):
    """Batches that are not empty, and how many rows they had so far."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches, self.rows = batches, 0

    def __next__(self) -> pa.RecordBatch:
        batch = next(self._batches)
        while batch.num_rows == 0:
            batch = next(self._batches)
        self.rows += batch.num_rows
        return batch


def _write_csv(schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: BinaryIO, raw: bool) -> None:
    sink.write(csv_text.header(schema.names))
    for batch in batches:
        csv_text.write_rows(sink, batch, raw=raw)


def _write_jsonl(schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: BinaryIO, raw: bool) -> None:
    for batch in batches:
        sink.write(_joined(batch, "\n") + b"\n")


def _write_json(schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: BinaryIO, raw: bool) -> None:
    before = b"[\n"
    for batch in batches:
        sink.write(before + _joined(batch, ",\n"))
        before = b",\n"
    sink.write(b"\n]\n" if before == b",\n" else b"[]\n")


def _write_parquet(schema: pa.Schema, batches: Iterator[pa.RecordBatch], sink: BinaryIO, raw: bool) -> None:
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _joined(batch: pa.RecordBatch, separator: str) -> bytes:
    return separator.join(json_rows(batch).to_pylist()).encode()


def _in_columns(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch with the columns of a schema, cast to its types."""
    columns = [
        batch.column(field.name).cast(field.type)
        if field.name in batch.schema.names
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
