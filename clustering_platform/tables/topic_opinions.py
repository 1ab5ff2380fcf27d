"""Contracts of what opinion groups say of topics, one set for each day; the formulas stand in ``docs/outcomes.md``."""

from clustering_platform.tables.contract import Column, Table, nullable_share
from clustering_platform.tables.opinions import GROUP_ID

_TOPIC_ID = Column("topic_id", "string", "Id of the topic, as published when the day was made.")
_DEPTH = Column("depth", "int32", "Levels below the root.", minimum=0)
_VOTES = (
    Column("agree", "int64", "Votes that agree with its items.", minimum=0),
    Column("pass", "int64", "Passes on its items.", minimum=0),
    Column("disagree", "int64", "Votes that disagree with its items.", minimum=0),
    Column("seen", "int64", "All votes on its items: agree + pass + disagree.", minimum=0),
)


TOPIC_OPINION_TABLES = (
    Table(
        "topic_opinions",
        "opinions",
        "day",
        "a topic and a group",
        "How each group voted on the items of each topic, those below it included; empty before topics are published.",
        ("topic_id", "group_id"),
        (
            _TOPIC_ID,
            _DEPTH,
            GROUP_ID,
            Column("items", "int32", "Its items that the group voted on, without those moderated out.", minimum=0),
            *_VOTES,
            nullable_share("agree_share", "(agree + 1) / (seen + 2); null without votes."),
            nullable_share("disagree_share", "(disagree + 1) / (seen + 2); null without votes."),
        ),
    ),
    Table(
        "topic_divisions",
        "opinions",
        "day",
        "a topic with votes",
        "Which topics divide the groups and which unite them.",
        ("topic_id",),
        (
            _TOPIC_ID,
            _DEPTH,
            Column("items", "int32", "Its items that grouped voters voted on, without those moderated out.", minimum=1),
            Column("compared_items", "int32", "Those on which at least two groups voted.", minimum=0),
            *_VOTES,
            nullable_share("agree_share", "(agree + 1) / (seen + 2), all groups together."),
            nullable_share(
                "divisiveness",
                "How far groups lie apart: mean over the compared items of the largest less the smallest "
                "(agree + 1) / (seen + 2) of a group.",
            ),
            nullable_share(
                "unity",
                "Mean over the compared items of the share of the group where it is smallest, of agreement or of "
                "disagreement, whichever is larger.",
            ),
            nullable_share(
                "consensus", "Share of the compared items on which all groups that voted lean the same way."
            ),
            Column(
                "divides_rank",
                "int32",
                "Place among the topics of its depth by divisiveness, from 1, the most divided; null with fewer than "
                "three compared items.",
                nullable=True,
                minimum=1,
            ),
            Column(
                "unites_rank",
                "int32",
                "Place among the topics of its depth by unity, from 1, the most united; null as divides_rank.",
                nullable=True,
                minimum=1,
            ),
            Column("most_dividing_item_id", "string", "The item on which groups lie farthest apart.", nullable=True),
            Column("most_uniting_item_id", "string", "The item with the largest unity.", nullable=True),
        ),
    ),
)
