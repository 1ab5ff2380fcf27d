"""Texts to a tree of named topics, for one dataset."""

import pyarrow as pa

from clustering_platform.orchestration.table_assets import CONFIG_ASSET, Run, Tables, table_asset


@table_asset("embeddings", kinds=("torch", "parquet"), deps=(CONFIG_ASSET,))
def embeddings(run: Run, items: pa.Table, item_vectors: pa.Table) -> pa.Table:
    """Turn every text into a vector, or take those given; vectors made before come from the cache."""
    from clustering_platform.semantics.item_embeddings import embed_items, given_embeddings, topic_items

    config = run.config.topics
    chosen = topic_items(items, include_rejected=config.include_rejected)
    if run.has_given_vectors:
        return given_embeddings(chosen, item_vectors)
    with run.embedder() as embedder:
        batch_size = config.embedding.batch_size
        return embed_items(chosen, embedder, run.embedding_cache(), batch_size=batch_size, progress=run.progress)


@table_asset("projection", kinds=("umap", "parquet"), deps=(CONFIG_ASSET,))
def projection(run: Run, embeddings: pa.Table) -> pa.Table:
    """Lay the vectors out as a map."""
    from clustering_platform.semantics.projection import project

    return project(embeddings, seed=run.config.topics.seed)


@table_asset("topic_tree", "item_topics", kinds=("hdbscan", "parquet"), deps=(CONFIG_ASSET,))
def topic_tree(run: Run, embeddings: pa.Table) -> Tables:
    """Divide the items into topics, and those into topics again."""
    from clustering_platform.semantics.topic_tables import build_topic_tree

    return build_topic_tree(embeddings, config=run.config.topics)


@table_asset("topic_names", deps=("votes", "voters", "quarantine", "ingest_report", CONFIG_ASSET), publishes=True)
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

    with run.embedder() as embedder:
        names = name_topics(
            items,
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
