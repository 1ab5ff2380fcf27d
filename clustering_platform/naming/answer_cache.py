"""Answers of language models, kept by what was asked: what was answered once is never paid again."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from clustering_platform.naming.questions import A, Question

KEPT_DAYS = 180
_WAIT = 60.0
_DAY = 86_400
_SCHEMA = "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL, used_on INTEGER NOT NULL)"


class AnswerCache:
    """A SQLite file of answers; threads and processes may use it side by side."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def get(self, question: Question[A], model: str) -> A | None:
        """Return the answer that was given to a question before; None if it was never asked."""
        key = question.key(model)
        with self._open() as connection:
            found = connection.execute("SELECT answer, used_on FROM answers WHERE key = ?", (key,)).fetchone()
            if found is None:
                return None
            if found[1] != _today():
                connection.execute("UPDATE answers SET used_on = ? WHERE key = ?", (_today(), key))
        try:
            return question.form.model_validate_json(found[0])
        except ValidationError:
            return None

    def put(self, question: Question[A], model: str, answer: A) -> None:
        """Keep an answer; it is there for whoever comes next, whatever happens to this process."""
        with self._open() as connection:
            row = (question.key(model), answer.model_dump_json(), _today())
            connection.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", row)

    def prune(self, *, days: int = KEPT_DAYS) -> int:
        """Remove the answers that were not used for so many days and return how many they were."""
        with self._open() as connection:
            return connection.execute("DELETE FROM answers WHERE used_on < ?", (_today() - days,)).rowcount

    def __len__(self) -> int:
        with self._open() as connection:
            return int(connection.execute("SELECT count(*) FROM answers").fetchone()[0])

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(self.file, timeout=_WAIT, isolation_level=None)) as connection:
            connection.execute(_SCHEMA)
            yield connection


def _today() -> int:
    return int(time.time()) // _DAY
