"""The contract: every published table, what one row of it is, its columns and their meaning.

IO, asset checks, catalog comments and ``docs/tables.md`` all come from here. How a table is computed belongs in
``ingest``, ``opinions`` and ``semantics``; where its files lie belongs in ``store``.
"""

from clustering_platform.tables.contract import Column, Room, Scope, Table, arrow_type, conform
from clustering_platform.tables.drift import DRIFT_TABLES
from clustering_platform.tables.ingest import INGEST_TABLES
from clustering_platform.tables.names import GROUP_NAME_TABLES, NAME_TABLES
from clustering_platform.tables.opinion_items import OPINION_ITEM_TABLES
from clustering_platform.tables.opinion_measures import MEASURE_TABLES
from clustering_platform.tables.opinion_stability import OPINION_STABILITY_TABLES
from clustering_platform.tables.opinions import OPINION_TABLES
from clustering_platform.tables.outcomes import OUTCOME_TABLES
from clustering_platform.tables.pieces import PIECE_TABLES
from clustering_platform.tables.topic_identity import TOPIC_IDENTITY_TABLES
from clustering_platform.tables.topic_opinions import TOPIC_OPINION_TABLES
from clustering_platform.tables.topics import TOPIC_TABLES

__all__ = ["TABLES", "Column", "Room", "Scope", "Table", "arrow_type", "conform"]

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        *INGEST_TABLES,
        *OPINION_TABLES,
        *OPINION_ITEM_TABLES,
        *MEASURE_TABLES,
        *OPINION_STABILITY_TABLES,
        *TOPIC_OPINION_TABLES,
        *GROUP_NAME_TABLES,
        *PIECE_TABLES,
        *TOPIC_TABLES,
        *OUTCOME_TABLES,
        *TOPIC_IDENTITY_TABLES,
        *NAME_TABLES,
        *DRIFT_TABLES,
    )
}
