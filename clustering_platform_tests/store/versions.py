"""Commits of several tables that all carry one version, and readers that say which versions they saw."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from clustering_platform.store.catalog import connect
from clustering_platform.store.commits import Commit, Commits, committed
from clustering_platform.store.files import Files, StoredFile
from clustering_platform.tables import TABLES, Table

DAY = date(2026, 3, 31)
ROWS = {"groups": 3, "base_clusters": 500, "voter_groups": 20_000}
_VALUES: dict[str, Any] = {
    "bool": True,
    "int8": 1,
    "int32": 1,
    "int64": 1,
    "binary": b"\x01\x00",
    "timestamp": datetime(2026, 3, 1, 12, tzinfo=UTC),
    "date": DAY,
}


def log_of(root: Path) -> Commits:
    return Commits(Files(root))


def sample(contract: Table, *, version: int = 1, rows: int = 2) -> pa.Table:
    """Return a table of a contract whose numbers with a point and whose strings say `version`."""
    return pa.table({column.name: pa.repeat(_value(column.type, version), rows) for column in contract.columns})


def _value(kind: str, version: int) -> object:
    if kind.startswith("list<"):
        return [_value(kind[5:-1], version)] * 2
    return {"float32": float(version), "float64": float(version), "string": f"{version}"}.get(kind) or _VALUES[kind]


def write(
    commits: Commits, table: str, *, version: int = 1, rows: int = 2, dataset: str = "talk", day: date | None = DAY
) -> StoredFile:
    """Write one table as the run ``run-<version>`` would."""
    content = sample(TABLES[table], version=version, rows=rows)
    return commits.files.write(
        content, TABLES[table], dataset=dataset, day=day, run_id=f"run-{version}", inputs={"source": f"{version}"}
    )


def make_commit(files: dict[str, StoredFile], sequence: int, **changes: Any) -> Commit:
    plain: dict[str, Any] = {
        "dataset": "talk",
        "day": DAY,
        "status": "ready",
        "run_id": f"run-{sequence}",
        "fingerprint": f"input {sequence}",
        "code_version": "opinions-1",
    }
    return Commit(sequence=sequence, tables=committed(files), **plain | changes)


def publish_version(
    commits: Commits, version: int, *, rows: dict[str, int] = ROWS, dataset: str = "talk", day: date = DAY
) -> Commit:
    """Write every table in `version` and commit them together."""
    files = {
        table: write(commits, table, version=version, rows=count, dataset=dataset, day=day)
        for table, count in rows.items()
    }
    commit = make_commit(files, commits.last_sequence(dataset) + 1, dataset=dataset, day=day, run_id=f"run-{version}")
    commits.publish(commit)
    return commit


def committed_versions(root: Path) -> set[float]:
    """Return all versions found in the tables of the newest commit; none where there is no commit."""
    commits = log_of(root)
    newest = commits.newest("talk", DAY)
    tables = newest.tables.values() if newest else []
    return {version for table in tables for version in versions_in(commits.files.read(table.path), table.rows)}


def versions_in(table: pa.Table, rows: int) -> set[float]:
    """Return the versions in a table, which must have so many rows."""
    if table.num_rows != rows:
        raise ValueError(f"{table.num_rows} rows, not {rows}")
    return set(pc.unique(table["x"]).to_pylist())


def catalog_versions(catalog: Path) -> set[float]:
    """Return all versions that one question to the catalog sees; none where there is no catalog."""
    if not catalog.exists():
        return set()
    with connect(catalog) as connection:
        return ask_versions(connection)


def ask_versions(connection: Any) -> set[float]:
    question = " UNION ALL ".join(f"SELECT x, count(*) FROM {table} GROUP BY x" for table in ROWS)
    answer = connection.execute(question).fetchall()
    if answer and sorted(rows for _, rows in answer) != sorted(ROWS.values()):
        raise ValueError(f"versions and rows: {answer}")
    return {version for version, _ in answer}
