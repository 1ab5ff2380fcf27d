"""Recordings of runs: one row for each run, and readers that never notice how they are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from clustering_platform.store.catalog import connect, rebuild_catalog
from clustering_platform.store.commits import Commits
from clustering_platform.store.garbage import collect_garbage
from clustering_platform.store.run_records import RunRecords
from clustering_platform_tests.store.processes import messages, start
from clustering_platform_tests.store.test_garbage import pass_hours
from clustering_platform_tests.store.versions import log_of

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


def row(run_id: str, status: str, *, minute: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "dataset": "talk",
        "launched_by": "command line",
        "parameters": "{}",
        "status": status,
        "created_at": NOON,
        "ended_at": NOON if status in ("succeeded", "failed", "killed") else None,
        "outcome": status,
        "recorded_at": NOON + timedelta(minutes=minute),
        **more,
    }


def statuses(catalog: Path) -> dict[str, str]:
    with connect(catalog) as connection:
        return dict(connection.execute("SELECT run_id, status FROM runs").fetchall())


@pytest.fixture
def records(tmp_path: Path) -> RunRecords:
    return RunRecords(tmp_path / "warehouse")


@pytest.fixture
def catalog(tmp_path: Path, commits: Commits) -> Path:
    rebuild_catalog(commits, tmp_path / "catalog.duckdb")
    return tmp_path / "catalog.duckdb"


def test_a_catalog_without_any_run_has_the_view(catalog: Path) -> None:
    assert statuses(catalog) == {}


def test_the_view_shows_the_newest_recording_of_each_run_without_being_made_anew(
    records: RunRecords, catalog: Path
) -> None:
    records.record(row("b", "succeeded", minute=9))
    records.record(row("a", "failed", minute=2))
    records.record(row("a", "running", minute=1))
    assert statuses(catalog) == {"a": "failed", "b": "succeeded"}


def test_what_is_recorded_late_does_not_undo_an_end(records: RunRecords, catalog: Path) -> None:
    records.record(row("a", "succeeded", minute=1))
    records.record(row("a", "waiting", minute=2))
    assert statuses(catalog) == {"a": "succeeded"}


def test_a_folder_whose_name_has_wildcards_is_read_as_it_is_called(tmp_path: Path) -> None:
    root = tmp_path / "data [old]*"
    RunRecords(root / "warehouse").record(row("a", "failed"))
    rebuild_catalog(log_of(root / "warehouse"), root / "catalog.duckdb")
    assert statuses(root / "catalog.duckdb") == {"a": "failed"}


def test_a_status_is_recorded_once(records: RunRecords) -> None:
    assert records.record(row("a", "failed", error="first"))
    assert not records.record(row("a", "failed", error="second"))


def test_many_recordings_become_one_file_and_what_has_not_ended_stays_known(
    records: RunRecords, catalog: Path, commits: Commits
) -> None:
    for number in range(6):
        records.record(row(f"r{number}", "running"))
        records.record(row(f"r{number}", "succeeded" if number else "waiting", minute=-1))
    before = statuses(catalog)
    records.collect(keep_hours=24, many=10)
    assert records.has("r0", "running")
    assert len(list(records.volume().iterdir())) == 3  # what was before, and two recordings of r0
    rebuild_catalog(commits, catalog)
    assert statuses(catalog) == before
    records.record(row("r0", "failed", minute=2))
    assert statuses(catalog) == before | {"r0": "failed"}


def test_who_has_an_old_catalog_open_may_read_on_until_the_files_are_old(
    records: RunRecords, catalog: Path, commits: Commits
) -> None:
    records.record(row("a", "succeeded"))
    with connect(catalog) as reader:
        records.collect(keep_hours=24, many=1)
        pass_hours(records.root, 23)
        assert collect_garbage(commits).files == 0
        assert reader.execute("SELECT run_id FROM runs").fetchall() == [("a",)]
    pass_hours(records.root, 2)
    assert collect_garbage(commits).files == 2
    rebuild_catalog(commits, catalog)
    assert statuses(catalog) == {"a": "succeeded"}


def test_recordings_that_lack_a_later_column_have_null_there(
    records: RunRecords, catalog: Path, commits: Commits
) -> None:
    records.record(row("new", "succeeded", voters=3))
    (path,) = records.volume().glob("new.*")
    earlier = pq.read_table(path).drop_columns("voters")
    pq.write_table(earlier.set_column(0, "run_id", [["old"]]), path.with_name("old.succeeded.parquet"))
    for _ in range(2):
        with connect(catalog) as connection:
            found = dict(connection.execute("SELECT run_id, voters FROM runs").fetchall())
        assert found == {"new": 3, "old": None}
        records.collect(keep_hours=24, many=1)
        rebuild_catalog(commits, catalog)


def test_the_time_up_to_which_all_is_recorded_only_goes_forward(records: RunRecords) -> None:
    assert records.caught_up() is None
    records.mark_caught_up(NOON)
    records.mark_caught_up(NOON - timedelta(hours=1))
    assert records.caught_up() == NOON


LAST = 60


def _record(pipe: Connection, root: Path) -> None:
    records = RunRecords(root / "warehouse")
    for number in range(1, LAST + 1):
        records.record(row(f"r{number}", "succeeded"))
        if number % 10 == 0:
            records.collect(keep_hours=24, many=10)
            rebuild_catalog(log_of(root / "warehouse"), root / "catalog.duckdb")
    (root / "end").touch()


def _count(pipe: Connection, root: Path) -> None:
    at_end = False
    while not at_end:
        at_end = (root / "end").exists()
        pipe.send(len(statuses(root / "catalog.duckdb")))


def test_a_reader_sees_no_error_while_recordings_come_and_are_put_together(tmp_path: Path) -> None:
    rebuild_catalog(log_of(tmp_path / "warehouse"), tmp_path / "catalog.duckdb")
    reader, pipe = start(_count, tmp_path)
    assert pipe.recv() == 0
    writer, _ = start(_record, tmp_path)
    counts = messages(pipe)
    for process in (reader, writer):
        process.join()
    assert (reader.exitcode, writer.exitcode, counts[-1]) == (0, 0, LAST)
