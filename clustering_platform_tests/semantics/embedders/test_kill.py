"""What a process that is killed in the middle has paid for, and what the next one pays again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.item_embeddings import embed_items, vector_matrix
from clustering_platform_tests.calls.server import status
from clustering_platform_tests.semantics.embedders.making import embedder_of, expected
from clustering_platform_tests.semantics.embedders.server import EmbeddingServer
from clustering_platform_tests.semantics.fakes import items_of

TEXTS = [f"statement {number:03}" for number in range(120)]
CHILD = """
import sys
from pathlib import Path
from clustering_platform.topics_config import EmbeddingConfig
from clustering_platform.semantics.embedders.openai import OpenAIEmbedder
from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.item_embeddings import embed_items
from clustering_platform_tests.semantics.embedders.test_kill import BATCH, TEXTS, THREADS
from clustering_platform_tests.semantics.fakes import items_of
config = EmbeddingConfig(provider="openai", base_url=sys.argv[1], batch_size=BATCH, concurrency=THREADS)
with OpenAIEmbedder(config) as embedder:
    embed_items(items_of(TEXTS), embedder, EmbeddingCache(Path(sys.argv[2])), batch_size=BATCH)
"""
BATCH, THREADS = 5, 3


@pytest.mark.parametrize("after", [1, 8])
def test_a_killed_process_pays_again_for_the_batches_under_way_at_most(tmp_path: Path, after: int) -> None:
    with EmbeddingServer() as server:
        server.pause = 0.1
        child = subprocess.Popen([sys.executable, "-c", CHILD, server.base_url, str(tmp_path)])
        deadline = time.monotonic() + 60
        while len(server.requests) < after + THREADS and time.monotonic() < deadline:
            time.sleep(0.005)
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait(timeout=60) == -signal.SIGKILL
        time.sleep(0.3)  # what was under way is answered to nobody
        answered = sum(server.paid.values())
        assert after * BATCH <= answered < len(TEXTS)
        server.pause = 0
        with embedder_of(server, batch_size=BATCH, concurrency=THREADS) as embedder:
            table = embed_items(items_of(TEXTS), embedder, EmbeddingCache(tmp_path), batch_size=BATCH)
    np.testing.assert_allclose(vector_matrix(table["vector"]), expected(TEXTS), atol=1e-6)
    assert set(server.paid) == set(TEXTS)
    assert sum(count - 1 for count in server.paid.values()) <= BATCH * THREADS


def test_runs_that_fail_again_and_again_pay_for_every_text_once(tmp_path: Path) -> None:
    with EmbeddingServer() as server:
        for run in range(6):
            server.faults = [*[lambda reply: None] * 4, status(401)]
            with embedder_of(server, concurrency=THREADS) as embedder:
                try:
                    embed_items(items_of(TEXTS), embedder, EmbeddingCache(tmp_path), batch_size=BATCH)
                except RuntimeError:
                    assert run < 5
    assert set(server.paid) == set(TEXTS)
    assert set(server.paid.values()) == {1}
