"""Dagster's SQLite storage with connections that stay open."""

import contextlib
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from dagster import EventLogEntry
from dagster._core.storage.event_log import EventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy import text

from clustering_platform.orchestration.sqlite_storage import FastSqliteStorage


def _store(events: EventLogStorage, run_id: str, message: str) -> None:
    events.store_event(EventLogEntry(None, 20, message, run_id, time.time()))


def _messages(events: EventLogStorage, run_id: str) -> list[str]:
    return [record.event_log_entry.user_message for record in events.get_records_for_run(run_id).records]


def _open_files(folder: Path) -> set[str]:
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = link.readlink()
        except FileNotFoundError:  # the folder's own
            continue
        if folder in target.parents:
            found.add(target.name.partition(".db")[0])
    return found


def test_other_processes_see_every_event_at_once_and_are_told_of_it(tmp_path: Path) -> None:
    writer = FastSqliteStorage(str(tmp_path))
    _store(writer.event_log_storage, "one", "first")
    reader = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    told, seen = threading.Event(), []

    def follow(entry: EventLogEntry, cursor: str) -> None:
        seen.append(entry.user_message)
        told.set()

    cursor = reader.get_records_for_run("one").cursor
    reader.watch("one", cursor, follow)
    _store(writer.event_log_storage, "one", "second")
    assert told.wait(10)
    assert seen == ["second"]
    reader.end_watch("one", follow)
    reader.dispose()
    writer.dispose()


def test_a_few_files_stay_open_and_none_once_disposed_of(tmp_path: Path) -> None:
    storage = FastSqliteStorage(str(tmp_path))
    runs = [f"run-{number:02}" for number in range(20)]
    for _ in range(2):
        for run_id in runs:
            _store(storage.event_log_storage, run_id, run_id)
    assert {"run-19", "run-18"} <= _open_files(tmp_path)
    assert len(_open_files(tmp_path) - {"runs"}) <= 8
    assert _messages(storage.event_log_storage, "run-00") == ["run-00"] * 2
    storage.event_log_storage.dispose()
    assert _open_files(tmp_path) <= {"runs"}
    assert not list((tmp_path / "history" / "runs").glob("*-wal"))


def test_threads_write_side_by_side(tmp_path: Path) -> None:
    storage = FastSqliteStorage(str(tmp_path))
    events = storage.event_log_storage

    def write(number: int) -> None:
        for place in range(20):
            _store(events, f"run-{number % 12}", f"{number}.{place}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = [message for number in range(12) for message in _messages(events, f"run-{number}")]
    assert sorted(stored) == sorted(f"{number}.{place}" for number in range(24) for place in range(20))
    storage.dispose()


def test_files_of_runs_are_alike_whether_dagster_or_a_copy_began_them(tmp_path: Path) -> None:
    ours, theirs = FastSqliteStorage(str(tmp_path / "ours é")), SqliteEventLogStorage(str(tmp_path / "theirs"))
    for run_id in ("one", "two"):
        _store(ours.event_log_storage, run_id, run_id)
    _store(theirs, "one", "one")
    expected = _schema(tmp_path / "theirs" / "one.db")
    assert ("table", "event_logs") in {row[:2] for row in expected}
    assert [_schema(tmp_path / "ours é" / "history" / "runs" / f"{run_id}.db") for run_id in ("one", "two")] == [
        expected
    ] * 2
    assert sorted(ours.event_log_storage.get_all_run_ids()) == ["one", "two"]
    ours.dispose()
    theirs.dispose()


def _schema(file: Path) -> list[tuple[str, ...]]:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        versions = connection.execute("SELECT 'version', version_num FROM alembic_version").fetchall()
        journal = connection.execute("PRAGMA journal_mode").fetchall()
        return (
            sorted(connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall(), key=str)
            + versions
            + journal
        )


def test_what_was_wiped_is_gone_and_the_next_event_is_stored(tmp_path: Path) -> None:
    storage = FastSqliteStorage(str(tmp_path))
    _store(storage.event_log_storage, "one", "before")
    storage.event_log_storage.wipe()
    _store(storage.event_log_storage, "one", "after")
    assert _messages(storage.event_log_storage, "one") == ["after"]
    storage.dispose()


def test_a_table_that_comes_later_is_seen(tmp_path: Path) -> None:
    storage = FastSqliteStorage(str(tmp_path))
    events = storage.event_log_storage
    assert events.has_table("dynamic_partitions")
    assert not events.has_table("new")
    with events.index_connection() as connection:
        connection.execute(text("CREATE TABLE new (id INTEGER)"))
    assert events.has_table("new")
    storage.dispose()


def test_a_partition_is_there_at_once_and_gone_a_moment_after_another_process_deleted_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = FastSqliteStorage(str(tmp_path))
    events = storage.event_log_storage
    other = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    assert not events.has_dynamic_partition("dataset", "talk")
    other.add_dynamic_partitions("dataset", ["talk"])
    assert events.has_dynamic_partition("dataset", "talk")
    other.delete_dynamic_partition("dataset", "talk")
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 3)
    assert not events.has_dynamic_partition("dataset", "talk")
    events.add_dynamic_partitions("dataset", ["talk"])
    assert events.has_dynamic_partition("dataset", "talk")
    events.delete_dynamic_partition("dataset", "talk")
    assert not events.has_dynamic_partition("dataset", "talk")
    storage.dispose()
    other.dispose()
