"""Contract of the recommendation of a strategy of topics: made only when asked for, and no part of any commit."""

from clustering_platform.tables.contract import Column, Table

TOPIC_RECOMMENDATION = Table(
    "topic_recommendation",
    "topics",
    "dataset",
    "a strategy with settings that was tried",
    "Which strategy, at which resolution, finds the same topics again in other parts of the items.",
    ("trial",),
    (
        Column("trial", "int32", "Number of the trial.", minimum=1),
        Column("rank", "int32", "Place: 1 is the best.", minimum=1),
        Column("is_recommended", "bool", "Whether it is the one recommended."),
        Column("reason", "string", "Why it has its place."),
        Column("strategy", "string", "`topics.strategy`.", values=("auto", "recursive", "levels", "flat")),
        Column(
            "algorithm",
            "string",
            "`topics.flat.algorithm`; null for other strategies.",
            nullable=True,
            values=("hdbscan", "kmeans"),
        ),
        Column(
            "resolution",
            "float64",
            "`topics.auto.resolution` for all items of the dataset; null where the strategy chooses, or has none.",
            nullable=True,
            minimum=0,
        ),
        Column("topics", "int32", "Leaf topics found in a subsample, on average.", minimum=1),
        Column(
            "stability",
            "float64",
            "Adjusted Rand index of the leaf topics of two subsamples on their common items; null where either is one "
            "topic.",
            nullable=True,
            minimum=-1,
            maximum=1,
        ),
        Column(
            "shared_information",
            "float64",
            "Adjusted mutual information of the same.",
            nullable=True,
            minimum=-1,
            maximum=1,
        ),
        Column("silhouette", "float64", "Mean silhouette of the leaf topics (cosine).", minimum=-1, maximum=1),
        Column("coverage", "float64", "Share of items that are not noise.", minimum=0, maximum=1),
    ),
    ascending=("trial",),
)
