"""All steps from items to named topics in one call, for tests and benchmarks; assets call the single steps."""

from pathlib import Path

import pyarrow as pa

from clustering_platform.semantics.curation import build_curation, build_topic_names, known_topics
from clustering_platform.semantics.document_topics import find_document_topics
from clustering_platform.semantics.embedders.protocol import Embedder
from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.image_embedder import ImageEmbedder
from clustering_platform.semantics.item_embeddings import embed_items, embed_pictures, given_embeddings
from clustering_platform.semantics.lasting import build_lasting_tree
from clustering_platform.semantics.naming import name_topics
from clustering_platform.semantics.pieces import cut_items, picture_items, piece_items, vector_items, whole_items
from clustering_platform.semantics.projection import project
from clustering_platform.semantics.templates import readable, render
from clustering_platform.semantics.time_weights import time_weights
from clustering_platform.semantics.tokens import tokenizer_of
from clustering_platform.semantics.topic_tables import build_topic_tree
from clustering_platform.tables import TABLES
from clustering_platform.topics_config import TopicsConfig


def compute_topics(
    items: pa.Table,
    *,
    embedder: Embedder,
    cache: EmbeddingCache,
    config: TopicsConfig,
    item_vectors: pa.Table | None = None,
    pictures: tuple[Path, ImageEmbedder] | None = None,
) -> dict[str, pa.Table]:
    """Return every table of topics, by name, for the `items` table; as for the first time, with no decisions.

    They are made from the texts of items; or from the vectors given for them; or from their pictures, for which the
    folder and the embedder are given.
    """
    template = config.embedding.template
    if pictures is not None:
        folder, picture_embedder = pictures
        chunks = whole_items(picture_items(items))
        pieces = piece_items(items, chunks)
        embeddings = embed_pictures(pieces, folder, picture_embedder, cache, batch_size=config.images.batch_size)
    elif item_vectors is None:
        chunks = cut_items(items, tokenizer=tokenizer_of(embedder), config=config.chunks, template=template)
        pieces = piece_items(items, chunks)
        embeddings = embed_items(render(pieces, template), embedder, cache, batch_size=config.embedding.batch_size)
    else:
        chunks = whole_items(vector_items(items, item_vectors))
        pieces = piece_items(items, chunks)
        embeddings = given_embeddings(pieces, item_vectors)
    days = config.decay_days
    weights = time_weights(embeddings, chunks, items, decay_days=days) if days else None
    found = build_topic_tree(embeddings, config=config, weights=weights)
    found_topics = found["found_topics"]
    topic_tree, item_topics, topic_lineage = build_lasting_tree(embeddings, found_topics, found["found_item_topics"])
    texts = readable(pieces, template)
    names = name_topics(texts, embeddings, topic_tree, item_topics, embedder=embedder, cache=cache, config=config)
    return {
        "chunks": chunks,
        "embeddings": embeddings,
        "projection": project(embeddings, seed=config.seed),
        **found,
        "topic_tree": topic_tree,
        "item_topics": item_topics,
        "topic_lineage": topic_lineage,
        "document_topics": find_document_topics(chunks, item_topics),
        "proposed_names": names,
        "written_names": TABLES["written_names"].empty(),
        "topic_names": build_topic_names(names, TABLES["written_names"].empty(), topic_tree, []),
        "curation": build_curation([], known_topics(found_topics, topic_lineage)),
    }
