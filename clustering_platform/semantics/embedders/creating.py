"""From settings to an embedder."""

from contextlib import AbstractContextManager

from clustering_platform.semantics.embedders.protocol import Embedder
from clustering_platform.topics_config import EmbeddingConfig


def create_embedder(config: EmbeddingConfig) -> AbstractContextManager[Embedder]:
    """Return the embedder that the settings ask for; leaving its block releases the model.

    Nothing is loaded, and no key is read, before the first text is embedded.
    """
    if config.provider == "openai":
        from clustering_platform.semantics.embedders.openai import OpenAIEmbedder

        return OpenAIEmbedder(config)
    from clustering_platform.semantics.embedders.sentence_transformers import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder(
        config.model_name,
        revision=config.revision,
        dimensions=config.dimensions,
        max_tokens=config.max_tokens,
        batch_size=config.batch_size,
    )
