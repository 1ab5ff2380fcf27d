"""``catalog.duckdb``: views over the newest commits, swapped in whole.

Each table has two views: ``<table>`` as it stands in the newest commits (for opinions: the newest day of each
dataset) and, for tables by day, ``<table>_history`` over all days; see ``catalog_views``. The file holds views only,
never data, so any number of readers may have it open while it is replaced.
"""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from clustering_platform.store.catalog_views import create_described_views, create_rows, literal, pattern_of, version
from clustering_platform.store.commits import Commits
from clustering_platform.store.errors import StoreError
from clustering_platform.store.run_records import RunRecords

if TYPE_CHECKING:
    import duckdb


def rebuild_catalog(commits: Commits, path: Path, *, from_scratch: bool = False) -> None:
    """Build the catalog from the commit log beside `path` and put it in its place.

    The descriptions take most of the time. They are taken over from the catalog that is there, if they are the same;
    `from_scratch` does without it.
    """
    import duckdb

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
        try:
            is_described = not from_scratch and _is_described(path)
            if is_described:
                shutil.copyfile(path, temporary)
            with duckdb.connect(temporary) as connection:
                connection.execute("BEGIN")
                create_rows(connection, commits)
                if not is_described:
                    create_described_views(connection)
                connection.execute("COMMIT")
            temporary.replace(path)
        finally:
            for leftover in path.parent.glob(f".{path.name}.*.part*"):  # of killed processes, too: we hold the lock
                leftover.unlink()


def is_current(commits: Commits, path: Path) -> bool:
    """Tell whether the catalog knows the newest commit of every dataset, all columns, and where the files are."""
    import duckdb

    newest = {dataset: number for dataset in commits.datasets() if (number := commits.last_sequence(dataset))}
    try:
        with connect(path) as catalog:
            is_described = _version_of(catalog) == version()
            known = catalog.execute("SELECT dataset, max(sequence) FROM commits GROUP BY dataset").fetchall()
            runs = catalog.execute(
                "SELECT sql FROM duckdb_views() WHERE schema_name = 'files' AND view_name = 'runs'"
            ).fetchall()
    except (StoreError, duckdb.Error):
        return False
    is_here = any(literal(pattern_of(RunRecords(commits.files.root))) in sql for (sql,) in runs)
    return dict(known) == newest and is_here and is_described


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """Open the catalog for reading, as it is now; times are shown in UTC.

    It is attached, not connected to: while this process has the file open, DuckDB gives every connection to its path
    that same old instance, even after another file has taken its place.

    Raises
    ------
    StoreError
        There is no catalog yet.
    """
    import duckdb

    if not path.exists():
        raise StoreError(f"{path}: there is no catalog yet; publish a dataset with `clustering run NAME`")
    connection = duckdb.connect()
    connection.execute(f"ATTACH {literal(path)} AS catalog (READ_ONLY)")
    connection.execute("USE catalog")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _is_described(path: Path) -> bool:
    """Tell whether the catalog has the views and descriptions that this version of the platform gives it."""
    import duckdb

    try:
        with connect(path) as catalog:
            return _version_of(catalog) == version()
    except (StoreError, duckdb.Error):
        return False


def _version_of(catalog: duckdb.DuckDBPyConnection) -> str:
    (found,) = catalog.execute("SELECT version FROM files.descriptions").fetchall()
    return str(found[0])
