"""Contracts of what is embedded of each item, and of what its pieces say of it."""

from clustering_platform.tables.contract import Column, Table

_DOCUMENT_ID = Column("document_id", "string", "The item, as in `items`.")

PIECE_TABLES = (
    Table(
        "chunks",
        "topics",
        "dataset",
        "a piece of an item: what has one vector",
        "What topics are made of. Long texts are cut into several pieces; any other item is one piece under its own "
        "id. The text of a piece is that of its item, from `text_start` to `text_end`.",
        ("item_id",),
        (
            Column(
                "item_id",
                "string",
                "Id of the piece, by which the tables of topics name it: that of the item, or of a part of it "
                "(`<id>#0001`).",
            ),
            _DOCUMENT_ID,
            Column("position", "int32", "Place among the pieces of its item, from 1.", minimum=1),
            Column(
                "text_start",
                "int32",
                "First character, counted from 0; null where no text is embedded.",
                nullable=True,
                minimum=0,
            ),
            Column("text_end", "int32", "Character after the last one.", nullable=True, minimum=0),
            Column("tokens", "int32", "Tokens; null where they need not be counted.", nullable=True, minimum=1),
        ),
    ),
    Table(
        "document_topics",
        "topics",
        "dataset",
        "an item and a topic that it is about",
        "The deepest topics of the pieces of each item, the main one first.",
        ("document_id", "topic_id"),
        (
            _DOCUMENT_ID,
            Column("topic_id", "string", "Id of the topic."),
            Column("chunks", "int32", "Pieces of the item in this topic.", minimum=1),
            Column("share", "float64", "Share of its pieces.", minimum=0, maximum=1),
            Column("is_main", "bool", "The topic of most of its pieces; one for each item."),
        ),
    ),
)
