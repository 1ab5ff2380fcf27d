"""Texts to a tree of named topics, for one dataset."""

import pyarrow as pa

from clustering_platform.orchestration.assets.outcomes import OUTCOMES
from clustering_platform.orchestration.table_assets import CONFIG_ASSET, Advice, Run, Tables, table_asset
from clustering_platform.orchestration.topic_history import check_compared, earlier_fit, earlier_topics
from clustering_platform.store.reading import StoredTable


def judge_fit(topic_fit: pa.Table) -> tuple[bool, str]:
    """Say whether the tree fits its items, and why."""
    due = [row["reason"] for row in topic_fit.to_pylist() if row["is_refit_proposed"]]
    return not due, f"{due[0]}; make it anew with `clustering run NAME --refit`" if due else "the tree fits its items"


@table_asset("chunks", deps=(CONFIG_ASSET,))
def chunks(run: Run, items: pa.Table, item_vectors: pa.Table) -> pa.Table:
    """Choose the items that take part in topics, and cut those whose texts are longer than the model reads."""
    from clustering_platform.semantics.pieces import cut_items, picture_items, vector_items, whole_items
    from clustering_platform.semantics.taking_part import topic_items
    from clustering_platform.semantics.tokens import tokenizer_of

    config = run.config.topics
    chosen = topic_items(items, config)
    if run.piece_kind != "texts":
        has_vector = vector_items(chosen, item_vectors) if run.piece_kind == "given" else picture_items(chosen)
        return whole_items(has_vector)
    with run.embedder() as embedder:
        tokenizer = tokenizer_of(embedder)
        return cut_items(chosen, tokenizer=tokenizer, config=config.chunks, template=config.embedding.template)


@table_asset("embeddings", kinds=("torch", "parquet"), deps=(CONFIG_ASSET,))
def embeddings(run: Run, items: pa.Table, chunks: pa.Table, item_vectors: pa.Table) -> pa.Table:
    """Turn every piece into a vector, or take those given; vectors made before come from the cache."""
    from clustering_platform.semantics.item_embeddings import embed_items, embed_pictures, given_embeddings
    from clustering_platform.semantics.pieces import piece_items
    from clustering_platform.semantics.templates import render

    pieces = piece_items(items, chunks)
    if run.piece_kind == "given":
        return given_embeddings(pieces, item_vectors)
    config, cache = run.config.topics, run.embedding_cache()
    if run.piece_kind == "images":
        folder, size = run.dataset.folder, config.images.batch_size
        with run.create_image_embedder() as embedder:
            return embed_pictures(pieces, folder, embedder, cache, batch_size=size, progress=run.progress)
    texts, size = render(pieces, config.embedding.template), config.embedding.batch_size
    with run.embedder() as embedder:
        return embed_items(texts, embedder, cache, batch_size=size, progress=run.progress)


@table_asset(
    "found_topics",
    "found_item_topics",
    "topic_levels",
    "topic_merges",
    "topic_scales",
    "topic_fit",
    kinds=("umap", "parquet"),
    deps=(CONFIG_ASSET,),
    advice=(Advice("topic_fit", "fits_its_items", "Whether the tree should be made anew.", judge_fit),),
)
def found_topics(run: Run, embeddings: pa.Table, chunks: StoredTable, items: StoredTable) -> Tables:
    """Find the topics of the items and gather them in a tree, or place new items in the tree that is published."""
    from clustering_platform.semantics.placing import place_items
    from clustering_platform.semantics.time_weights import time_weights
    from clustering_platform.semantics.topic_tables import FOUND_TABLES, build_topic_tree

    config, settings = run.config.topics, run.tree_settings
    fit = None if run.is_refit else earlier_fit(run.warehouse.commits, run.part.dataset)
    tables = place_items(embeddings, fit, config=config, settings=settings) if fit else None
    run.metadata["tree"] = "kept, new items placed in it" if tables else "made anew"
    if tables is None:
        weights = None
        if config.decay_days:
            owners, times = chunks.read("item_id", "document_id"), items.read("item_id", "created_at")
            weights = time_weights(embeddings, owners, times, decay_days=config.decay_days)
        tables = build_topic_tree(embeddings, config=config, settings=settings, weights=weights)
    return tuple(tables[name] for name in FOUND_TABLES)


@table_asset("projection", kinds=("umap", "parquet"), deps=(CONFIG_ASSET,))
def projection(run: Run, embeddings: pa.Table, found_item_topics: pa.Table, topic_fit: pa.Table) -> pa.Table:
    """Lay the vectors out as a map; with the tree that is published, its map stays."""
    from clustering_platform.semantics.placing import is_kept, place_on_map
    from clustering_platform.semantics.projection import project

    fit = earlier_fit(run.warehouse.commits, run.part.dataset) if is_kept(topic_fit) else None
    if fit:
        return place_on_map(embeddings, found_item_topics, fit.tables["projection"])
    return project(embeddings, seed=run.config.topics.seed)


