"""Where embedders come from."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import dagster as dg

from clustering_platform.topics_config import EmbeddingConfig, ImagesConfig

if TYPE_CHECKING:
    from clustering_platform.semantics.embedders.protocol import Embedder
    from clustering_platform.semantics.image_embedder import ImageEmbedder


class Embedders(dg.ConfigurableResource[None]):
    """Makes the embedder that a dataset asks for; tests put another in its place."""

    def create(self, config: EmbeddingConfig) -> AbstractContextManager[Embedder]:
        """Return the embedder of `config`; leaving its block releases the model."""
        from clustering_platform.semantics.embedders.creating import create_embedder

        return create_embedder(config)

    def create_for_images(self, config: ImagesConfig) -> AbstractContextManager[ImageEmbedder]:
        """Return the embedder of pictures that `config` asks for; leaving its block releases the model."""
        from clustering_platform.semantics.image_embedder import DinoEmbedder

        return DinoEmbedder(config)
