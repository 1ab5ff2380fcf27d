"""Dagster's SQLite storage with connections that stay open.

As it comes, it opens and closes a file for every event that it writes or reads: three thousand times, and half of the
seconds, in a run of a small dataset.
"""

import os
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from dagster import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

_BUSY_SECONDS = 60
_OPEN_FILES = 8


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
        self._tables: set[str] = set()
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
                self._initdb(self._engines[shard])
                self._initialized_dbs.add(shard)
            with self._engines[shard].begin() as connection:
                yield connection

    def has_table(self, table_name: str) -> bool:
        """Tell whether there is a table; it is asked for every partition key, and one that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, and tell those who follow the run.

        They watch the file, which does not change by itself as long as it is open: new events lie in its log.
        """
        super().store_event(event)
        os.utime(self.path_for_shard(event.run_id))

    def wipe(self) -> None:
        """Delete all events."""
        self._close()
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


def _engine(url: str) -> Engine:
    """Return an engine that keeps its connections."""
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, max_overflow=-1)

    @event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        # With a write-ahead log, a crash of the machine can then cost the last events, but no consistency.
        connection.cursor().execute("PRAGMA synchronous = NORMAL")

    return engine
