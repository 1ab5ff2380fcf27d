"""Contracts of names: those made from the items, those of a language model, and those that stand."""

from dataclasses import replace

from clustering_platform.tables.contract import Column, Table
from clustering_platform.tables.opinions import GROUP_ID

_TOPIC_ID = Column("topic_id", "string", "Id of the topic.")
_NAME = Column("name", "string", "A few words; unique among siblings, unless people say otherwise.")
_SUMMARY = Column("summary", "string", "A sentence or two; offline the most telling item, verbatim.")
_KEYWORDS = Column("keywords", "list<string>", "Phrases that set it apart, best first.")
_CATEGORY = Column("category", "string", "The wider field; offline the name of the topic above.", nullable=True)
_EVIDENCE = Column("evidence_ids", "list<string>", "Items that show it, best first.")
_CENTROID = Column("centroid", "list<float32>", "Centroid of the topic when it got this name, of length one.")

NAME_TABLES = (
    Table(
        "proposed_names",
        "topics",
        "dataset",
        "a topic",
        "The name of each topic as made from its items alone. A topic that is still about the same keeps its name.",
        ("topic_id",),
        (_TOPIC_ID, _NAME, _SUMMARY, _KEYWORDS, _CENTROID, Column("namer", "string", "Way in which it was named.")),
    ),
    Table(
        "written_names",
        "topics",
        "dataset",
        "a topic that a language model was asked about",
        "What a language model called topics; empty until `clustering name` has run.",
        ("topic_id",),
        (
            _TOPIC_ID,
            replace(_NAME, description="A few words; null where there is none that can be used.", nullable=True),
            replace(_SUMMARY, description="Two or three sentences.", nullable=True),
            replace(_CATEGORY, description="The wider field."),
            _EVIDENCE,
            Column("reason", "string", "Why there is no name.", nullable=True),
            Column("model", "string", "The model, and the service where it is."),
            Column("prompt", "string", "Name and version of what it was told."),
            _CENTROID,
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
            _NAME,
            _SUMMARY,
            _KEYWORDS,
            _CATEGORY,
            _EVIDENCE,
            Column(
                "strength",
                "int32",
                "How firm the topic is, from its cohesion and its stability: 10 is best.",
                minimum=1,
                maximum=10,
            ),
            Column("source", "string", "Who named it: `llm` is a language model.", values=("offline", "llm", "human")),
            Column("reason", "string", "Why the name of a language model was not taken.", nullable=True),
            Column(
                "status",
                "string",
                "`unusable` where people said so of it or of a topic above it.",
                values=("active", "unusable"),
            ),
            Column("notes", "list<string>", "What people noted about it, oldest first."),
        ),
    ),
)

GROUP_NAME_TABLES = (
    Table(
        "group_names",
        "opinions",
        "day",
        "a group",
        "What each group is called and wants, from what it stands for; never from who its voters are.",
        ("group_id",),
        (
            GROUP_ID,
            Column("name", "string", "A few words; offline, for or against the start of its most representative item."),
            Column("summary", "string", "A portrait of one paragraph."),
            Column("category", "string", "What divides it from the others, by a language model.", nullable=True),
            Column("evidence_ids", "list<string>", "Items that show it, best first."),
            Column("source", "string", "Who named it: `llm` is a language model.", values=("offline", "llm")),
            Column("reason", "string", "Why the name of a language model was not taken.", nullable=True),
        ),
    ),
)