@table_asset("topic_tree", "item_topics", "topic_lineage")
def topic_tree(run: Run, embeddings: pa.Table, found_topics: pa.Table, found_item_topics: pa.Table) -> Tables:
    """Give topics the ids they had before, put those together that people merged, and tell what became of each."""
    from clustering_platform.semantics.lasting import build_lasting_tree

    before = earlier_topics(run.warehouse.commits, run.part.dataset)
    tables = build_lasting_tree(embeddings, found_topics, found_item_topics, before=before, log=run.decisions)
    run.metadata |= {f"{row['values']} topics": row["counts"] for row in tables[2]["status"].value_counts().to_pylist()}
    return tables


@table_asset("document_topics")
def document_topics(run: Run, chunks: pa.Table, item_topics: pa.Table) -> pa.Table:
    """Say which topics each document is about, by its pieces."""
    from clustering_platform.semantics.document_topics import find_document_topics

    return find_document_topics(chunks, item_topics)


@table_asset("proposed_names", deps=(CONFIG_ASSET,))
def proposed_names(
    run: Run, items: pa.Table, chunks: pa.Table, embeddings: pa.Table, topic_tree: pa.Table, item_topics: pa.Table
) -> pa.Table:
    """Name every topic from its items."""
    from clustering_platform.semantics.kept_names import keep_proposed
    from clustering_platform.semantics.naming import name_topics
    from clustering_platform.semantics.pieces import piece_items
    from clustering_platform.semantics.templates import readable

    with run.embedder() as embedder:
        proposed = name_topics(
            readable(piece_items(items, chunks), run.config.topics.embedding.template),
            embeddings,
            topic_tree,
            item_topics,
            embedder=embedder,
            cache=run.embedding_cache(),
            config=run.config.topics,
        )
    return keep_proposed(proposed, run.published("proposed_names"), max_drift=run.config.names.max_drift)


@table_asset("written_names", kinds=("openai", "parquet"), deps=(CONFIG_ASSET,))
def written_names(
    run: Run, items: pa.Table, chunks: pa.Table, embeddings: pa.Table, topic_tree: pa.Table, proposed_names: pa.Table
) -> pa.Table:
    """Keep what a language model called topics that are still the same; `name_topics` asks it about the others."""
    from clustering_platform.naming.material import read_material
    from clustering_platform.naming.written import kept_written, no_names, write_names
    from clustering_platform.semantics.pieces import piece_items
    from clustering_platform.semantics.templates import readable

    config = run.named_by_model() if run.asks_for_names else run.config.names
    if config.provider == "offline":
        return no_names()
    kept = kept_written(topic_tree, run.published("written_names"), max_drift=config.max_drift)
    if not run.asks_for_names:
        return kept
    pieces = readable(piece_items(items, chunks), run.config.topics.embedding.template)
    material = read_material(pieces, embeddings, topic_tree, proposed_names)
    with run.text_embedding() as embed:
        written, figures = write_names(
            material,
            kept,
            config=config,
            cache=run.answer_cache(),
            embed=embed,
            compares_centroids=run.piece_kind == "texts",
            about=run.config.description or run.config.title,
            most_words=run.config.topics.name_words,
            tell=run.log.info,
        )
    run.metadata |= figures
    return written


@table_asset(
    "topic_names",
    "curation",
    deps=("votes", "voters", "quarantine", "ingest_report", "document_topics", *OUTCOMES, CONFIG_ASSET),
    publishes=True,
)
def topic_names(
    run: Run,
    projection: pa.Table,
    found_topics: pa.Table,
    topic_tree: pa.Table,
    item_topics: pa.Table,
    topic_lineage: pa.Table,
    proposed_names: pa.Table,
    written_names: pa.Table,
) -> Tables:
    """Put on topics what people decided about them, and publish the tables of the dataset."""
    from clustering_platform.orchestration.pictures import topic_map
    from clustering_platform.semantics.curation import build_curation, build_topic_names, known_topics

    check_compared(run.warehouse.commits, run.part.dataset, topic_lineage, run.file("topic_lineage").content)
    names = build_topic_names(proposed_names, written_names, topic_tree, run.decisions)
    run.metadata["topic map"] = topic_map(projection, item_topics, topic_tree, names, title=run.dataset.title)
    return names, build_curation(run.decisions, known_topics(found_topics, topic_lineage))


TOPIC_ASSETS = [
    chunks,
    embeddings,
    found_topics,
    projection,
    topic_tree,
    document_topics,
    proposed_names,
    written_names,
    topic_names,
]
