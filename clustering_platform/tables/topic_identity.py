"""Contracts of what lasts of topics over refits: the tree as found, where topics come from, what people decided."""

from dataclasses import replace

from clustering_platform.tables.contract import Column, Table
from clustering_platform.tables.topics import TOPIC_TABLES

_BY_NAME = {table.name: table for table in TOPIC_TABLES}
_FOUND = "; ids f0, f1, ... are numbers within this tree alone, see `found_id` in `topic_lineage`"

TOPIC_IDENTITY_TABLES = (
    replace(
        _BY_NAME["topic_tree"],
        name="found_topics",
        grain="a topic as found",
        description=f"The tree as it was found, before lasting ids and people's merges{_FOUND}.",
    ),
    replace(
        _BY_NAME["item_topics"],
        name="found_item_topics",
        description=f"The deepest topic of each item in the tree as it was found{_FOUND}.",
    ),
    Table(
        "topic_lineage",
        "topics",
        "dataset",
        "a topic id that was ever given",
        "What became of every topic when the tree was last made; no id is ever given twice.",
        ("topic_id",),
        (
            Column("topic_id", "string", "Id of the topic; it lasts over refits."),
            Column(
                "status",
                "string",
                "`continued`: it has its id from before. `split`: most of its items come from one earlier topic that "
                "went to several. `merged`: it took in two or more earlier topics. `new`: no earlier topic explains "
                "it. `retired`: it is in the tree no more.",
                values=("continued", "split", "merged", "new", "retired"),
            ),
            Column("previous_ids", "list<string>", "Earlier topics that it comes from, itself first."),
            Column(
                "next_ids", "list<string>", "Topics that it went to, the one with most of its items first; as of then."
            ),
            Column(
                "jaccard",
                "float64",
                "Items shared with the topic it was compared with over items in either, on the items of both trees: "
                "itself before, else the first of `previous_ids`, or of `next_ids` where retired.",
                nullable=True,
                minimum=0,
                maximum=1,
            ),
            Column("common_items", "int32", "Items shared with the topic it was compared with.", minimum=0),
            Column("size_before", "int32", "Items in it and below before.", nullable=True, minimum=1),
            Column("size_after", "int32", "Items in it and below now.", nullable=True, minimum=1),
            Column("found_id", "string", "Its id in `found_topics`; null where it was not found.", nullable=True),
            Column(
                "compared_with",
                "int64",
                "Number of the commit with the tree before; for a retired topic, as of when it went.",
                nullable=True,
                minimum=1,
            ),
            Column(
                "last_item_ids",
                "list<string>",
                "Items it had when it was last found; kept where a decision of people is about it, so that it is "
                "known again.",
                nullable=True,
            ),
        ),
    ),
    Table(
        "curation",
        "topics",
        "dataset",
        "a decision",
        "What people decided about topics, and what came of it.",
        ("sequence",),
        (
            Column("sequence", "int64", "Number of the decision.", minimum=1),
            Column("decided_at", "timestamp", "When it was decided."),
            Column("author", "string", "Who decided, as far as they said.", nullable=True, is_personal=True),
            Column(
                "action",
                "string",
                "What is to be done.",
                values=("rename", "merge", "unusable", "usable", "note", "undo"),
            ),
            Column("topic_id", "string", "Topic that it is about."),
            Column(
                "value",
                "string",
                "The new name, the topic to merge into, the note, or the number of the decision undone.",
                nullable=True,
            ),
            Column(
                "state",
                "string",
                "`applied`; `dormant`: cannot be applied to the tree as it is, will be when it can; `superseded`: a "
                "later decision stands in its place; `undone`.",
                values=("applied", "dormant", "superseded", "undone"),
            ),
            Column("reason", "string", "Why it is not applied, or how.", nullable=True),
        ),
        ascending=("sequence",),
    ),
)
