"""Contracts of how sure the groups of a day are; empty where there are no groups or `opinions.resamples` is 0."""

from clustering_platform.tables.contract import VOTER_ID, Column, Table

_GROUP_ID = Column("group_id", "int32", "Id of the group within its snapshot.", minimum=0)
_RESAMPLES = Column("resamples", "int32", "How often voters were drawn anew.", minimum=1)

OPINION_STABILITY_TABLES = (
    Table(
        "group_stability",
        "opinions",
        "day",
        "a group",
        "How well each group is found again when voters are drawn anew.",
        ("group_id",),
        (
            _GROUP_ID,
            Column(
                "stability",
                "float64",
                "Mean over resamples of the largest Jaccard overlap with a group of the resample, however many "
                "groups it has; null where no voter of the group is in the sample.",
                nullable=True,
                minimum=0,
                maximum=1,
            ),
            Column(
                "stability_same_k",
                "float64",
                "The same with every resample divided into the published number of groups.",
                nullable=True,
                minimum=0,
                maximum=1,
            ),
            Column(
                "dissolved",
                "float64",
                "Share of the resamples whose largest overlap with the group is one half or less.",
                nullable=True,
                minimum=0,
                maximum=1,
            ),
            _RESAMPLES,
        ),
    ),
    Table(
        "voter_stability",
        "opinions",
        "day",
        "a grouped voter",
        "How often each voter stays with its group when voters are drawn anew; of many voters, a sample.",
        ("voter_id",),
        (
            VOTER_ID,
            _GROUP_ID,
            Column(
                "stability",
                "float64",
                "Share of the resamples that put the voter into the group paired with its own, however many groups "
                "they have.",
                minimum=0,
                maximum=1,
            ),
            Column(
                "stability_same_k",
                "float64",
                "The same with every resample divided into the published number of groups.",
                minimum=0,
                maximum=1,
            ),
            _RESAMPLES,
        ),
    ),
    Table(
        "grouping_stability",
        "opinions",
        "day",
        "a number of groups",
        "How sure the number of groups is: silhouettes of the snapshot beside what was found when voters were drawn "
        "anew.",
        ("groups",),
        (
            Column("groups", "int32", "Number of groups.", minimum=2),
            Column("is_chosen", "bool", "Whether the groups of the snapshot are these."),
            Column(
                "silhouette",
                "float64",
                "Mean silhouette over base clusters in the snapshot; null where only a resample has so many groups.",
                nullable=True,
                minimum=-1,
                maximum=1,
            ),
            Column(
                "rank",
                "int32",
                "Place by silhouette in the snapshot, from 1; 2 is the runner-up.",
                nullable=True,
                minimum=1,
            ),
            Column(
                "support",
                "float64",
                "Share of the resamples in which this number had the largest silhouette.",
                minimum=0,
                maximum=1,
            ),
            Column(
                "adjusted_rand",
                "float64",
                "Chosen number: mean adjusted Rand index between the published groups and those of each resample, "
                "however many these are; null for other numbers.",
                nullable=True,
                minimum=-1,
                maximum=1,
            ),
            Column(
                "adjusted_rand_same_k",
                "float64",
                "Mean adjusted Rand index between this number of groups in the snapshot and in each resample.",
                nullable=True,
                minimum=-1,
                maximum=1,
            ),
            _RESAMPLES,
        ),
    ),
)
