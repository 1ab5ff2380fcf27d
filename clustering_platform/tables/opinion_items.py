"""Contracts of what items say of groups and of all, one set for each day."""

from clustering_platform.tables.contract import ITEM_ID, Column, Table
from clustering_platform.tables.opinions import COUNTS, GROUP_ID, PARENT_ID, SUBGROUP_ID

_SIDE = Column(
    "side", "string", "Whether the item stands for agreeing or for disagreeing.", values=("agree", "disagree")
)
_SUCCESS = (
    Column("n_success", "int32", "Votes on that side.", minimum=0),
    Column("n_trials", "int32", "All votes on the item, passes included.", minimum=0),
    Column("p_success", "float64", "(n_success + 1) / (n_trials + 2).", minimum=0, maximum=1),
    Column("p_test", "float64", "One-proportion z score of n_success against one half."),
)

OPINION_ITEM_TABLES = (
    Table(
        "voting_patterns",
        "opinions",
        "day",
        "a cluster and an item",
        "How each base cluster, each group and each subgroup voted on each item.",
        ("level", "cluster_id", "item_id"),
        (
            Column("level", "string", "Level of the cluster.", values=("base_cluster", "group", "subgroup")),
            Column("cluster_id", "int32", "base_cluster_id, group_id or subgroup_id.", minimum=0),
            ITEM_ID,
            *COUNTS,
            Column(
                "consensus",
                "float64",
                "Share of the most frequent vote among those seen; null where none.",
                nullable=True,
                minimum=0,
                maximum=1,
            ),
            Column(
                "majority",
                "string",
                "The most frequent vote; `split` where two tie, `none` where nobody voted.",
                values=("agree", "pass", "disagree", "split", "none"),
            ),
        ),
    ),
    Table(
        "representative_items",
        "opinions",
        "day",
        "an item that stands for a group",
        "What tells each group from the others, best first.",
        ("group_id", "item_id"),
        (
            GROUP_ID,
            Column("rank", "int32", "Place in the list of its group, from 1.", minimum=1),
            ITEM_ID,
            _SIDE,
            *_SUCCESS,
            Column("repness", "float64", "p_success over the same probability among all other groups.", minimum=0),
            Column("repness_test", "float64", "Two-proportion z score of the group against all other groups."),
            Column("is_best_agree", "bool", "Listed because the group agrees with it most, whatever else holds."),
            Column("n_agree", "int32", "Agreeing votes, where `is_best_agree`.", nullable=True),
        ),
    ),
    Table(
        "representative_subgroup_items",
        "opinions",
        "day",
        "an item that stands for a subgroup",
        "What tells each subgroup from the other subgroups of its group, best first.",
        ("subgroup_id", "item_id"),
        (
            PARENT_ID,
            SUBGROUP_ID,
            Column("rank", "int32", "Place in the list of its subgroup, from 1.", minimum=1),
            ITEM_ID,
            _SIDE,
            *_SUCCESS,
            Column("repness", "float64", "p_success over the same probability among the other subgroups.", minimum=0),
            Column("repness_test", "float64", "Two-proportion z score of the subgroup against the other subgroups."),
            Column("is_best_agree", "bool", "Listed because the subgroup agrees with it most, whatever else holds."),
            Column("n_agree", "int32", "Agreeing votes, where `is_best_agree`.", nullable=True),
        ),
    ),
    Table(
        "consensus_items",
        "opinions",
        "day",
        "an item that unites all",
        "What most people of all groups agree or disagree with.",
        ("side", "item_id"),
        (_SIDE, Column("rank", "int32", "Place in the list of its side, from 1.", minimum=1), ITEM_ID, *_SUCCESS),
    ),
    Table(
        "item_statistics",
        "opinions",
        "day",
        "an item with a vote",
        "Figures for every item over all groups.",
        ("item_id",),
        (
            ITEM_ID,
            Column("is_moderated_out", "bool", "Rejected or meta."),
            Column("is_meta", "bool", "A statement about the voter rather than an opinion."),
            *COUNTS,
            Column(
                "group_aware_consensus",
                "float64",
                "Product over groups of (agree + 1) / (seen + 2); null without groups.",
                nullable=True,
                minimum=0,
                maximum=1,
            ),
            Column(
                "normalised_consensus",
                "float64",
                "Mean over groups of (agree + 1) / (agree + disagree + 2); null without groups.",
                nullable=True,
                minimum=0,
                maximum=1,
            ),
            Column(
                "divisiveness",
                "float64",
                "Mean over pairs of groups of the largest difference in the shares of agree, pass and disagree; null "
                "where no two groups voted on it.",
                nullable=True,
                minimum=0,
                maximum=1,
            ),
            Column(
                "polarization",
                "float64",
                "Variance of all votes: 0 where all are the same, 1 where half agree and half disagree.",
                minimum=0,
                maximum=1,
            ),
            Column("uncertainty", "float64", "Share of passes among all votes.", minimum=0, maximum=1),
            Column("is_uncertain", "bool", "Whether more than 30 % of all votes are passes."),
            Column("extremity", "float64", "Distance of the item from the centre of the map.", minimum=0),
            Column("priority", "float64", "How useful the next vote on the item would be.", minimum=0),
        ),
    ),
)
