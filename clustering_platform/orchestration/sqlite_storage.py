"""Dagster's SQLite storage with connections that stay open, and with a memory of what it was asked.

As it comes, it opens and closes a file for every event that it writes or reads: three thousand times, and half of the
seconds, in a run of a small dataset. And it asks at every step again which columns and partitions there are: a third of
all questions.
"""

import math
import os
import shutil
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import dagster
from dagster import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from filelock import FileLock
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

_BUSY_SECONDS = 60
_OPEN_FILES = 8
_PARTITION_SECONDS = 2.0
"""How long a partition is taken to be there without asking again: somebody may delete it."""


class FastSqliteStorage(DagsterSqliteStorage):
    """Runs, events and schedules in SQLite."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        history = os.path.join(base_dir, "history", "")  # noqa: PTH118 - Dagster's own form
        self._run_storage = _Runs.from_local(history)
        self._event_log_storage = _Events(os.path.join(history, "runs", ""))  # noqa: PTH118


class _Runs(SqliteRunStorage):
    """Runs: one file."""

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Yield a connection in a transaction."""
        if not hasattr(self, "_engine"):
            self._engine = _engine(self._conn_string)
        with self._engine.begin() as connection:
            yield connection


class _Events(SqliteEventLogStorage):
    """Events: a file for each run, and one of all assets."""

    def __init__(self, base_dir: str) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._lasting: set[tuple[str, str]] = set()
        self._partitions: dict[tuple[str, str], float] = {}
        weakref.finalize(self, _dispose, self._engines)
        super().__init__(base_dir)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if shard not in self._engines:
                self._engines[shard] = _engine(self.conn_string_for_shard(shard))
            self._engines.move_to_end(shard)
            if len(self._engines) > _OPEN_FILES:
                self._engines.popitem(last=False)[1].dispose()
            if shard not in self._initialized_dbs:
                self._begin(shard)
                self._initialized_dbs.add(shard)
            with self._engines[shard].begin() as connection:
                yield connection

    def _begin(self, shard: str) -> None:
        """Make the tables of a file; of a new one by a copy of an empty one, which takes a tenth of the time."""
        file, empty = Path(self.path_for_shard(shard)), Path(self._base_dir, f"empty-{dagster.__version__}")
        if file.exists():
            self._initdb(self._engines[shard])
            return
        with FileLock(f"{empty}.lock"):
            if not empty.exists():
                made = Path(f"{empty}.part")
                made.unlink(missing_ok=True)
                engine = _engine(URL.create("sqlite", database=str(made)))
                self._initdb(engine)
                engine.dispose()
                made.replace(empty)
            if not file.exists():
                shutil.copyfile(empty, f"{file}.part")
                Path(f"{file}.part").replace(file)

    def has_table(self, table_name: str) -> bool:
        """Tell whether there is a table."""
        return self._lasts("table", table_name, super().has_table)

    def has_asset_key_col(self, column_name: str) -> bool:
        """Tell whether the table of assets has a column."""
        return self._lasts("column", column_name, super().has_asset_key_col)

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        return self._lasts("column", column_name, partial(super()._has_asset_key_col_on_connection, conn))

    def has_secondary_index(self, name: str) -> bool:
        """Tell whether a migration of events is complete."""
        return self._lasts("index", name, super().has_secondary_index)

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Tell whether there is a partition, or was a moment ago."""
        key, now = (partitions_def_name, partition_key), time.monotonic()
        if now - self._partitions.get(key, -math.inf) < _PARTITION_SECONDS:
            return True
        found: bool = super().has_dynamic_partition(partitions_def_name, partition_key)
        if found:
            self._partitions[key] = now
        return found

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        """Delete a partition."""
        super().delete_dynamic_partition(partitions_def_name, partition_key)
        self._partitions.pop((partitions_def_name, partition_key), None)

    def _lasts(self, kind: str, name: str, ask: Callable[[str], bool]) -> bool:
        """Tell whether something is there that stays once it is."""
        if (kind, name) not in self._lasting and ask(name):
            self._lasting.add((kind, name))
        return (kind, name) in self._lasting

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, and tell those who follow the run.

        They watch the file, which does not change by itself as long as it is open: new events lie in its log.
        """
        super().store_event(event)
        os.utime(self.path_for_shard(event.run_id))

    def wipe(self) -> None:
        """Delete all events."""
        self._close()
        self._lasting.clear()
        self._partitions.clear()
        super().wipe()

    def dispose(self) -> None:
        """Close all files."""
        self._close()
        super().dispose()

    def _close(self) -> None:
        with self._db_lock:
            _dispose(self._engines)


def _dispose(engines: OrderedDict[str, Engine]) -> None:
    while engines:
        engines.popitem()[1].dispose()


def _engine(url: str | URL) -> Engine:
    """Return an engine that keeps its connections."""
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, max_overflow=-1)

    @event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        # With a write-ahead log, a crash of the machine can then cost the last events, but no consistency.
        connection.cursor().execute("PRAGMA synchronous = NORMAL")

    return engine
