"""What the groups of one day say of topics, for one dataset."""

import pyarrow as pa

from clustering_platform.orchestration.table_assets import Run, Tables, table_asset
from clustering_platform.orchestration.topic_figures import dividing_and_uniting


@table_asset(
    "topic_opinions", "topic_divisions", kinds=("numpy", "parquet"), deps=("chunks", "item_topics", "topic_names")
)
def topic_opinions(run: Run, voting_patterns: pa.Table, voted_items: pa.Table) -> Tables:
    """Count how each group voted on each topic that is published, and which topics divide and unite the groups."""
    from clustering_platform.opinions.topic_opinions import build_topic_opinions
    from clustering_platform.semantics.document_topics import main_topics

    topics = run.published("item_topics", "item_id", "topic_id", "path", "similarity")
    chunks = run.published("chunks", "item_id", "document_id", "position")
    main = topics if chunks is None or topics is None else main_topics(chunks, topics)
    opinions, divisions = build_topic_opinions(voting_patterns, voted_items, main)
    run.metadata |= dividing_and_uniting(divisions, run.published("topic_names", "topic_id", "name"))
    return opinions, divisions


TOPIC_OPINION_ASSETS = [topic_opinions]
