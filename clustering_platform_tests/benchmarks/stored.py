"""Synthetic sets as ingest would store them: write-once Parquet files in a warehouse of their own.

A set is generated once for a seed and kept in the temporary folder of the system. The log is written part by part,
as one call of the store would write it, because the largest one would not fit into memory as a table.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.store.digests import ROWS
from clustering_platform.store.encoding import write_row_groups
from clustering_platform.store.files import Files, StoredFile, new_file, notes_of, publish
from clustering_platform.tables import TABLES, Table
from clustering_platform_tests.benchmarks import synthetic
from clustering_platform_tests.benchmarks.synthetic import Size

DATASET, RUN = "benchmark", "generated"
DAY = date(2026, 6, 30)
"""The last day of the log, which ends at its end."""
SETS = {
    "A": Size(10_000, 500, 450_000),
    "B": Size(100_000, 1_000, 5_000_000),
    "C": Size(1_000_000, 2_000, 50_000_000),
    "D": Size(1_000_000, 5_000, 100_000_000),
}
WARM_UP = "warm-up"
SIZES = {**SETS, WARM_UP: Size(25_000, 50, 500_000)}
INGESTED = ("votes", "items", "voters")
"""Tables of ingest that opinions are made from; those that have no contract are left out."""
_DAYS = 101
"""Days of the log: the last one brings 1 % more votes than there were before."""
_ROWS_AT_A_TIME = 1 << 20
_TIMESTAMP = pa.timestamp("us", "UTC")


@dataclass(frozen=True)
class StoredSet:
    """A set in a data folder of its own, `root`."""

    name: str
    root: Path

    @property
    def files(self) -> Files:
        """The files of its warehouse."""
        return Files(self.root / "warehouse")

    def find(self, table: str) -> StoredFile:
        """Return the file of a table of ingest."""
        file = self.files.find(table, DATASET, None, RUN)
        if file is None:
            raise FileNotFoundError(f"no table {table!r} in {self.root}")
        return file

    @property
    def votes(self) -> int:
        """Rows of the log."""
        return self.find("votes").rows

    def planted(self) -> tuple[pa.Array, NDArray[np.int8]]:
        """Return the ids of the voters in order of their first votes, and their groups."""
        return _texts(np.load(self.root / "ids.npy")), np.load(self.root / "groups.npy")


def stored_set(name: str, *, seed: int = 7) -> StoredSet:
    """Return a set, generated unless it is there for this seed, this code and these tables."""
    sources = [Path(file).read_bytes() for file in (__file__, synthetic.__file__)]
    contracts = [str(TABLES[table].stored_schema()).encode() for table in INGESTED if table in TABLES]
    version = hashlib.sha256(b"\0".join([*sources, *contracts])).hexdigest()[:8]
    root = Path(tempfile.gettempdir()) / "clustering-benchmarks" / f"{name}-{seed}-{version}"
    if not root.is_dir():
        draft = root.with_suffix(".part")
        shutil.rmtree(draft, ignore_errors=True)
        _generate(SIZES[name], np.random.default_rng(seed), draft)
        draft.rename(root)
    return StoredSet(name, root)


def _generate(size: Size, rng: np.random.Generator, folder: Path) -> None:
    files = Files(folder / "warehouse")
    population = synthetic.populate(size, rng)
    cells, is_superseded = synthetic.in_time(population, rng)
    first, last = _first_and_last(lambda rows: population.voters[cells[rows]], cells.size, size.voters)
    first_on_item, _ = _first_and_last(lambda rows: population.items(cells[rows]), cells.size, size.items)
    order = np.argsort(first)
    numbers = np.empty(size.voters, np.int32)
    numbers[order] = np.arange(size.voters, dtype=np.int32)
    ids = np.frombuffer(rng.bytes(16 * size.voters).hex().encode(), "S32")
    voter_ids, item_ids = _texts(ids), pa.array([str(item) for item in range(size.items)])

    def parts() -> Iterator[dict[str, Any]]:
        for rows in _parts(cells.size):
            part, sequence = cells[rows], np.arange(rows.start, rows.stop)
            voter, item = numbers[population.voters[part]], population.items(part)
            yield {
                "sequence": sequence,
                "voter_id": voter_ids.take(pa.array(voter)),
                "voter_number": voter,
                "voter_type": pa.repeat("user", voter.size),
                "item_id": item_ids.take(pa.array(item)),
                "item_number": item,
                "vote": population.vote(part, rng),
                "voted_at": _times(sequence, cells.size),
                "is_superseded": is_superseded[rows],
            }

    _write("votes", parts(), files)
    _write("items", [_items(item_ids, _times(first_on_item, cells.size))], files)
    _write("voters", [_voters(voter_ids, np.diff(population.offsets)[order], first[order], last[order])], files)
    np.save(folder / "ids.npy", ids)
    np.save(folder / "groups.npy", population.groups[order])


def _texts(texts: NDArray[np.bytes_]) -> pa.Array:
    """Return texts that are all of one length; pyarrow itself would make chunks of many."""
    offsets = np.arange(len(texts) + 1, dtype=np.int32) * texts.itemsize
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(texts))


def _parts(rows: int) -> list[slice]:
    return [slice(start, min(start + _ROWS_AT_A_TIME, rows)) for start in range(0, rows, _ROWS_AT_A_TIME)]


def _first_and_last(
    codes: Callable[[slice], NDArray[np.int32]], rows: int, n_codes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and the last row of the log with each code; `codes` gives those of some rows."""
    first, last = np.zeros(n_codes, np.int64), np.zeros(n_codes, np.int64)
    parts = _parts(rows)
    for part in parts:
        last[codes(part)] = np.arange(part.start, part.stop)
    for part in reversed(parts):
        first[codes(part)[::-1]] = np.arange(part.start, part.stop)[::-1]
    return first, last


