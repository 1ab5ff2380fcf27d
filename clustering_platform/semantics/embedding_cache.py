"""Vectors kept between runs, so that no text is embedded twice by the same model.

Here belongs how they are kept; what is embedded belongs in ``item_embeddings``.
"""

import contextlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_SCHEMA = """
CREATE TABLE vectors (
    model TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    vector BLOB NOT NULL CHECK (length(vector) = 4 * dimension),
    created_at TEXT NOT NULL,
    PRIMARY KEY (model, content_hash)
)
"""
_GET = """
SELECT content_hash, vector FROM vectors
WHERE model = ? AND content_hash IN (SELECT value FROM json_each(?))
"""


class EmbeddingCache:
    """Vectors by model and content hash, in one SQLite file of a folder on a local disk.

    Each call is one transaction on its own connection. A process that is killed loses at most the call in flight, and
    several threads and processes may use the file at once: the first vector stored for a key stays.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "embeddings.sqlite"

    def get_many(self, model: str, hashes: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors that are known, by content hash."""
        with self._connect() as connection:
            rows = connection.execute(_GET, (model, json.dumps(list(hashes))))
            return {key: np.frombuffer(blob, dtype="<f4").astype(np.float32) for key, blob in rows}

    def put_many(self, model: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Store vectors by content hash, all or none; those that are known already stay as they are."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        rows = [
            (model, key, len(vector), np.ascontiguousarray(vector, dtype="<f4").tobytes(), now)
            for key, vector in vectors.items()
        ]
        with self._connect() as connection:
            connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?, ?, ?)", rows)

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        if not self.file.exists():
            self._create()
        try:
            with contextlib.closing(sqlite3.connect(self.file, timeout=60)) as connection, connection:
                connection.execute("PRAGMA synchronous = NORMAL")
                yield connection
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # its subclasses do not mean that the file is damaged
                raise
            raise OSError(f"{self.file}: {error}; delete it and the vectors are made again") from error

    def _create(self) -> None:
        """Make the file aside and link it into place whole: two processes that switch to WAL at once get in trouble."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.file.parent, prefix=".new-") as folder:
            new = Path(folder) / self.file.name
            with contextlib.closing(sqlite3.connect(new)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(_SCHEMA)
            with contextlib.suppress(FileExistsError):
                os.link(new, self.file)
