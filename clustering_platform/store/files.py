"""Write-once Parquet files of the warehouse.

A file is written under a temporary name, synced and linked into place; once it has its name it never changes, so a
reader that knows a file can rely on it. Which files belong together is said by ``commits``.
"""

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from clustering_platform.store.encoding import write_parquet
from clustering_platform.store.reading import DIGESTS_KEY, StoredTable, metadata_of, read_columns, readable
from clustering_platform.tables import TABLES, Table, conform

SYNCED_AT_ONCE = 8
"""The disk takes most of the time, and many syncs at once hardly more of it than one."""
CONTENT_KEY, INPUTS_KEY, RECIPE_KEY = b"clustering.content", b"clustering.inputs", b"clustering.recipe"
COLUMNS_KEY = b"clustering.columns"


@dataclass(frozen=True)
class StoredFile:
    """A file of the warehouse.

    `path` is relative to the warehouse, `content` a hash of the data (the same data gives the same hash, whatever it
    was made from), `inputs` the content hashes of the tables it was made from, by table name, `recipe` a hash of all
    that it depends on: input, settings and code, and `columns` one of the names and types of its columns, empty where
    an earlier version wrote the file.
    """

    table: str
    path: str
    rows: int
    bytes: int
    content: str
    inputs: Mapping[str, str]
    recipe: str = ""
    columns: str = ""


class Files:
    """The files under `root`: ``files/<table>/<dataset>/[<day>/]<run id>.parquet``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, table: str, dataset: str, day: date | None) -> Path:
        """Return the folder of one table of one dataset, and one day where the table is by day."""
        folder = self.root / "files" / table / dataset
        return folder / day.isoformat() if day else folder

    def find(self, table: str, dataset: str, day: date | None, run_id: str) -> StoredFile | None:
        """Return the last file that a run wrote for a table, or None."""
        paths = [path for path in self.folder(table, dataset, day).glob("*.parquet") if _attempt(path, run_id)]
        newest = max(paths, key=lambda path: _attempt(path, run_id), default=None)
        return self.describe(newest) if newest else None

    def describe(self, path: Path | str) -> StoredFile:
        """Return what a file of the warehouse says of itself."""
        full = self.root / path
        relative = full.relative_to(self.root)
        table = relative.parts[1]
        with readable(full, table):
            metadata = metadata_of(full)
            notes = metadata.metadata or {}
            return StoredFile(
                table=table,
                path=relative.as_posix(),
                rows=metadata.num_rows,
                bytes=full.stat().st_size,
                content=notes[CONTENT_KEY].decode(),
                inputs=json.loads(notes[INPUTS_KEY]),
                recipe=notes[RECIPE_KEY].decode(),
                columns=notes.get(COLUMNS_KEY, b"").decode(),
            )

    def open(self, file: StoredFile) -> StoredTable:
        """Return a table that is read piece by piece."""
        return StoredTable(self.root / file.path, TABLES[file.table], file.content)

    def read(self, file: StoredFile | str) -> pa.Table:
        """Return a table as it was computed, without the columns of the partition."""
        path = Path(file if isinstance(file, str) else file.path)
        contract = TABLES[path.parts[1]]
        with readable(self.root / path, contract.name):
            return read_columns(self.root / path, [column.name for column in contract.columns])

    def write(
        self,
        table: pa.Table,
        contract: Table,
        *,
        dataset: str,
        day: date | None,
        run_id: str,
        inputs: Mapping[str, str],
        recipe: str = "",
    ) -> StoredFile:
        """Write a table as a new file and return it.

        A run that writes the same again gets the file that is there; anything else gets the next number.

        Raises
        ------
        ValueError
            The table does not have the columns of its contract.
        OSError
            The disk is full or cannot be written; nothing is left behind.
        """
        stored = _with_partition(conform(table, contract), contract, dataset, day)
        folder = self.folder(contract.name, dataset, day)
        with new_file(folder) as file:
            notes = notes_of(stored.schema, inputs, recipe)
            content = write_parquet(stored, file, digested=contract.digested, notes=notes)
            previous = self.find(contract.name, dataset, day, run_id)
            made = (content, dict(inputs), recipe)
            if previous and (previous.content, previous.inputs, previous.recipe) == made:
                return previous
            number = 1 + (_attempt(self.root / previous.path, run_id) if previous else 0)
            target = folder / (f"{run_id}.parquet" if number == 1 else f"{run_id}-{number}.parquet")
            size = publish(file, target)
        path = target.relative_to(self.root).as_posix()
        columns = _hash_of(stored.schema)
        return StoredFile(contract.name, path, table.num_rows, size, content, dict(inputs), recipe, columns)


def notes_of(
    schema: pa.Schema, inputs: Mapping[str, str], recipe: str
) -> Callable[[str, Sequence[str]], dict[bytes, str]]:
    """Return what gives, from its content and digests, what a file says of itself beside its data."""

    def notes(content: str, digests: Sequence[str]) -> dict[bytes, str]:
        written = {CONTENT_KEY: content, INPUTS_KEY: json.dumps(dict(sorted(inputs.items()))), RECIPE_KEY: recipe}
        written |= {COLUMNS_KEY: _hash_of(schema)}
        return written | ({DIGESTS_KEY: json.dumps(digests)} if digests else {})

    return notes


def _hash_of(schema: pa.Schema) -> str:
    return hashlib.sha256(schema.to_string().encode()).hexdigest()[:32]


def _attempt(path: Path, run_id: str) -> int:
    """Return which of its files for a table a run wrote there: 1, 2, ...; 0 where it is none of that run."""
    if path.stem == run_id:
        return 1
    number = path.stem.removeprefix(f"{run_id}-")
    return int(number) if number != path.stem and number.isdecimal() else 0


def _with_partition(table: pa.Table, contract: Table, dataset: str, day: date | None) -> pa.Table:
    values = [dataset, day] if contract.scope == "day" else [dataset]
    schema = contract.stored_schema()
    constants = [
        pa.repeat(pa.scalar(value, field.type), table.num_rows) for value, field in zip(values, schema, strict=False)
    ]
    return pa.Table.from_arrays([*constants, *table.columns], schema=schema)


@contextlib.contextmanager
def new_file(folder: Path) -> Iterator[BinaryIO]:
    """Open a new file under a temporary name in `folder`; it is removed at the end, published or not."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{uuid.uuid4().hex}.part"
    try:
        with temporary.open("xb") as file:
            yield file
    finally:
        temporary.unlink(missing_ok=True)


def publish(file: BinaryIO, target: Path) -> int:
    """Give a file its name for good; return its size in bytes.

    It is durable only after `make_durable`.

    Raises
    ------
    FileExistsError
        There is a file of that name; it is left as it is.
    """
    file.flush()
    os.link(file.name, target)
    return file.tell()


def make_durable(paths: Iterable[Path], root: Path) -> None:
    """Make files below `root` durable: their content, their names and the names of the folders that they are in."""
    files = list(paths)
    folders = {folder for path in files for folder in path.parents if folder.is_relative_to(root)}
    with ThreadPoolExecutor(SYNCED_AT_ONCE) as pool:
        list(pool.map(_sync, [*files, *sorted(folders | {root.parent}, reverse=True)]))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