def _times(sequence: NDArray[np.int64], rows: int) -> pa.Array:
    """Return times evenly over the days of the log."""
    end = datetime.combine(DAY + timedelta(days=1), time(), UTC)
    step = _DAYS * 86_400_000_000 // rows
    return pa.array(int(end.timestamp()) * 1_000_000 - (rows - sequence) * step, _TIMESTAMP)


def _items(ids: pa.Array, first_vote_at: pa.Array) -> dict[str, Any]:
    return {
        "item_id": ids,
        "item_number": np.arange(len(ids)),
        "text": ids,
        "moderation": np.ones(len(ids), np.int8),
        "is_meta": np.zeros(len(ids), np.bool_),
        "is_seed": np.zeros(len(ids), np.bool_),
        "is_listed": np.ones(len(ids), np.bool_),
        "first_vote_at": first_vote_at,
    }


def _voters(
    ids: pa.Array, votes: NDArray[np.int32], first: NDArray[np.int64], last: NDArray[np.int64]
) -> dict[str, Any]:
    rows = int(votes.sum())
    return {
        "voter_number": np.arange(len(ids)),
        "voter_id": ids,
        "voter_type": pa.repeat("user", len(ids)),
        "votes": votes,
        "first_vote_at": _times(first, rows),
        "last_vote_at": _times(last, rows),
    }


def _write(table: str, parts: Iterable[dict[str, Any]], files: Files) -> None:
    """Write a table as `Files.write` would, from parts that have the columns without nulls of its contract, or more."""
    if table not in TABLES:
        return
    contract, folder = TABLES[table], files.folder(table, DATASET, None)
    rows = (stored for part in parts for stored in _row_groups(part, contract))
    first = next(rows)
    with new_file(folder) as file:
        notes = notes_of(first.schema, {}, "")
        write_row_groups(itertools.chain([first], rows), file, like=first, digested=contract.digested, notes=notes)
        publish(file, folder / f"{RUN}.parquet")


def _row_groups(columns: dict[str, Any], contract: Table) -> Iterator[pa.Table]:
    rows, schema = len(next(iter(columns.values()))), contract.stored_schema()
    nulls = {column.name: pa.nulls(rows) for column in contract.columns if column.nullable}
    columns = nulls | columns | {"dataset": pa.repeat(DATASET, rows)}
    part = pa.table({name: columns[name] for name in schema.names}).cast(schema)
    return (part.slice(start, ROWS) for start in range(0, part.num_rows, ROWS))
