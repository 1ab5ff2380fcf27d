"""Small logs of votes, their voters and lists of items, as ingest would hand them over."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.opinions.matrix import VoteMatrix
from clustering_platform.tables import TABLES, Table, conform

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAY = FIRST.date()
Vote = tuple[str, str, int]


def votes_table(votes: Sequence[Vote], *, times: Sequence[datetime] | None = None) -> pa.Table:
    """Return a log of (voter, item, vote) in order of time: one a second from the start of `DAY`, unless told."""
    times = [FIRST + timedelta(seconds=second) for second in range(len(votes))] if times is None else times
    voters, items, values = zip(*votes, strict=True) if votes else ((), (), ())
    voter_numbers, item_numbers = (_in_order_of_appearance(names) for names in (voters, items))
    last = {pair: row for row, pair in enumerate(zip(voters, items, strict=True))}
    table = {
        "sequence": pa.array(range(len(votes)), pa.int64()),
        "voter_number": pa.array([voter_numbers[voter] for voter in voters], pa.int32()),
        "voter_id": pa.array(voters, pa.string()),
        "voter_type": pa.array(["user"] * len(votes), pa.string()),
        "item_number": pa.array([item_numbers[item] for item in items], pa.int32()),
        "item_id": pa.array(items, pa.string()),
        "vote": pa.array(values, pa.int8()),
        "voted_at": pa.array(times, pa.timestamp("us", tz="UTC")),
        "is_superseded": pa.array([last[voter, item] != row for row, (voter, item, _) in enumerate(votes)], pa.bool_()),
    }
    return conform(pa.table(table), TABLES["votes"])


def ingested(votes: pa.Table, items: pa.Table) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return a log, its voters and its items with numbers that fit: items that only votes name come last."""
    voted = votes.sort_by("sequence")
    listed = items["item_id"].to_pylist()
    unlisted = [item for item in dict.fromkeys(voted["item_id"].to_pylist()) if item not in listed]
    rows = {item: row for row, item in enumerate([*listed, *unlisted])}
    numbers = pa.array([rows[item] for item in votes["item_id"].to_pylist()], pa.int32())
    numbered = votes.set_column(votes.column_names.index("item_number"), votes.schema.field("item_number"), numbers)
    rest = items_table([(item, 0, False) for item in unlisted])
    return numbered, voters_table(voted), pa.concat_tables([items, rest])


def voters_table(votes: pa.Table) -> pa.Table:
    """Return the voters of a log."""
    rows: dict[str, dict[str, object]] = {}
    for vote in votes.to_pylist():
        voter = rows.setdefault(
            vote["voter_id"],
            {
                "voter_number": vote["voter_number"],
                "voter_id": vote["voter_id"],
                "voter_type": vote["voter_type"],
                "votes": 0,
                "first_vote_at": vote["voted_at"],
            },
        )
        voter |= {"votes": int(str(voter["votes"])) + 1, "last_vote_at": vote["voted_at"]}
    return pa.Table.from_pylist(list(rows.values()), schema=TABLES["voters"].schema())


def _in_order_of_appearance(names: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def items_table(items: Sequence[tuple[str, int, bool]]) -> pa.Table:
    """Return items given as (id, moderation, is_meta)."""
    rows = [
        {
            "item_id": item,
            "moderation": moderation,
            "is_meta": is_meta,
            "is_seed": False,
            "is_listed": True,
        }
        for item, moderation, is_meta in items
    ]
    return pa.Table.from_pylist(rows, schema=TABLES["items"].schema())


def plain_items(*names: str) -> pa.Table:
    """Return items that are neither moderated nor meta."""
    return items_table([(name, 0, False) for name in names])


def one_vote_each(rows: Sequence[Sequence[int | None]]) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return a log, its voters and items from a matrix of votes, None where missing: voters v0, ..., items i0, ..."""
    votes = [(f"v{row}", f"i{column}", vote) for row, cells in enumerate(rows) for column, vote in enumerate(cells)]
    width = max((len(cells) for cells in rows), default=0)
    return ingested(
        votes_table([(voter, item, vote) for voter, item, vote in votes if vote is not None]),
        plain_items(*(f"i{column}" for column in range(width))),
    )


def unpacked(vote_matrix: pa.Table) -> list[list[tuple[int, int]]]:
    """Return the packed votes of a vote matrix, row by row: (column, vote)."""
    rows = [np.frombuffer(row, np.uint16).tolist() for row in vote_matrix["votes"].to_pylist()]
    return [[(cell // 4, cell % 4 - 1) for cell in row] for row in rows]


def faults(table: pa.Table, contract: Table) -> list[str]:
    """Return how a table breaks its contract: types, key, allowed values, ranges."""
    found = [] if table.schema.equals(contract.schema()) else [f"schema {table.schema}"]
    keys = list(zip(*(table[name].to_pylist() for name in contract.key), strict=True))
    if len(set(keys)) < len(keys):
        found.append(f"{contract.key} is no key")
    for column in contract.columns:
        values = [value for value in table[column.name].to_pylist() if value is not None]
        if not column.nullable and len(values) < table.num_rows:
            found.append(f"{column.name} has nulls")
        if column.values is not None and not set(values) <= set(column.values):
            found.append(f"{column.name} has {set(values) - set(column.values)}")
        if column.minimum is not None and min(values, default=column.minimum) < column.minimum:
            found.append(f"{column.name} is below {column.minimum}")
        if column.maximum is not None and max(values, default=column.maximum) > column.maximum:
            found.append(f"{column.name} is above {column.maximum}")
    return found


def matrix_of(rows: Sequence[Sequence[float | None]] | NDArray[np.float64]) -> VoteMatrix:
    """Return the matrix of votes given by voter and item, None or nan where there is none; nobody is moderated out."""
    votes = np.array(rows, np.float64)
    voted = np.isfinite(votes)
    return VoteMatrix(
        voter_ids=pa.array([f"v{row}" for row in range(len(votes))]),
        item_ids=pa.array([f"i{column}" for column in range(votes.shape[1])]),
        starts=np.append(0, np.cumsum(voted.sum(axis=1))),
        cells=(4 * np.nonzero(voted)[1] + votes[voted] + 1).astype(np.uint16),
        is_grouped=np.ones(len(votes), np.bool_),
        is_moderated_out=np.zeros(votes.shape[1], np.bool_),
    )
