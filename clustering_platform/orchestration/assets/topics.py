"""Texts to a tree of named topics, for one dataset."""

import pyarrow as pa

from clustering_platform.orchestration.assets.outcomes import OUTCOMES
from clustering_platform.orchestration.table_assets import CONFIG_ASSET, Run, Tables, table_asset


@table_asset("embeddings", kinds=("torch", "parquet"), deps=(CONFIG_ASSET,))
def embeddings(run: Run, items: pa.Table) -> pa.Table:
    """Turn every text into a vector; vectors made before come from the cache."""
    from clustering_platform.semantics.item_embeddings import embed_items, topic_items
    from clustering_platform.semantics.templates import render

    config = run.config.topics
    chosen = render(topic_items(items, include_rejected=config.include_rejected), config.embedding.template)
    with run.embedder() as embedder:
        batch_size = config.embedding.batch_size
        return embed_items(chosen, embedder, run.embedding_cache(), batch_size=batch_size, progress=run.progress)


@table_asset("projection", kinds=("umap", "parquet"), deps=(CONFIG_ASSET,))
def projection(run: Run, embeddings: pa.Table) -> pa.Table:
    """Lay the vectors out as a map."""
    from clustering_platform.semantics.projection import project

    return project(embeddings, seed=run.config.topics.seed)


@table_asset(
    "topic_tree", "item_topics", "topic_levels", "topic_merges", kinds=("umap", "parquet"), deps=(CONFIG_ASSET,)
)
def topic_tree(run: Run, embeddings: pa.Table) -> Tables:
    """Find the topics of the items and gather them in a tree."""
    from clustering_platform.semantics.topic_tables import TREE_TABLES, build_topic_tree

    tables = build_topic_tree(embeddings, config=run.config.topics)
    return tuple(tables[name] for name in TREE_TABLES)


@table_asset(
    "topic_names",
    deps=("votes", "voters", "quarantine", "ingest_report", *OUTCOMES, CONFIG_ASSET),
    publishes=True,
)
def topic_names(
    run: Run,
    items: pa.Table,
    embeddings: pa.Table,
    projection: pa.Table,
    topic_tree: pa.Table,
    item_topics: pa.Table,
) -> pa.Table:
    """Name every topic from its items, and publish the tables of the dataset."""
    from clustering_platform.orchestration.pictures import topic_map
    from clustering_platform.semantics.naming import name_topics
    from clustering_platform.semantics.templates import readable

    with run.embedder() as embedder:
        names = name_topics(
            readable(items, run.config.topics.embedding.template),
            embeddings,
            topic_tree,
            item_topics,
            embedder=embedder,
            cache=run.embedding_cache(),
            config=run.config.topics,
        )
    run.metadata["topic map"] = topic_map(projection, item_topics, topic_tree, names, title=run.dataset.title)
    return names


TOPIC_ASSETS = [embeddings, projection, topic_tree, topic_names]
