"""Locks that hold across machines: advisory locks of a PostgreSQL session.

They go with the connection of their holder, however that ends. Who loses the connection loses the lock; the sequence
numbers of commits keep such a run from publishing over another.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from typing import TYPE_CHECKING

from filelock import Timeout

from clustering_platform.store.errors import StoreError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in small letters

_POLL_SECONDS = 0.2
_PREFIX = "clustering-platform/"
_SCHEME = re.compile(r"^postgres(ql)?(\+\w+)?://")


class AdvisoryLock:
    """A lock by name, among all who use the same database.

    Parameters
    ----------
    url
        The database.
    name
        What is locked.
    """

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._key = key_of(name)
        self._session: Connection | None = None

    def acquire(self, timeout: float) -> None:
        """Take the lock, waiting as many seconds for another holder.

        Raises
        ------
        Timeout
            It was not to be had in time.
        StoreError
            The database cannot be reached.
        """
        end = time.monotonic() + timeout
        session = _connect(self._url)
        try:
            while not _ask(session, "SELECT pg_try_advisory_lock(%s)", self._key):
                if time.monotonic() >= end:
                    raise Timeout(f"advisory lock {self._key}")
                time.sleep(_POLL_SECONDS)
            self._session, session = session, None
        finally:
            if session:
                session.close()

    def release(self) -> None:
        """Give the lock back; nothing happens where it is not held."""
        session, self._session = self._session, None
        if session:
            session.close()


def is_held(url: str, name: str) -> bool:
    """Tell whether anybody holds the lock of a name."""
    with contextlib.closing(_connect(url)) as session:
        return not _ask(session, "SELECT pg_try_advisory_lock(%s)", key_of(name))


def key_of(name: str) -> int:
    """Return the number by which PostgreSQL knows the lock of a name."""
    return int.from_bytes(hashlib.sha256((_PREFIX + name).encode()).digest()[:8], "big", signed=True)


def _connect(url: str) -> Connection:
    import psycopg2

    try:
        session = psycopg2.connect(_SCHEME.sub("postgresql://", url), keepalives_idle=30, connect_timeout=10)
    except psycopg2.Error as error:
        session, reason = None, str(error).partition(" failed: ")[2].partition("\n")[0]
    if session is None:  # raised outside `except`, and without what comes before: it may hold parts of the URL
        raise StoreError(
            "the database of CLUSTERING_POSTGRES_URL, which keeps the locks of datasets, cannot be reached: "
            f"{reason or 'is the URL right?'}"
        )
    session.autocommit = True
    return session


def _ask(session: Connection, query: str, key: int) -> bool:
    with session.cursor() as cursor:
        cursor.execute(query, (key,))
        row = cursor.fetchone()
    return bool(row and row[0])
