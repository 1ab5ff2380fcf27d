"""The SQLite file of vectors: its tables, how it is made, opened, brought up to date and made smaller.

What is looked up and stored in it belongs in ``embedding_cache``.
"""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

_VERSION = 2
_PAGE = 8192
"""Bytes; five vectors of 384 numbers fill a page to 94 %, where two fill one of 4,096 bytes to 75 %."""
_PAGES_AT_A_TIME = 25_000
_WAIT = 60.0
_SCHEMA = (
    "CREATE TABLE models (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """CREATE TABLE entries (
        model INTEGER NOT NULL,
        content_hash TEXT NOT NULL,
        vector_id INTEGER NOT NULL,
        dimension INTEGER NOT NULL,
        created_on INTEGER NOT NULL,
        used_on INTEGER NOT NULL,
        is_partial INTEGER NOT NULL,
        PRIMARY KEY (model, content_hash)
    ) WITHOUT ROWID""",
    "CREATE TABLE vectors (id INTEGER PRIMARY KEY, vector BLOB NOT NULL)",
    "CREATE TABLE pruned (day INTEGER NOT NULL)",
)
"""Days are counted from 1970-01-01. What changes with use stands apart from the vectors, so that it is little."""
_FROM_VERSION_1 = (
    "ALTER TABLE vectors RENAME TO vectors_1",
    *_SCHEMA,
    "INSERT INTO models (name) SELECT DISTINCT model FROM vectors_1",
    "INSERT INTO vectors SELECT rowid, vector FROM vectors_1 ORDER BY rowid",
    """INSERT INTO entries
    SELECT models.id, content_hash, vectors_1.rowid, dimension, CAST(strftime('%s', created_at) AS INTEGER) / 86400,
        CAST(strftime('%s', 'now') AS INTEGER) / 86400, 0
    FROM vectors_1 JOIN models ON name = model ORDER BY 1, 2""",
    "DROP TABLE vectors_1",
)


@contextlib.contextmanager
def open_file(file: Path) -> Iterator[sqlite3.Connection]:
    """Open the file, made or brought up to date where needed; each statement is a transaction unless one is open.

    Raises
    ------
    OSError
        The file is damaged, is something else, or was made by a newer version.
    """
    if not file.exists():
        _create(file)
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=_WAIT, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = NORMAL")
            _bring_up_to_date(connection, file)
            yield connection
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:  # its subclasses do not mean that the file is damaged
            raise
        raise OSError(
            f"{file}: {error}; delete it, and what lies beside it as {file.name}-wal and -shm: "
            "the vectors are made again"
        ) from error


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, *, keep: bool = True) -> Iterator[None]:
    """Do all that is done in the block, or nothing of it; nothing too where `keep` is false."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT" if keep else "ROLLBACK")


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return the size of the file without its empty pages."""
    pages, free, size = (pragma(connection, name) for name in ("page_count", "freelist_count", "page_size"))
    return (pages - free) * size


def give_back(connection: sqlite3.Connection) -> None:
    """Give the room of empty pages back to the disk, in steps between which others may write.

    If others are busy with the file, the rest is given back the next time.
    """
    free = pragma(connection, "freelist_count")
    if not free:
        return
    if not pragma(connection, "auto_vacuum"):
        _rewrite(connection)
    with contextlib.suppress(sqlite3.OperationalError):
        for _ in range(0, free, _PAGES_AT_A_TIME):
            # `execute` would stop after the first page
            connection.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_A_TIME})")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """Return a number that SQLite knows of the file."""
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _create(file: Path) -> None:
    """Make the file aside and link it into place whole: two processes that switch to WAL at once get in trouble."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".new-") as folder:
        new = Path(folder) / file.name
        with contextlib.closing(sqlite3.connect(new)) as connection:
            connection.execute(f"PRAGMA page_size = {_PAGE}")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            for statement in (*_SCHEMA, f"PRAGMA user_version = {_VERSION}"):
                connection.execute(statement)
        with contextlib.suppress(FileExistsError):
            os.link(new, file)


def _bring_up_to_date(connection: sqlite3.Connection, file: Path) -> None:
    version = pragma(connection, "user_version")
    if version > _VERSION:
        raise OSError(f"{file}: was made by a newer version of the platform; use that, or delete the file")
    if version == _VERSION:
        return
    with transaction(connection):
        if pragma(connection, "user_version") == _VERSION:  # another process was faster
            return
        for statement in (*_FROM_VERSION_1, f"PRAGMA user_version = {_VERSION}"):
            connection.execute(statement)
    _rewrite(connection)


def _rewrite(connection: sqlite3.Connection) -> None:
    """Rewrite the file without empty pages, and so that it can give them back; later, if somebody is using it."""
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("VACUUM")
