"""Contracts of the measures of a day: of clusters, of voters, and of what joins the groups."""

from clustering_platform.tables.contract import ITEM_ID, VOTER_ID, Column, Table, share

MEASURED_LEVELS = ("base_cluster", "group", "subgroup")
"""Levels of clusters that are measured, from the finest division of voters' places to the parts of a group.

The id of a voter's cluster stands in the column ``<level>_id`` of `voter_groups`. A level after `group` divides the
clusters of the level before it.
"""

_PAIR = (
    Column("first_group_id", "int32", "The group of the pair with the smaller id.", minimum=0),
    Column("second_group_id", "int32", "The group of the pair with the larger id.", minimum=0),
)


def _distance(name: str, description: str, *, nullable: bool = False) -> Column:
    return Column(name, "float64", description, nullable=nullable, minimum=0)


def _distance_to(level: str) -> Column:
    name = level.replace("_", " ")
    is_whole = level in ("base_cluster", "group")  # every grouped voter is in one
    return _distance(
        f"distance_to_{level}",
        f"Distance to the centroid of the own {name}{'.' if is_whole else '; null where there is none.'}",
        nullable=not is_whole,
    )


def _side_of(group: str) -> tuple[Column, ...]:
    return (
        Column(f"{group}_n_success", "int32", f"Votes of the {group} group on that side.", minimum=0),
        Column(f"{group}_n_trials", "int32", f"All votes of the {group} group on the item.", minimum=0),
        share(f"{group}_p_success", f"(n_success + 1) / (n_trials + 2) of the {group} group."),
        Column(f"{group}_p_test", "float64", f"One-proportion z score of the {group} group against one half."),
    )


MEASURE_TABLES = (
    Table(
        "cluster_measures",
        "opinions",
        "day",
        "a cluster",
        "How large, how wide, how united and how separate each cluster is.",
        ("level", "cluster_id"),
        (
            Column("level", "string", "Level of the cluster.", values=MEASURED_LEVELS),
            Column("cluster_id", "int32", "Id of the cluster within its level and snapshot.", minimum=0),
            Column("size", "int32", "Number of voters.", minimum=1),
            Column("x", "float64", "Mean x of its voters: its centroid."),
            Column("y", "float64", "Mean y of its voters."),
            _distance("radius", "Largest distance of a voter from the centroid."),
            Column("variance", "float64", "Mean squared distance of the voters from the centroid.", minimum=0),
            share(
                "consensus",
                "Share of the votes that are the most frequent vote of the cluster on their item; null without votes.",
                nullable=True,
            ),
            Column(
                "silhouette",
                "float64",
                "Mean silhouette of its base clusters among the clusters beside it; null for base clusters, and for a "
                "cluster that has none beside it.",
                nullable=True,
                minimum=-1,
                maximum=1,
            ),
            *(
                Column(f"majority_{majority}", "int32", description, minimum=0)
                for majority, description in (
                    ("agree", "Items on which most frequently its voters agreed."),
                    ("disagree", "Items on which most frequently its voters disagreed."),
                    ("pass", "Items on which most frequently its voters passed."),
                    ("split", "Items on which two votes are equally the most frequent."),
                )
            ),
        ),
    ),
    Table(
        "voter_measures",
        "opinions",
        "day",
        "a grouped voter",
        "How typical each voter is of the own group, and how near to the others.",
        ("voter_id",),
        (
            VOTER_ID,
            *(_distance_to(level) for level in MEASURED_LEVELS),
            _distance("distance_to_centre", "Distance to the mean place of all grouped voters."),
            Column(
                "nearest_other_group",
                "int32",
                "The other group with the nearest centroid; null where there is no other.",
                nullable=True,
                minimum=0,
            ),
            _distance("distance_to_nearest_other", "Distance to the centroid of that group.", nullable=True),
            share(
                "bridging",
                "distance_to_group / distance_to_nearest_other, at most 1: 0 at the own centroid, 1 on the border.",
                nullable=True,
            ),
            share(
                "representativeness",
                "Mean over the voter's votes of the share of the other voters of the group who voted the same on the "
                "item; null where nobody of the group voted on these items.",
                nullable=True,
            ),
            share(
                "agreement_nearest_other",
                "Mean over the voter's votes of the share of the voters of that group who voted the same on the item; "
                "null where none of them voted on these items.",
                nullable=True,
            ),
            Column("centricness", "float64", "1 - distance_to_centre, as in Polis.", maximum=1),
            Column("coreness", "float64", "1 - distance_to_group, as in Polis.", maximum=1),
            Column(
                "extremeness",
                "float64",
                "How much farther than the own group's centroid the voter is from the centre, in its direction.",
            ),
        ),
    ),
    Table(
        "bridge_voters",
        "opinions",
        "day",
        "a voter between two groups",
        "Voters who sit between two groups, those nearest to the border first.",
        ("first_group_id", "second_group_id", "voter_id"),
        (
            *_PAIR,
            Column("rank", "int32", "Place in the list of the pair, from 1.", minimum=1),
            VOTER_ID,
            Column("group_id", "int32", "The voter's own group, one of the pair.", minimum=0),
            Column("votes_cast", "int32", "Items the voter voted on, passes included.", minimum=1),
            share("bridging", "As in `voter_measures`."),
            share("agreement_own", "representativeness in `voter_measures`.", nullable=True),
            share("agreement_other", "agreement_nearest_other in `voter_measures`.", nullable=True),
        ),
    ),
    Table(
        "bridge_items",
        "opinions",
        "day",
        "an item that joins two groups",
        "Items on which both groups of a pair take the same side.",
        ("first_group_id", "second_group_id", "side", "item_id"),
        (
            *_PAIR,
            Column("side", "string", "The side that both groups take.", values=("agree", "disagree")),
            Column("rank", "int32", "Place in the list of the pair and side, from 1.", minimum=1),
            ITEM_ID,
            *_side_of("first"),
            *_side_of("second"),
        ),
    ),
)
