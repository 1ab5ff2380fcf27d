"""Vectors kept between runs, so that no text is embedded twice by the same model.

Here belongs what is kept, and for how long; what is embedded belongs in ``item_embeddings``, the file itself in
``cache_file``.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.cache_file import give_back, open_file, transaction, used_bytes

_MODEL = "(SELECT id FROM models WHERE name = :model)"
_AMONG = "content_hash IN (SELECT value FROM json_each(:hashes))"
_GET = f"""
SELECT content_hash, vector FROM entries JOIN vectors ON id = vector_id WHERE model = {_MODEL} AND {_AMONG}
"""  # noqa: S608 - of constants
_KNOWN = f"SELECT content_hash FROM entries WHERE model = {_MODEL} AND {_AMONG}"  # noqa: S608
_SETTLE = f"""
UPDATE entries SET used_on = max(used_on, :today), is_partial = 0
WHERE model = {_MODEL} AND (used_on < :today OR is_partial) AND {_AMONG}
"""  # noqa: S608
_CONTENTS = """
SELECT name, count(*), sum(4 * dimension), min(created_on), max(created_on), max(used_on), sum(is_partial)
FROM entries JOIN models ON id = model GROUP BY name ORDER BY name
"""
_EXPIRED = f"""
INSERT INTO gone SELECT vector_id FROM entries
WHERE CASE WHEN is_partial THEN created_on <= :partial ELSE used_on <= :unused END
AND (:model IS NULL OR model = {_MODEL})
"""  # noqa: S608
_LEAST_RECENT = f"""
INSERT INTO gone SELECT vector_id FROM (
    SELECT vector_id, 4 * (sum(dimension) OVER (ORDER BY used_on, vector_id) - dimension) AS before
    FROM entries WHERE used_on < :spared AND (:model IS NULL OR model = {_MODEL})
) WHERE before < :bytes
"""  # noqa: S608
_FILLED = 0.95
"""Share of the size allowed that is left where it was passed, so that it is not passed again at once."""
_NEVER = 2**40
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class CacheLimits:
    """How much is kept, and for how long; None: without limit.

    Attributes
    ----------
    max_bytes
        Size of the file. Where it is passed, the vectors that were used least recently go.
    max_age_days
        Days after the last use.
    partial_days
        Days for which vectors are kept whose step has not come to its end: it was killed, or failed.
    """

    max_bytes: int | None = None
    max_age_days: int | None = None
    partial_days: int | None = None


@dataclass(frozen=True)
class ModelContents:
    """What the cache holds of one model. `bytes` counts the vectors alone, `partial` those of unfinished steps."""

    model: str
    vectors: int
    bytes: int
    oldest: date
    newest: date
    last_used: date
    partial: int


@dataclass(frozen=True)
class Pruned:
    """What was removed: vectors, and bytes of the file."""

    vectors: int = 0
    bytes: int = 0


def utc_today() -> date:
    """Return the day that it is now in UTC."""
    return datetime.now(UTC).date()


class EmbeddingCache:
    """Vectors by model and content hash, in one SQLite file of a folder on a local disk.

    Each call is one transaction on its own connection. A process that is killed loses at most the call in flight, and
    several threads and processes may use the file at once: the first vector stored for a key stays.

    Parameters
    ----------
    limits
        What is kept when a step ends; by default everything. `prune` may be asked for other limits.
    today
        Returns the day that it is; use is recorded by the day.
    """

    def __init__(
        self, folder: Path, *, limits: CacheLimits | None = None, today: Callable[[], date] = utc_today
    ) -> None:
        self.file = folder / "embeddings.sqlite"
        self.limits = limits
        self._today = today

    def get_many(self, model: str, hashes: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors that are known, by content hash."""
        with open_file(self.file) as connection:
            rows = connection.execute(_GET, {"model": model, "hashes": json.dumps(list(hashes))})
            return {key: np.frombuffer(blob, dtype="<f4").astype(np.float32) for key, blob in rows}

    def put_many(self, model: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Store vectors by content hash, all or none; those that are known already stay as they are.

        They are partial until `settle` is told that the step that needed them has come to its end.
        """
        blobs = {key: np.ascontiguousarray(vector, dtype="<f4").tobytes() for key, vector in vectors.items()}
        today = self._day()
        with open_file(self.file) as connection, transaction(connection):
            model_id = _model_id(connection, model)
            known = {key for (key,) in connection.execute(_KNOWN, {"model": model, "hashes": json.dumps(list(blobs))})}
            ((last,),) = connection.execute("SELECT coalesce(max(id), 0) FROM vectors")
            new = dict(enumerate((key for key in blobs if key not in known), start=last + 1))
            connection.executemany("INSERT INTO vectors VALUES (?, ?)", ((row, blobs[key]) for row, key in new.items()))
            connection.executemany(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, 1)",
                sorted((model_id, key, row, len(blobs[key]) // 4, today, today) for row, key in new.items()),
            )

    def settle(self, model: str, hashes: Iterable[str]) -> Pruned:
        """Record that a step which used these vectors has come to its end, and prune where a limit is passed.

        Sizes are looked at each time, ages once a day. What was used today stays, so that a run that needs more than
        the cache may hold does not work against itself.
        """
        today = self._day()
        with open_file(self.file) as connection:
            with transaction(connection):
                connection.execute(_SETTLE, {"model": model, "hashes": json.dumps(list(hashes)), "today": today})
            if self.limits and self._is_due(connection, self.limits, today):
                with contextlib.suppress(sqlite3.OperationalError):  # others are busy with it: the next step will do
                    return self._prune(connection, self.limits, spared=today)
        return Pruned()

    def prune(self, limits: CacheLimits, *, model: str | None = None, dry_run: bool = False) -> Pruned:
        """Remove what is past the limits and make the file smaller.

        Parameters
        ----------
        model
            The only model whose vectors may go; the limit of size holds for the whole file.
        dry_run
            Remove nothing, but return what would go.
        """
        if not self.file.exists():
            return Pruned()
        with open_file(self.file) as connection:
            return self._prune(connection, limits, model=model, dry_run=dry_run)

    def contents(self) -> list[ModelContents]:
        """Return what is held, by model."""
        if not self.file.exists():
            return []
        with open_file(self.file) as connection:
            return [
                ModelContents(name, vectors, size, _as_date(oldest), _as_date(newest), _as_date(last_used), partial)
                for name, vectors, size, oldest, newest, last_used, partial in connection.execute(_CONTENTS)
            ]

    def _is_due(self, connection: sqlite3.Connection, limits: CacheLimits, today: int) -> bool:
        ((day,),) = connection.execute("SELECT max(day) FROM pruned")
        is_large = limits.max_bytes is not None and used_bytes(connection) > limits.max_bytes
        return is_large or day is None or day < today

    def _prune(
        self,
        connection: sqlite3.Connection,
        limits: CacheLimits,
        *,
        spared: int = _NEVER,
        model: str | None = None,
        dry_run: bool = False,
    ) -> Pruned:
        """Remove what is past the limits; for its size, nothing that was used on the day `spared` or later."""
        today = self._day()
        oldest = {"partial": _until(today, limits.partial_days), "unused": _until(today, limits.max_age_days)}
        connection.execute("CREATE TEMP TABLE gone (id INTEGER PRIMARY KEY)")
        with transaction(connection, keep=not dry_run):
            before = used_bytes(connection)
            vectors = _remove(connection, _EXPIRED, {"model": model, **oldest})
            while share := _share_over(connection, limits.max_bytes):
                removed = _remove(connection, _LEAST_RECENT, {"model": model, "spared": spared, "bytes": share})
                vectors += removed
                if not removed:
                    break
            size = before - used_bytes(connection)
            connection.execute("DELETE FROM pruned")
            connection.execute("INSERT INTO pruned VALUES (?)", (today,))
        if not dry_run:
            give_back(connection)
        return Pruned(vectors, size)

    def _day(self) -> int:
        return (self._today() - _EPOCH).days


def _as_date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def _model_id(connection: sqlite3.Connection, model: str) -> int:
    """Return the number of a model, a new one where it is not known."""
    if row := connection.execute("SELECT id FROM models WHERE name = ?", (model,)).fetchone():
        return int(row[0])
    return connection.execute("INSERT INTO models (name) VALUES (?)", (model,)).lastrowid or 0


def _until(today: int, age: int | None) -> int:
    """Return the last day that is `age` days ago."""
    return -_NEVER if age is None else today - age


def _share_over(connection: sqlite3.Connection, max_bytes: int | None) -> float:
    """Return how many bytes of vectors to remove from a file that is too large, 0 where it is not.

    With them go their pages; how full these are, and so how much that gives, is seen afterwards.
    """
    used = used_bytes(connection)
    if max_bytes is None or used <= max_bytes:
        return 0.0
    ((vectors,),) = connection.execute("SELECT coalesce(4 * sum(dimension), 0) FROM entries")
    return float(vectors) * (1 - _FILLED * max_bytes / used)


def _remove(connection: sqlite3.Connection, choice: str, values: Mapping[str, object]) -> int:
    """Remove the vectors that a statement lists in `gone`; return how many there were."""
    connection.execute(choice, values)
    connection.execute("DELETE FROM entries WHERE vector_id IN (SELECT id FROM gone)")
    count = connection.execute("DELETE FROM vectors WHERE id IN (SELECT id FROM gone)").rowcount
    connection.execute("DELETE FROM gone")
    return count
