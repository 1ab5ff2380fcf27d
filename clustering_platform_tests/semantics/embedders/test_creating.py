"""From settings to an embedder."""

import pytest

from clustering_platform.semantics.embedders.creating import create_embedder
from clustering_platform.topics_config import EmbeddingConfig


def test_the_packaged_model_is_the_default() -> None:
    with create_embedder(EmbeddingConfig()) as embedder:
        assert embedder.model.startswith("packaged-minilm@53aa51172d14")


def test_openai_has_a_model_of_its_own_as_default() -> None:
    with create_embedder(EmbeddingConfig(provider="openai")) as embedder:
        assert embedder.model == "text-embedding-3-large@api.openai.com/v1"


def test_what_changes_vectors_is_in_the_name() -> None:
    with create_embedder(EmbeddingConfig(dimensions=64, max_tokens=32)) as embedder:
        assert embedder.model.endswith(", 64 dimensions, 32 tokens")


def test_only_models_of_the_hub_have_revisions() -> None:
    with (
        create_embedder(EmbeddingConfig(revision="main")) as embedder,
        pytest.raises(ValueError, match=r"topics.embedding.revision: 'packaged-minilm' has none"),
    ):
        _ = embedder.model
