"""Contracts of what ingest makes."""

from clustering_platform.tables.contract import ITEM_ID, VOTER_ID, Column, Table

_VOTER_NUMBER = Column("voter_number", "int32", "Row in `voters`: voters in order of their first vote.", minimum=0)

INGEST_TABLES = (
    Table(
        "items",
        "ingest",
        "dataset",
        "an item",
        "Statements and documents, as read from the source.",
        ("item_id",),
        (
            ITEM_ID,
            Column("text", "string", "The text; null where votes name an item that no item file lists.", nullable=True),
            Column("created_at", "timestamp", "When the item was written.", nullable=True),
            Column(
                "author_id",
                "string",
                "Who wrote it: a keyed pseudonym, unless the dataset keeps plain ids.",
                nullable=True,
                is_personal=True,
            ),
            Column("moderation", "int8", "-1 rejected, 0 not moderated, 1 accepted.", values=(-1, 0, 1)),
            Column("is_meta", "bool", "A statement about the voter rather than an opinion."),
            Column("is_seed", "bool", "Written by the organisers."),
            Column("is_listed", "bool", "Listed in an item file; false where only votes name it."),
            Column("first_vote_at", "timestamp", "When it was first voted on.", nullable=True),
            Column(
                "metadata",
                "string",
                "Further columns of the source, as a JSON object.",
                nullable=True,
                is_personal=True,
            ),
        ),
    ),
    Table(
        "votes",
        "ingest",
        "dataset",
        "a vote that was cast",
        "The log of votes, re-votes included; rows are in order of sequence and of time.",
        ("sequence",),
        (
            Column("sequence", "int64", "Position in order of time; ties in the order of the source.", minimum=0),
            _VOTER_NUMBER,
            VOTER_ID,
            Column("voter_type", "string", "Kind of voter, as in the source.", values=("user", "session")),
            Column("item_number", "int32", "Row in `items`.", minimum=0),
            ITEM_ID,
            Column("vote", "int8", "1 agree, 0 pass, -1 disagree.", values=(-1, 0, 1)),
            Column("voted_at", "timestamp", "When the vote was cast."),
            Column("is_superseded", "bool", "The same voter voted on the same item again later."),
        ),
        ascending=("sequence", "voted_at"),
        digested=(("voter_number", "voter_id"), ("item_number", "item_id"), "vote", "voted_at"),
    ),
    Table(
        "voters",
        "ingest",
        "dataset",
        "a voter",
        "Everybody with an accepted vote, in order of the first vote in the log.",
        ("voter_id",),
        (
            _VOTER_NUMBER,
            VOTER_ID,
            Column("voter_type", "string", "Kind of voter, as of the first vote.", values=("user", "session")),
            Column("votes", "int32", "Rows in the log, re-votes included.", minimum=1),
            Column("first_vote_at", "timestamp", "When the voter first voted."),
            Column("last_vote_at", "timestamp", "When the voter last voted."),
        ),
        ascending=("voter_number", "first_vote_at"),
    ),
    Table(
        "quarantine",
        "ingest",
        "dataset",
        "a row that was refused",
        "Input rows that could not be accepted, and why.",
        ("file", "line", "reason", "column"),
        (
            Column("file", "string", "File, relative to the dataset's folder."),
            Column(
                "line", "int64", "Line of the file on which the row starts; row number in Parquet files.", minimum=1
            ),
            Column("column", "string", "Column at fault; empty where it is the whole row."),
            Column(
                "value",
                "string",
                "The value at fault, cut to 200 characters; withheld where it may name a person.",
                nullable=True,
                is_personal=True,
            ),
            Column("reason", "string", "Short code of the reason."),
            Column("message", "string", "What is wrong and what to do."),
        ),
    ),
    Table(
        "ingest_report",
        "ingest",
        "dataset",
        "an input file",
        "How many rows of each file were read and what became of them.",
        ("file",),
        (
            Column("file", "string", "File, relative to the dataset's folder."),
            Column("content", "string", "What was read from it.", values=("votes", "items")),
            Column("read", "int64", "Rows read.", minimum=0),
            Column("accepted", "int64", "Rows that count.", minimum=0),
            Column("quarantined", "int64", "Rows refused, see `quarantine`.", minimum=0),
            Column("superseded", "int64", "Rows replaced by a later one: re-votes, repeated items.", minimum=0),
            Column("findings", "list<string>", "What was noticed and how it was understood."),
        ),
    ),
)
