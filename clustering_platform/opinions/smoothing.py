"""How many groups a day has: the number that is best today, smoothed over the days before.

Cold, the number is chosen from the best numbers of some days, each of which follows from its votes alone; so the order
in which days are computed does not matter. Warm, a new number has to be best for some snapshots in a row, as in Polis.
What makes a number best is decided in ``groups``.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.log import Log, rows_within
from clustering_platform.tables import TABLES, conform


class Best(NamedTuple):
    """The best number of groups of a day, and its silhouette."""

    groups: int
    silhouette: float


def smoothed_number(best: int, earlier: Sequence[int], *, available: Collection[int]) -> int:
    """Return the number of groups that was best on most days; of several, the one that was best last.

    Parameters
    ----------
    best
        The best number of today, which is available.
    earlier
        The best numbers of the days before, oldest first.
    available
        Numbers that were tried today; others cannot be chosen.
    """
    days = [number for number in (*earlier, best) if number in available]
    last = {number: day for day, number in enumerate(days)}
    return max(last, key=lambda number: (days.count(number), last[number]))


def continued_number(best: int, *, in_a_row: int, previous: int | None, needed: int, available: Collection[int]) -> int:
    """Return the number of groups where a new number has to be best `needed` times in a row. Source: Polis.

    Parameters
    ----------
    best
        The best number of today.
    in_a_row
        In how many snapshots in a row it was best, today included.
    previous
        The number chosen in the snapshot before; None where there is none, and the best is taken at once.
    needed
        So many times in a row make a new number the chosen one.
    available
        Numbers that were tried today; where the number to keep is none of them, the nearest is taken.
    """
    if previous is None or in_a_row >= needed:
        return best
    return min(available, key=lambda number: (abs(number - previous), -number))


def is_smoothed_over_days(config: OpinionsConfig) -> bool:
    """Tell whether the best numbers of earlier days are asked for."""
    return config.continuity == "cold" and config.smoothing_days > 1


def build_earlier_groupings(
    today: Best | None,
    *,
    day: date,
    config: OpinionsConfig,
    changed: Callable[[date], bool],
    find: Callable[[date], Best | None],
) -> pa.Table:
    """Return the table `earlier_groupings`: the best numbers of the days before `day` over which it is smoothed.

    Parameters
    ----------
    today
        The best number of `day`; None where its snapshot is not ready, and then the table is empty.
    changed
        Tells of a day whether it may differ from the day before; see `is_changed`.
    find
        Returns the best number of a day, None where its snapshot is not ready. It is asked only about days after
        which something changed.
    """
    rows: list[tuple[date, Best]] = []
    best = today
    days_before = config.smoothing_days - 1 if today and is_smoothed_over_days(config) else 0
    for back in range(days_before):
        following = day - timedelta(days=back)
        before = following - timedelta(days=1)
        best = find(before) if changed(following) else best
        if best:
            rows.append((before, best))
    table = [
        {"earlier_day": before, "groups": best.groups, "silhouette": best.silhouette} for before, best in rows[::-1]
    ]
    contract = TABLES["earlier_groupings"]
    return conform(pa.Table.from_pylist(table, schema=contract.schema()), contract)


def is_changed(log: Log, *, day: date, config: OpinionsConfig) -> bool:
    """Tell whether other votes count for a day than for the day before."""
    rows, before = (rows_within(log, day=day - timedelta(days=back), window=config.window) for back in (0, 1))
    return rows != before


def best_of(groupings: pa.Table) -> Best | None:
    """Return the best number in a table `groupings`; None where there are no groups."""
    whole = pc.and_(groupings["is_best"], pc.is_null(groupings["parent_id"]))
    rows = groupings.filter(whole).select(["groups", "silhouette"]).to_pylist()
    return Best(**rows[0]) if rows else None
