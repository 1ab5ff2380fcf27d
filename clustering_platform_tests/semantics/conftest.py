"""Fixtures of this room."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from clustering_platform.semantics.embedders.sentence_transformers import SentenceTransformerEmbedder
from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.item_embeddings import embed_items
from clustering_platform.semantics.pipeline import compute_topics
from clustering_platform.topics_config import TopicsConfig
from clustering_platform_tests.semantics.fakes import FakeEmbedder, items_of


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "cache")


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingCache:
    return EmbeddingCache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def packaged() -> Iterator[SentenceTransformerEmbedder]:
    with SentenceTransformerEmbedder() as embedder:
        yield embedder


@pytest.fixture(scope="session")
def topics_of(session_cache: EmbeddingCache) -> Callable[..., dict[str, pa.Table]]:
    """Compute every table of topics of texts with the fake embedder."""

    def compute(texts: list[str | None], **settings: int) -> dict[str, pa.Table]:
        return compute_topics(
            items_of(texts), embedder=FakeEmbedder(), cache=session_cache, config=TopicsConfig(**settings)
        )

    return compute


@pytest.fixture(scope="session")
def embeddings_of(session_cache: EmbeddingCache) -> Callable[[list[str | None]], pa.Table]:
    """Embed texts with the fake embedder."""
    return lambda texts: embed_items(items_of(texts), FakeEmbedder(), session_cache, batch_size=64)
