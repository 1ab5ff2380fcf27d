"""Small logs of votes and lists of items, as ingest would hand them over."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from clustering_platform.tables import TABLES, Table, conform

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAY = FIRST.date()
Vote = tuple[str, str, int]


def votes_table(votes: Sequence[Vote], *, times: Sequence[datetime] | None = None) -> pa.Table:
    """Return a log of (voter, item, vote) in order of time: one a second from the start of `DAY`, unless told."""
    times = [FIRST + timedelta(seconds=second) for second in range(len(votes))] if times is None else times
    voters, items, values = zip(*votes, strict=True) if votes else ((), (), ())
    last = {pair: row for row, pair in enumerate(zip(voters, items, strict=True))}
    table = {
        "sequence": pa.array(range(len(votes)), pa.int64()),
        "voter_id": pa.array(voters, pa.string()),
        "voter_type": pa.array(["user"] * len(votes), pa.string()),
        "item_id": pa.array(items, pa.string()),
        "vote": pa.array(values, pa.int8()),
        "voted_at": pa.array(times, pa.timestamp("us", tz="UTC")),
        "is_superseded": pa.array([last[voter, item] != row for row, (voter, item, _) in enumerate(votes)], pa.bool_()),
    }
    return conform(pa.table(table), TABLES["votes"])


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


def one_vote_each(rows: Sequence[Sequence[int | None]]) -> tuple[pa.Table, pa.Table]:
    """Return a log and items from a matrix of votes, None where missing: voters v0, v1, ... and items i0, i1, ..."""
    votes = [(f"v{row}", f"i{column}", vote) for row, cells in enumerate(rows) for column, vote in enumerate(cells)]
    width = max((len(cells) for cells in rows), default=0)
    return (
        votes_table([(voter, item, vote) for voter, item, vote in votes if vote is not None]),
        plain_items(*(f"i{column}" for column in range(width))),
    )


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
