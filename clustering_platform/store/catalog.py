"""``catalog.duckdb``: views over the newest commits, swapped in whole.

Each table has two views: ``<table>`` as it stands in the newest commits (for opinions: the newest day of each
dataset) and, for tables by day, ``<table>_history`` over all days. The file holds views only, never data, so any
number of readers may have it open while it is replaced. ``commits`` has its rows in the text of its view, because
commits may be collected as garbage before the catalog is made anew. ``runs`` shows recordings that are made after it,
too: it names their folder.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from clustering_platform.store.commits import Commit, Commits, newest_by_day, stale_days
from clustering_platform.store.errors import StoreError
from clustering_platform.store.run_records import RunRecords
from clustering_platform.tables import TABLES, Column, Table
from clustering_platform.tables.runs import RUN_COLUMNS, RUNS_GRAIN

if TYPE_CHECKING:
    import duckdb

_DUCKDB_TYPES = {
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "string": "VARCHAR",
    "binary": "BLOB",
    "timestamp": "TIMESTAMPTZ",
    "date": "DATE",
}

COMMITS_COLUMNS = {
    "dataset": ("VARCHAR", "Name of the dataset."),
    "scope": (
        "VARCHAR",
        "`dataset`: tables of it as a whole. `day`: of an opinion snapshot. `days`: over all days.",
    ),
    "day": ("DATE", "Day of an opinion snapshot; null for all else."),
    "sequence": ("BIGINT", "Number of the commit within its dataset."),
    "status": ("VARCHAR", "`ready`, or why there is less than usual."),
    "reason": ("VARCHAR", "The status in words."),
    "run_id": ("VARCHAR", "Dagster run that made it."),
    "fingerprint": ("VARCHAR", "Hash of input, config and code version."),
    "predecessor": ("BIGINT", "Number of the commit of an earlier day that it goes on from (`continuity: warm`)."),
    "is_stale": ("BOOLEAN", "Newest of its day, but the earlier day that it goes on from has changed since."),
    "created_at": ("TIMESTAMPTZ", "When it was made; sequence, not time, orders commits."),
}


def rebuild_catalog(commits: Commits, path: Path) -> None:
    """Build the catalog from the commit log beside `path` and put it in its place."""
    import duckdb

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
        try:
            with duckdb.connect(temporary) as connection:
                connection.execute("BEGIN")
                _create_views(connection, commits)
                connection.execute("COMMIT")
            temporary.replace(path)
        finally:
            for leftover in path.parent.glob(f".{path.name}.*.part*"):  # of killed processes, too: we hold the lock
                leftover.unlink()


def is_current(commits: Commits, path: Path) -> bool:
    """Tell whether the catalog knows the newest commit of every dataset, all columns, and where the files are."""
    import duckdb

    newest = {dataset: number for dataset in commits.datasets() if (number := commits.last_sequence(dataset))}
    columns = {(table.name, column.name) for table in TABLES.values() for column in table.stored_columns}
    try:
        with connect(path) as catalog:
            known = catalog.execute("SELECT dataset, max(sequence) FROM commits GROUP BY dataset").fetchall()
            found = catalog.execute("SELECT table_name, column_name FROM duckdb_columns()").fetchall()
            runs = catalog.execute("SELECT sql FROM duckdb_views() WHERE view_name = 'runs'").fetchall()
    except (StoreError, duckdb.Error):
        return False
    is_here = any(_literal(_pattern_of(RunRecords(commits.files.root))) in sql for (sql,) in runs)
    return dict(known) == newest and columns <= set(found) and is_here


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
    connection.execute(f"ATTACH {_literal(path)} AS catalog (READ_ONLY)")
    connection.execute("USE catalog")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _create_views(connection: duckdb.DuckDBPyConnection, commits: Commits) -> None:
    current = [commit for dataset in commits.datasets() for commit in commits.current(dataset)]
    newest_days = {commit.dataset: commit for commit in current if commit.day}
    newest = [commit for commit in current if commit.day is None] + list(newest_days.values())
    newest += [commit for dataset in commits.datasets() if (commit := commits.newest(dataset, None, scope="days"))]
    for table in TABLES.values():
        _create_view(connection, commits, table, table.name, newest)
        if table.scope == "day":
            _create_view(connection, commits, table, f"{table.name}_history", current)
    _create_commits_view(connection, commits)
    connection.execute(f"CREATE VIEW runs AS {runs_query(RunRecords(commits.files.root))}")
    _comment(connection, "runs", RUNS_GRAIN, RUN_COLUMNS)


def runs_query(records: RunRecords) -> str:
    """Return the question for all runs, each as it was last recorded."""
    names = ", ".join(f'"{column.name}"' for column in RUN_COLUMNS)
    source = _rows_of(RUN_COLUMNS, [_pattern_of(records)])
    last = "PARTITION BY run_id ORDER BY ended_at IS NULL, recorded_at DESC"  # nothing comes after an end
    return f"SELECT {names} FROM {source} QUALIFY row_number() OVER ({last}) = 1"  # noqa: S608 - our own names and paths


def _pattern_of(records: RunRecords) -> str:
    """Return the pattern of the recordings of runs: all files of the newest volume."""
    folder = re.sub(r"([*?\[])", r"[\1]", str(records.volume()))
    return f"{folder}/*.parquet"


def _create_view(
    connection: duckdb.DuckDBPyConnection, commits: Commits, table: Table, name: str, chosen: Iterable[Commit]
) -> None:
    paths = [commits.files.root / commit.tables[table.name].path for commit in chosen if table.name in commit.tables]
    source = _rows_of(table.stored_columns, paths)
    columns = ", ".join(f'"{column.name}"' for column in table.stored_columns)
    connection.execute(f'CREATE VIEW "{name}" AS SELECT {columns} FROM {source}')  # noqa: S608 - our own names and paths
    _comment(connection, name, f"{table.description} One row: {table.grain}.", table.stored_columns)


def _comment(connection: duckdb.DuckDBPyConnection, view: str, grain: str, columns: Iterable[Column]) -> None:
    connection.execute(f'COMMENT ON VIEW "{view}" IS {_literal(grain)}')
    for column in columns:
        connection.execute(f'COMMENT ON COLUMN "{view}"."{column.name}" IS {_literal(column.description)}')


def _create_commits_view(connection: duckdb.DuckDBPyConnection, commits: Commits) -> None:
    columns = ", ".join(f"{name}::{kind} AS {name}" for name, (kind, _) in COMMITS_COLUMNS.items())
    no_commit = f"({', '.join('NULL' for _ in COMMITS_COLUMNS)})"
    rows = [row for dataset in commits.datasets() for row in _commit_rows(list(commits.log(dataset)))]
    source = f"(VALUES {', '.join([no_commit, *rows])}) AS commits({', '.join(COMMITS_COLUMNS)}) WHERE dataset NOT NULL"
    connection.execute(f"CREATE VIEW commits AS SELECT {columns} FROM {source}")  # noqa: S608 - our own names and values
    connection.execute("COMMENT ON VIEW commits IS 'Every publication. One row: a commit.'")
    for name, (_, description) in COMMITS_COLUMNS.items():
        connection.execute(f"COMMENT ON COLUMN commits.{name} IS {_literal(description)}")


def _commit_rows(log: list[Commit]) -> Iterator[str]:
    current = newest_by_day(log)
    stale = stale_days(current)
    stale_sequences = {commit.sequence for commit in current if commit.day in stale}
    for commit in log:
        columns = dict(commit) | {
            "predecessor": commit.predecessor.sequence if commit.predecessor else None,
            "is_stale": commit.sequence in stale_sequences,
        }
        values = [columns[name] for name in COMMITS_COLUMNS]
        yield f"({', '.join('NULL' if value is None else _literal(value) for value in values)})"


def _rows_of(columns: Iterable[Column], paths: Iterable[Path | str]) -> str:
    """Return the rows of some files in the types of the contract; a column that an older file lacks is null there."""
    nulls = ", ".join(f'NULL::{_duckdb_type(column)} AS "{column.name}"' for column in columns)
    source = f"SELECT {nulls} WHERE false"
    if files := ", ".join(_literal(path) for path in paths):
        source += f" UNION ALL BY NAME FROM read_parquet([{files}], union_by_name = true, hive_partitioning = false)"
    return f"({source})"


def _duckdb_type(column: Column) -> str:
    if column.type.startswith("list<"):
        return _DUCKDB_TYPES[column.type[5:-1]] + "[]"
    return _DUCKDB_TYPES[column.type]


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
