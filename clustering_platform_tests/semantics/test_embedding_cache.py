"""The store of vectors: what comes out, and what is left of a process that was killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from clustering_platform.semantics.embedding_cache import EmbeddingCache

WRITER = """
import sys, itertools
from pathlib import Path
import numpy as np
from clustering_platform.semantics.embedding_cache import EmbeddingCache
cache = EmbeddingCache(Path(sys.argv[1]))
for batch in itertools.count():
    keys = [f"{sys.argv[2]}-{batch}-{row}" for row in range(50)]
    cache.put_many("m", {key: np.full(64, batch, dtype=np.float32) for key in keys})
    print(batch, flush=True)
    if batch + 1 == int(sys.argv[3]):
        break
"""


def start_writer(folder: Path, name: str, batches: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), name, str(batches)], stdout=subprocess.PIPE, text=True
    )


def stored_keys(cache: EmbeddingCache) -> list[str]:
    with sqlite3.connect(cache.file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute("SELECT content_hash FROM entries JOIN vectors ON id = vector_id").fetchall()
    connection.close()
    return [key for (key,) in rows]


def test_vectors_come_back_bit_for_bit(cache: EmbeddingCache) -> None:
    vectors = {f"h{row}": np.random.default_rng(row).normal(size=7).astype(np.float32) for row in range(1200)}
    cache.put_many("m", vectors)
    found = cache.get_many("m", [*vectors, "unknown"])
    assert found.keys() == vectors.keys()
    assert all(found[key].tobytes() == vectors[key].tobytes() for key in vectors)


def test_models_do_not_share_vectors(cache: EmbeddingCache) -> None:
    cache.put_many("one", {"h": np.ones(3, dtype=np.float32)})
    assert cache.get_many("two", ["h"]) == {}


def test_the_first_vector_stays(cache: EmbeddingCache) -> None:
    cache.put_many("m", {"h": np.ones(3, dtype=np.float32)})
    cache.put_many("m", {"h": np.zeros(3, dtype=np.float32)})
    assert cache.get_many("m", ["h"])["h"].tolist() == [1, 1, 1]


def test_a_file_that_is_no_cache_is_named(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    cache.file.write_bytes(b"not a database at all" * 100)
    with pytest.raises(OSError, match=r"embeddings\.sqlite.*delete it"):
        cache.get_many("m", ["h"])


def test_threads_may_share_a_cache(cache: EmbeddingCache) -> None:
    def write(name: str) -> None:
        for row in range(20):
            cache.put_many("m", {f"{name}{row}": np.ones(4, dtype=np.float32)})

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored_keys(cache)) == 80


def test_two_processes_may_start_and_write_at_once(tmp_path: Path) -> None:
    writers = [start_writer(tmp_path, name, 10) for name in "ab"]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.close()
    assert len(stored_keys(EmbeddingCache(tmp_path))) == 1000


@pytest.mark.parametrize("after", [0, 3])
def test_a_killed_process_loses_at_most_the_batch_in_flight(tmp_path: Path, after: int) -> None:
    writer = start_writer(tmp_path, "k", 0)
    assert writer.stdout is not None
    confirmed = [int(writer.stdout.readline()) for _ in range(after + 1)]
    os.kill(writer.pid, signal.SIGKILL)
    confirmed += [int(line) for line in writer.stdout.read().split()]
    writer.wait(timeout=60)
    writer.stdout.close()
    keys = stored_keys(EmbeddingCache(tmp_path))
    batches = {int(key.split("-")[1]) for key in keys}
    assert len(keys) == 50 * len(batches)
    assert batches >= set(confirmed)
    assert len(batches) <= len(confirmed) + 1
    EmbeddingCache(tmp_path).put_many("m", {"after": np.ones(64, dtype=np.float32)})
