"""What topics have to do with the outcomes of items, for one dataset."""

import pyarrow as pa

from clustering_platform.orchestration.table_assets import Run, Tables, table_asset
from clustering_platform.orchestration.topic_figures import worst_and_best
from clustering_platform.store.reading import StoredTable
from clustering_platform.tables.outcomes import OUTCOME_TABLES

OUTCOMES = tuple(table.name for table in OUTCOME_TABLES)


@table_asset(*OUTCOMES, kinds=("scipy", "parquet"))
def topic_outcomes(
    run: Run,
    outcomes: pa.Table,
    topic_tree: pa.Table,
    item_topics: pa.Table,
    chunks: pa.Table,
    items: StoredTable,
) -> Tables:
    """Test in which topics there are more errors than elsewhere, and whether errors depend on topics at all."""
    from clustering_platform.semantics.document_topics import main_topics
    from clustering_platform.semantics.outcome_flows import build_outcome_flows
    from clustering_platform.semantics.outcome_tests import build_outcome_tests
    from clustering_platform.semantics.topic_outcomes import build_topic_outcomes

    seed, main = run.config.topics.seed, main_topics(chunks, item_topics)
    topics = build_topic_outcomes(topic_tree, main, outcomes, seed=seed)
    tests = build_outcome_tests(topic_tree, main, outcomes, seed=seed)
    run.metadata |= worst_and_best(topics[0], topic_tree, chunks, items.read("item_id", "text"))
    return *topics, *tests, *build_outcome_flows(topic_tree, main, outcomes)


OUTCOME_ASSETS = [topic_outcomes]
