"""How many groups a day has, given what was best on it and on the days before."""

from collections import Counter
from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.log import as_log
from clustering_platform.opinions.smoothing import (
    Best,
    build_earlier_groupings,
    continued_number,
    is_changed,
    smoothed_number,
)
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.tables import DAY, FIRST, faults, votes_table

NUMBERS = st.integers(2, 6)
EARLIER = st.lists(NUMBERS, max_size=5)
ALL = range(2, 7)


@pytest.mark.parametrize(
    ("earlier", "best", "chosen"),
    [
        ([], 3, 3),
        ([2, 2, 2], 3, 2),
        ([2, 3, 2], 3, 3),
        ([3, 2, 3], 2, 2),
        ([3, 3, 2], 2, 2),
        ([4, 2, 5], 3, 3),
        ([4, 4, 5], 3, 4),
    ],
)
def test_the_number_that_was_best_on_most_days_is_chosen_of_several_the_last(
    earlier: list[int], best: int, chosen: int
):
    assert smoothed_number(best, earlier, available=ALL) == chosen


@given(EARLIER, NUMBERS, st.sets(NUMBERS))
def test_what_is_chosen_is_available_and_no_other_available_number_was_best_more_often(
    earlier: list[int], best: int, others: set[int]
):
    available = others | {best}
    chosen = smoothed_number(best, earlier, available=available)
    days = Counter([*earlier, best])
    assert chosen in available
    assert days[chosen] == max(days[number] for number in available)


@given(NUMBERS, st.lists(NUMBERS, max_size=30))
def test_one_day_alone_cannot_change_a_number_that_held_for_three(number: int, later: list[int]):
    assert smoothed_number(later[0] if later else number, [number] * 3, available=ALL) == number


def waited(bests: list[int], *, needed: int = 4) -> list[int]:
    """Return the numbers chosen in a row of snapshots with these best numbers."""
    chosen: list[int] = []
    in_a_row = 0
    for snapshot, best in enumerate(bests):
        in_a_row = in_a_row + 1 if snapshot and bests[snapshot - 1] == best else 1
        previous = chosen[-1] if chosen else None
        chosen.append(continued_number(best, in_a_row=in_a_row, previous=previous, needed=needed, available=ALL))
    return chosen


def test_warm_the_first_number_is_taken_at_once_and_another_when_it_was_best_four_times_in_a_row():
    assert waited([2, 3, 3, 3, 3]) == [2, 2, 2, 2, 3]
    assert waited([2, 3, 3, 4, 3, 3, 3, 3]) == [2, 2, 2, 2, 2, 2, 2, 3]


@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_warm_with_one_day_the_best_number_is_always_chosen(bests: list[int]):
    assert waited(bests, needed=1) == bests


@pytest.mark.parametrize(("previous", "chosen"), [(5, 3), (2, 2), (7, 3)])
def test_warm_a_number_that_is_not_available_any_more_gives_way_to_the_nearest(previous: int, chosen: int):
    assert continued_number(2, in_a_row=1, previous=previous, needed=4, available=[2, 3]) == chosen


def earlier_table(
    bests: dict[date, Best | None], changes: set[date], *, today: Best | None, config: OpinionsConfig
) -> tuple[pa.Table, list[date]]:
    asked: list[date] = []

    def find(day: date) -> Best | None:
        asked.append(day)
        return bests[day]

    table = build_earlier_groupings(today, day=DAY, config=config, changed=changes.__contains__, find=find)
    assert faults(table, TABLES["earlier_groupings"]) == []
    return table, asked


def before(days: int) -> date:
    return DAY - timedelta(days=days)


def test_earlier_days_are_listed_oldest_first_but_those_without_groups():
    bests = {before(1): Best(3, 0.3), before(2): None, before(3): Best(2, 0.2)}
    changes = {before(days) for days in range(4)}
    table, asked = earlier_table(bests, changes, today=Best(4, 0.4), config=OpinionsConfig())
    assert table.to_pylist() == [
        {"earlier_day": before(3), "groups": 2, "silhouette": 0.2},
        {"earlier_day": before(1), "groups": 3, "silhouette": 0.3},
    ]
    assert asked == [before(1), before(2), before(3)]


def test_a_day_after_which_nothing_changed_is_like_the_next_and_costs_nothing():
    table, asked = earlier_table({before(2): Best(2, 0.2)}, {before(1)}, today=Best(4, 0.4), config=OpinionsConfig())
    assert table["groups"].to_pylist() == [2, 2, 4]
    assert asked == [before(2)]


@pytest.mark.parametrize(
    "config", [OpinionsConfig(smoothing_days=1), OpinionsConfig(continuity="warm")], ids=["one day", "warm"]
)
def test_no_earlier_day_is_looked_at_where_nothing_is_smoothed_over_days(config: OpinionsConfig):
    table, asked = earlier_table({}, {DAY}, today=Best(4, 0.4), config=config)
    assert (table.num_rows, asked) == (0, [])


def test_no_earlier_day_is_looked_at_for_a_day_without_groups():
    table, asked = earlier_table({}, {DAY}, today=None, config=OpinionsConfig())
    assert (table.num_rows, asked) == (0, [])


def test_days_with_votes_may_differ_from_the_day_before_and_so_may_those_when_votes_leave_the_window():
    moments = [FIRST + timedelta(days=days, hours=12) for days in (0, 5, 5)]
    log = as_log(votes_table([("v", "a", 1), ("v", "b", 1), ("w", "b", 1)], times=moments))
    days = [DAY + timedelta(days=number) for number in range(-2, 12)]

    def changed(config: OpinionsConfig) -> list[int]:
        return [(day - DAY).days for day in days if is_changed(log, day=day, config=config)]

    assert changed(OpinionsConfig()) == [0, 5]
    assert changed(OpinionsConfig(window=3)) == [0, 3, 5, 8]
