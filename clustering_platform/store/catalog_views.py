"""The views of the catalog: what they are named, where their rows come from and how they are described.

Each view has two halves. In the schema ``files`` stands from which files its rows come, which changes with every
commit. The view that people ask selects from it by the names of its columns and describes each, which changes with the
platform only.

``commits`` has its rows in the text of its view, because commits may be collected as garbage before the catalog is made
anew. ``runs`` shows recordings that are made after it, too: it names their folder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustering_platform.store.commits import Commit, Commits, newest_by_day, stale_days
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


@dataclass(frozen=True)
class _View:
    """A view as people see it."""

    name: str
    description: str
    columns: Mapping[str, str]
    """Description by name."""

    def statements(self) -> Iterator[str]:
        """Yield what creates it and describes its columns."""
        names = ", ".join(f'"{column}"' for column in self.columns)
        yield f'CREATE VIEW "{self.name}" AS SELECT {names} FROM files."{self.name}"'  # noqa: S608 - our own names
        yield f'COMMENT ON VIEW "{self.name}" IS {literal(self.description)}'
        for column, description in self.columns.items():
            yield f'COMMENT ON COLUMN "{self.name}"."{column}" IS {literal(description)}'


def version() -> str:
    """Return a hash of all names and descriptions."""
    return hashlib.sha256("\n".join(_described()).encode()).hexdigest()[:32]


def create_described_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the views that people ask, over those of their rows."""
    for statement in _described():
        connection.execute(statement)
    connection.execute(f"CREATE VIEW files.descriptions AS SELECT '{version()}' AS version")


def create_rows(connection: duckdb.DuckDBPyConnection, commits: Commits) -> None:
    """Create the views of the rows, or put them in the place of those that are there."""
    logs = [list(commits.log(dataset)) for dataset in commits.datasets()]
    current = [commit for log in logs for commit in newest_by_day(log)]
    newest_days = {commit.dataset: commit for commit in current if commit.day}
    newest = [commit for commit in current if commit.day is None] + list(newest_days.values())
    newest += [commit for log in logs if (commit := next((one for one in log if one.scope == "days"), None))]
    rows = {table.name: _rows_of_table(commits, table, newest) for table in TABLES.values()}
    rows |= {_history(table): _rows_of_table(commits, table, current) for table in _by_day()}
    rows |= {"commits": _rows_of_commits(logs), "runs": runs_query(RunRecords(commits.files.root))}
    connection.execute("CREATE SCHEMA IF NOT EXISTS files")
    for name, query in rows.items():
        connection.execute(f'CREATE OR REPLACE VIEW files."{name}" AS {query}')


def runs_query(records: RunRecords) -> str:
    """Return the question for all runs, each as it was last recorded."""
    names = ", ".join(f'"{column.name}"' for column in RUN_COLUMNS)
    source = _rows_of(RUN_COLUMNS, mixed=[pattern_of(records)])
    last = "PARTITION BY run_id ORDER BY ended_at IS NULL, recorded_at DESC"  # nothing comes after an end
    return f"SELECT {names} FROM ({source}) QUALIFY row_number() OVER ({last}) = 1"  # noqa: S608 - our own names and paths


def pattern_of(records: RunRecords) -> str:
    """Return the pattern of the recordings of runs: all files of the newest volume."""
    folder = re.sub(r"([*?\[])", r"[\1]", str(records.volume()))
    return f"{folder}/*.parquet"


def literal(value: object) -> str:
    """Return a value as a string of SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def _described() -> Iterator[str]:
    """Yield the statements of all views that people ask."""
    for table in TABLES.values():
        description = f"{table.description} One row: {table.grain}."
        columns = {column.name: column.description for column in table.stored_columns}
        for name in (table.name, _history(table)) if table.scope == "day" else (table.name,):
            yield from _View(name, description, columns).statements()
    described = {name: description for name, (_, description) in COMMITS_COLUMNS.items()}
    yield from _View("commits", "Every publication. One row: a commit.", described).statements()
    yield from _View("runs", RUNS_GRAIN, {column.name: column.description for column in RUN_COLUMNS}).statements()


def _by_day() -> Iterator[Table]:
    return (table for table in TABLES.values() if table.scope == "day")


def _history(table: Table) -> str:
    return f"{table.name}_history"


def _rows_of_table(commits: Commits, table: Table, chosen: Iterable[Commit]) -> str:
    """Return the question for the rows of a table in some commits."""
    root = commits.files.root
    alike: dict[str, list[str]] = {}
    for commit in chosen:
        if file := commit.tables.get(table.name):
            alike.setdefault(file.columns, []).append(f"{root}/{file.path}")
    return _rows_of(table.stored_columns, mixed=alike.pop("", []), alike=alike.values())


def _rows_of_commits(logs: Iterable[Sequence[Commit]]) -> str:
    columns = ", ".join(f"{name}::{kind} AS {name}" for name, (kind, _) in COMMITS_COLUMNS.items())
    no_commit = f"({', '.join('NULL' for _ in COMMITS_COLUMNS)})"
    rows = [row for log in logs for row in _commit_rows(log)]
    source = f"(VALUES {', '.join([no_commit, *rows])}) AS commits({', '.join(COMMITS_COLUMNS)}) WHERE dataset NOT NULL"
    return f"SELECT {columns} FROM {source}"  # noqa: S608 - our own names and values


def _commit_rows(log: Sequence[Commit]) -> Iterator[str]:
    current = newest_by_day(log)
    stale = stale_days(current)
    stale_sequences = {commit.sequence for commit in current if commit.day in stale}
    for commit in log:
        columns = dict(commit) | {
            "predecessor": commit.predecessor.sequence if commit.predecessor else None,
            "is_stale": commit.sequence in stale_sequences,
        }
        values = [columns[name] for name in COMMITS_COLUMNS]
        yield f"({', '.join('NULL' if value is None else literal(value) for value in values)})"


def _rows_of(columns: Iterable[Column], *, mixed: Sequence[str], alike: Iterable[Sequence[str]] = ()) -> str:
    """Return the rows of some files in the types of the contract; a column that an older file lacks is null there.

    Files of one list of `alike` have the same columns, so that DuckDB opens one of them to know of all; of `mixed` it
    opens each.
    """
    nulls = ", ".join(f'NULL::{_duckdb_type(column)} AS "{column.name}"' for column in columns)
    parts = [f"SELECT {nulls} WHERE false"]
    for paths, by_name in [(mixed, "true"), *((paths, "false") for paths in alike)]:
        if files := ", ".join(literal(path) for path in paths):
            parts.append(f"FROM read_parquet([{files}], union_by_name = {by_name}, hive_partitioning = false)")
    return " UNION ALL BY NAME ".join(parts)


def _duckdb_type(column: Column) -> str:
    if column.type.startswith("list<"):
        return _DUCKDB_TYPES[column.type[5:-1]] + "[]"
    return _DUCKDB_TYPES[column.type]
