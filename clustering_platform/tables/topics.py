"""Contracts of what semantics makes."""

from clustering_platform.tables.contract import ITEM_ID, Column, Table

_TOPIC_ID = Column("topic_id", "string", "Id of the topic.")

TOPIC_TABLES = (
    Table(
        "embeddings",
        "topics",
        "dataset",
        "a piece of an item, see `chunks`",
        "The vector of each piece of an item that takes part in topics: all but blank and rejected ones; equal texts "
        "share one.",
        ("item_id",),
        (
            ITEM_ID,
            Column(
                "content_hash",
                "string",
                "Hash of what was embedded: a text, a picture's bytes, or a given vector.",
            ),
            Column("model", "string", "Model that made the vector, with its revision."),
            Column("vector", "list<float32>", "The vector, of length one."),
        ),
    ),
    Table(
        "projection",
        "topics",
        "dataset",
        "an item with text",
        "The topic map: vectors laid out in two dimensions.",
        ("item_id",),
        (ITEM_ID, Column("x", "float32", "Place on the map."), Column("y", "float32", "Place on the map.")),
    ),
    Table(
        "topic_tree",
        "topics",
        "dataset",
        "a topic",
        "The tree of topics; the root holds every item.",
        ("topic_id",),
        (
            _TOPIC_ID,
            Column("parent_id", "string", "Topic above; null for the root.", nullable=True),
            Column("depth", "int32", "Levels below the root.", minimum=0),
            Column("path", "list<string>", "Topic ids from the root down to this topic."),
            Column("size", "int32", "Items in it and below.", minimum=1),
            Column("own_size", "int32", "Items that fit none of its children and stay here.", minimum=0),
            Column(
                "method",
                "string",
                "How its children were found; `leaf` where there are none.",
                values=("hdbscan", "kmeans", "ward", "leaf"),
            ),
            Column("note", "string", "Why it was or was not divided."),
            Column(
                "silhouette",
                "float64",
                "Silhouette of the division into children.",
                nullable=True,
                minimum=-1,
                maximum=1,
            ),
            Column(
                "cohesion", "float64", "Mean cosine similarity of its items to its centroid.", minimum=-1, maximum=1
            ),
            Column("exemplar_ids", "list<string>", "Items nearest to its centroid, nearest first."),
            Column("centroid", "list<float32>", "Mean vector of its items, of length one."),
        ),
    ),
    Table(
        "item_topics",
        "topics",
        "dataset",
        "an item with text",
        "The deepest topic of each item.",
        ("item_id",),
        (
            ITEM_ID,
            _TOPIC_ID,
            Column("depth", "int32", "Levels of that topic below the root.", minimum=0),
            Column("path", "list<string>", "Topic ids from the root down to that topic."),
            Column("is_residual", "bool", "Fits none of the children of its topic."),
            Column(
                "similarity",
                "float32",
                "Cosine similarity to the centroid of its topic.",
                minimum=-1.001,
                maximum=1.001,
            ),
        ),
    ),
    Table(
        "topic_names",
        "topics",
        "dataset",
        "a topic",
        "The name of each topic.",
        ("topic_id",),
        (
            _TOPIC_ID,
            Column("name", "string", "A few words; unique among siblings."),
            Column("summary", "string", "The most telling item, verbatim."),
            Column("keywords", "list<string>", "Phrases that set it apart, best first."),
            Column("source", "string", "Who named it.", values=("offline",)),
        ),
    ),
)
