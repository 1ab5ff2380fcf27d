"""Contracts of drift: what changes from day to day, one set for each dataset; formulas stand in ``docs/drift.md``."""

from clustering_platform.tables.contract import DAY, ITEM_ID, VOTER_ID, Column, Table, nullable_share

_COMPARED_WITH = Column("compared_with", "date", "The nearest earlier published day with groups.")
_LETTER = Column("letter", "string", "Lasting letter: that of the group it goes on from; never given twice.")
_FROM = Column("from_letter", "string", "Lasting letter of the group before.")
_TO = Column("to_letter", "string", "Lasting letter of the group now.")


def _nullable(column: Column, description: str) -> Column:
    return Column(column.name, column.type, f"{column.description[:-1]}; {description}.", nullable=True)


DRIFT_TABLES = (
    Table(
        "drift_days",
        "drift",
        "days",
        "a published day",
        "How polarized each day is, how many voters moved since the day before, and how its map is turned.",
        ("day",),
        (
            DAY,
            _nullable(_COMPARED_WITH, "null for the first such day, and for days without groups"),
            Column("status", "string", "Status of the snapshot; without groups it is not `ready`."),
            Column("voters", "int32", "Voters with at least one vote.", minimum=0),
            Column("grouped_voters", "int32", "Voters in a group.", minimum=0),
            Column("groups", "int32", "Number of groups.", minimum=0),
            Column("voters_in_both", "int32", "Voters in a group on this day and on that one.", minimum=0),
            Column("voters_moved", "int32", "Those of them who are in a group with another letter.", minimum=0),
            nullable_share(
                "divergence",
                "How much the vote on an item tells of the voter's group: the mutual information of vote and group "
                "over the entropy of the group. 0: groups vote alike, 1: the vote tells the group; null without any.",
            ),
            nullable_share(
                "bimodality",
                "Sarle's bimodality coefficient of the places along the first component; above 5/9 (an even spread) "
                "there may be two camps. Null for fewer than four voters.",
            ),
            nullable_share(
                "separation",
                "Share of the variance of the places of grouped voters that lies between groups. Null without groups.",
            ),
            nullable_share(
                "map_similarity",
                "How well this day's map, turned, matches the one before, over the voters of both: 1 for the same "
                "shape. Null where there is nothing to compare.",
            ),
            *(
                Column(name, "float64", description, minimum=-1, maximum=1)
                for name, description in (
                    ("turn_xx", "Turns this day's map to match the days before: x * turn_xx + y * turn_xy is x there."),
                    ("turn_xy", "See `turn_xx`."),
                    ("turn_yx", "x * turn_yx + y * turn_yy is y there."),
                    ("turn_yy", "See `turn_yx`."),
                )
            ),
        ),
        ascending=("day",),
    ),
    Table(
        "group_lineage",
        "drift",
        "days",
        "a group on a day, and once more on the day it is gone",
        "What became of each group from day to day, with letters and colours that last.",
        ("day", "letter"),
        (
            DAY,
            _LETTER,
            Column("colour", "int32", "Place in the palette of the maps, from 0; lasts as the letter does.", minimum=0),
            Column(
                "group_id",
                "int32",
                "Id of the group within its snapshot; null where it is gone.",
                nullable=True,
                minimum=0,
            ),
            Column(
                "change",
                "string",
                "`first`: on the first day with groups. `continued`: goes on from one group. `split`: one of several "
                "groups that most of whose voters were in one. `merged`: holds most voters of several. `new`: from no "
                "group in particular. `gone`: no group goes on from it.",
                values=("first", "continued", "split", "merged", "new", "gone"),
            ),
            _nullable(_COMPARED_WITH, "null for `first`"),
            Column("from_letters", "list<string>", "Groups of the day before that it goes on from, by letter."),
            Column(
                "into_letter",
                "string",
                "Where it is gone: the group that most of its voters are in now.",
                nullable=True,
            ),
            Column("size", "int32", "Number of voters; 0 where it is gone.", minimum=0),
            Column("share", "float64", "Share of the grouped voters.", minimum=0, maximum=1),
        ),
        ascending=("day",),
    ),
    Table(
        "group_flows",
        "drift",
        "days",
        "a way from a group to a group, or into or out of the groups",
        "How many voters went from which group to which, those who stayed among them.",
        ("day", "from_letter", "to_letter"),
        (
            DAY,
            _COMPARED_WITH,
            _nullable(_FROM, "null for voters who were in none"),
            _nullable(_TO, "null for voters who are in none any more"),
            Column("voters", "int32", "How many voters.", minimum=1),
        ),
        ascending=("day",),
    ),
    Table(
        "voter_moves",
        "drift",
        "days",
        "a voter who moved to a group with another letter",
        "Who moved from which group to which.",
        ("day", "voter_id"),
        (DAY, _COMPARED_WITH, VOTER_ID, _FROM, _TO),
        ascending=("day",),
    ),
    Table(
        "opinion_shifts",
        "drift",
        "days",
        "a group and an item on which its votes changed",
        "How the opinion of each group, and of all grouped voters, on each item shifted since the day before.",
        ("day", "letter", "item_id"),
        (
            DAY,
            _COMPARED_WITH,
            _nullable(_LETTER, "null for all grouped voters together"),
            ITEM_ID,
            Column("agree_before", "int32", "How many agreed then.", minimum=0),
            Column("seen_before", "int32", "How many voted on it then.", minimum=1),
            Column("agree", "int32", "How many agree now.", minimum=0),
            Column("seen", "int32", "How many have voted on it now.", minimum=1),
            Column(
                "shift",
                "float64",
                "Share of agreement now less that then, each (agree + 1) / (seen + 2).",
                minimum=-1,
                maximum=1,
            ),
        ),
        ascending=("day",),
    ),
)
