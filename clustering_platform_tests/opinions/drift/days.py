"""Published days built by hand: who is in which group, where, and how groups voted."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from clustering_platform.opinions.drift.days import Day

FIRST = date(2026, 5, 1)


def day(
    number: int,
    groups: Mapping[str, int | None],
    *,
    places: Mapping[str, tuple[float, float]] | None = None,
    votes: Mapping[str, Sequence[tuple[int, int, int]]] | None = None,
    status: str = "ready",
) -> Day:
    """Return a day, `number` days after the first.

    Parameters
    ----------
    groups
        The group of each voter, None for none.
    places
        Where voters stand; by default all at one place for each group.
    votes
        For each item how many of each group disagreed, passed and agreed, groups in order of their ids.
    """
    at = places or {voter: (float(group or 0), 0.0) for voter, group in groups.items()}
    ids = sorted({group for group in groups.values() if group is not None})
    votes = votes or {"i0": [(0, 0, 0)] * len(ids)}
    rows = [
        {"level": "group", "cluster_id": group, "item_id": item, "disagree": no, "pass": neither, "agree": yes}
        for place, group in enumerate(ids)
        for item, (no, neither, yes) in ((item, counts[place]) for item, counts in votes.items())
    ]
    names = ("level", "cluster_id", "item_id", "disagree", "pass", "agree")
    types = (pa.string(), pa.int32(), pa.string(), pa.int32(), pa.int32(), pa.int32())
    return Day(
        day=FIRST + timedelta(days=number),
        status=status,
        voter_groups=pa.table(
            {
                "voter_id": pa.array(groups, pa.string()),
                "x": np.array([at[voter][0] for voter in groups]),
                "y": np.array([at[voter][1] for voter in groups]),
                "group_id": pa.array(groups.values(), pa.int32()),
            }
        ),
        voting_patterns=pa.Table.from_pylist(rows, pa.schema(list(zip(names, types, strict=True)))),
        voted_items=pa.table({"item_id": pa.array(votes, pa.string())}),
    )


def grouped(*sizes: Sequence[str]) -> dict[str, int | None]:
    """Return the group of each voter from the voters of each group."""
    return {voter: group for group, voters in enumerate(sizes) for voter in voters}


def people(letter: str, count: int, start: int = 0) -> list[str]:
    """Return the ids of some voters."""
    return [f"{letter}{number}" for number in range(start, start + count)]
