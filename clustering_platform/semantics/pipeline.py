"""All steps from items to named topics in one call, for tests and benchmarks; assets call the single steps."""

import pyarrow as pa

from clustering_platform.dataset_config import TopicsConfig
from clustering_platform.semantics.curation import build_curation, build_topic_names, known_topics
from clustering_platform.semantics.embedders.protocol import Embedder
from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.item_embeddings import embed_items
from clustering_platform.semantics.lasting import build_lasting_tree
from clustering_platform.semantics.naming import name_topics
from clustering_platform.semantics.projection import project
from clustering_platform.semantics.topic_tables import build_topic_tree


def compute_topics(
    items: pa.Table, *, embedder: Embedder, cache: EmbeddingCache, config: TopicsConfig
) -> dict[str, pa.Table]:
    """Return every table of topics, by name, for the `items` table; as for the first time, with no decisions."""
    embeddings = embed_items(items, embedder, cache, batch_size=config.embedding.batch_size)
    found = build_topic_tree(embeddings, config=config)
    found_topics = found["found_topics"]
    topic_tree, item_topics, topic_lineage = build_lasting_tree(embeddings, found_topics, found["found_item_topics"])
    names = name_topics(items, embeddings, topic_tree, item_topics, embedder=embedder, cache=cache, config=config)
    return {
        "embeddings": embeddings,
        "projection": project(embeddings, seed=config.seed),
        **found,
        "topic_tree": topic_tree,
        "item_topics": item_topics,
        "topic_lineage": topic_lineage,
        "proposed_names": names,
        "topic_names": build_topic_names(names, topic_tree, []),
        "curation": build_curation([], known_topics(found_topics, topic_lineage)),
    }
