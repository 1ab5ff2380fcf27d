"""Embedders for the tests of this folder, which never really wait."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.embedders.openai import OpenAIEmbedder
from clustering_platform.topics_config import EmbeddingConfig
from clustering_platform_tests.calls.clocks import FakeClock
from clustering_platform_tests.semantics.embedders.server import EmbeddingServer, vector_of

TEXTS = [f"text number {number} about {['buses', 'trams', 'rent', 'parks'][number % 4]}" for number in range(20)]


def embedder_of(server: EmbeddingServer, clock: FakeClock | None = None, **settings: Any) -> OpenAIEmbedder:
    """Return an embedder on the server: requests of five texts, one after the other."""
    settings = {"batch_size": 5, "concurrency": 1, "timeout_seconds": 20, **settings}
    config = EmbeddingConfig(provider="openai", base_url=server.base_url, **settings)
    return OpenAIEmbedder(config, clock=clock or FakeClock(), draw=lambda: 0.5)


def expected(texts: list[str], dimension: int = 8) -> NDArray[np.float32]:
    """Return the vectors of length one that the server gives."""
    rows = np.array([vector_of(text, dimension) for text in texts])
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
