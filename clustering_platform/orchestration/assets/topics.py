"""Texts to a tree of named topics, for one dataset."""

import pyarrow as pa

from clustering_platform.orchestration.table_assets import CONFIG_ASSET, Run, Tables, table_asset


@table_asset("chunks", deps=(CONFIG_ASSET,))
def chunks(run: Run, items: pa.Table, item_vectors: pa.Table) -> pa.Table:
    """Choose the items that take part in topics, and cut those whose texts are longer than the model reads."""
    from clustering_platform.semantics.pieces import (
        cut_items,
        picture_items,
        topic_items,
        vector_items,
        whole_items,
    )
    from clustering_platform.semantics.tokens import tokenizer_of

    config = run.config.topics
    chosen = topic_items(items, include_rejected=config.include_rejected)
    if run.piece_kind != "texts":
        has_vector = vector_items(chosen, item_vectors) if run.piece_kind == "given" else picture_items(chosen)
        return whole_items(has_vector)
    with run.embedder() as embedder:
        return cut_items(chosen, tokenizer=tokenizer_of(embedder), config=config.chunks)


@table_asset("embeddings", kinds=("torch", "parquet"), deps=(CONFIG_ASSET,))
def embeddings(run: Run, items: pa.Table, chunks: pa.Table, item_vectors: pa.Table) -> pa.Table:
    """Turn every piece into a vector, or take those given; vectors made before come from the cache."""
    from clustering_platform.semantics.item_embeddings import embed_items, embed_pictures, given_embeddings
    from clustering_platform.semantics.pieces import piece_items

    pieces = piece_items(items, chunks)
    if run.piece_kind == "given":
        return given_embeddings(pieces, item_vectors)
    config, cache = run.config.topics, run.embedding_cache()
    if run.piece_kind == "images":
        folder, size = run.dataset.folder, config.images.batch_size
        with run.image_embedder() as embedder:
            return embed_pictures(pieces, folder, embedder, cache, batch_size=size, progress=run.progress)
    with run.embedder() as embedder:
        return embed_items(pieces, embedder, cache, batch_size=config.embedding.batch_size, progress=run.progress)


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


@table_asset("document_topics", deps=(CONFIG_ASSET,))
def document_topics(run: Run, chunks: pa.Table, item_topics: pa.Table) -> pa.Table:
    """Say which topics each document is about, by its pieces."""
    from clustering_platform.semantics.document_topics import find_document_topics

    return find_document_topics(chunks, item_topics)


@table_asset(
    "topic_names",
    deps=("votes", "voters", "quarantine", "ingest_report", "document_topics", CONFIG_ASSET),
    publishes=True,
)
def topic_names(
    run: Run,
    items: pa.Table,
    chunks: pa.Table,
    embeddings: pa.Table,
    projection: pa.Table,
    topic_tree: pa.Table,
    item_topics: pa.Table,
) -> pa.Table:
    """Name every topic from its items, and publish the tables of the dataset."""
    from clustering_platform.orchestration.pictures import topic_map
    from clustering_platform.semantics.naming import name_topics
    from clustering_platform.semantics.pieces import piece_items

    with run.embedder() as embedder:
        names = name_topics(
            piece_items(items, chunks),
            embeddings,
            topic_tree,
            item_topics,
            embedder=embedder,
            cache=run.embedding_cache(),
            config=run.config.topics,
        )
    run.metadata["topic map"] = topic_map(projection, item_topics, topic_tree, names, title=run.dataset.title)
    return names


TOPIC_ASSETS = [chunks, embeddings, projection, topic_tree, document_topics, topic_names]
