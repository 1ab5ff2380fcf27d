"""Drift over some days, as tables."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from clustering_platform.opinions.drift.alignment import turn_between
from clustering_platform.opinions.drift.build import DRIFT_TABLES, build_drift
from clustering_platform.opinions.drift.days import Day
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.drift.days import FIRST, day, grouped, people
from clustering_platform_tests.opinions.tables import faults


def drift(*days: Day) -> dict[str, list[dict[str, Any]]]:
    tables = dict(zip(DRIFT_TABLES, build_drift(days), strict=True))
    assert {name: faults(table, TABLES[name]) for name, table in tables.items()} == {name: [] for name in tables}
    return {name: table.to_pylist() for name, table in tables.items()}


def letters(rows: list[dict[str, Any]], number: int) -> dict[str, str]:
    at = FIRST + timedelta(days=number)
    return {row["letter"]: row["change"] for row in rows if row["day"] == at}


def test_without_days_there_is_no_drift() -> None:
    assert all(rows == [] for rows in drift().values())


def test_groups_keep_their_letters_whatever_their_numbers() -> None:
    first = grouped(people("a", 20), people("b", 30))
    swapped = {voter: 1 - (group or 0) for voter, group in first.items()}
    found = drift(day(0, first), day(1, swapped))
    assert letters(found["group_lineage"], 0) == {"A": "first", "B": "first"}
    assert letters(found["group_lineage"], 1) == {"A": "continued", "B": "continued"}
    assert [(row["letter"], row["group_id"]) for row in found["group_lineage"][2:]] == [("B", 0), ("A", 1)]
    assert found["voter_moves"] == []


def test_who_moves_is_listed_and_counted() -> None:
    found = drift(
        day(0, grouped(people("a", 20), people("b", 30)) | {"late": None}),
        day(1, grouped([*people("a", 19), "late"], [*people("b", 29), "a19", "new"]) | {"b29": None}),
    )
    (move,) = found["voter_moves"]
    assert (move["voter_id"], move["from_letter"], move["to_letter"]) == ("a19", "A", "B")
    flows = {(row["from_letter"], row["to_letter"]): row["voters"] for row in found["group_flows"]}
    assert flows == {
        ("A", "A"): 19,
        ("A", "B"): 1,
        ("B", "B"): 29,
        ("B", None): 1,
        (None, "A"): 1,
        (None, "B"): 1,
    }
    last = found["drift_days"][1]
    assert (last["voters_in_both"], last["voters_moved"]) == (49, 1)


def test_a_split_and_a_merger_are_told() -> None:
    whole, half, rest = people("a", 60), people("a", 40), people("a", 20, 40)
    others = people("b", 30)
    found = drift(day(0, grouped(whole, others)), day(1, grouped(half, rest, others)), day(2, grouped(whole, others)))
    assert letters(found["group_lineage"], 1) == {"A": "split", "B": "continued", "C": "split"}
    assert letters(found["group_lineage"], 2) == {"A": "merged", "B": "continued", "C": "gone"}
    gone = found["group_lineage"][-1]
    assert (gone["into_letter"], gone["size"], gone["from_letters"]) == ("A", 0, ["C"])
    assert next(row for row in found["group_lineage"] if row["change"] == "merged")["from_letters"] == ["A", "C"]


def test_a_day_without_groups_is_passed_over() -> None:
    groups = grouped(people("a", 20), people("b", 30))
    found = drift(day(0, groups), day(1, dict.fromkeys(groups), status="no_variation"), day(4, groups))
    assert [row["compared_with"] for row in found["drift_days"]] == [None, None, FIRST]
    assert [row["divergence"] for row in found["drift_days"]][1] is None
    assert letters(found["group_lineage"], 4) == {"A": "continued", "B": "continued"}


def test_a_map_that_flips_or_turns_is_turned_back() -> None:
    rng = np.random.default_rng(3)
    groups = grouped(people("a", 20), people("b", 30))
    spots = {voter: tuple(rng.normal(size=2)) for voter in groups}
    flipped = {voter: (-x, y) for voter, (x, y) in spots.items()}
    turned = {voter: (y, -x) for voter, (x, y) in spots.items()}
    days = [day(0, groups, places=spots), day(1, groups, places=flipped), day(2, groups, places=turned)]
    rows = drift(*days)["drift_days"]
    for one, row in zip(days, rows, strict=True):
        places = np.array(one.places)
        x = places[:, 0] * row["turn_xx"] + places[:, 1] * row["turn_xy"]
        y = places[:, 0] * row["turn_yx"] + places[:, 1] * row["turn_yy"]
        np.testing.assert_allclose(np.column_stack([x, y]), list(spots.values()), atol=1e-12)
    assert [row["map_similarity"] for row in rows] == [None, pytest.approx(1), pytest.approx(1)]


def test_maps_with_no_voter_in_common_are_not_turned() -> None:
    turn, similarity = turn_between(np.empty((0, 2)), np.empty((0, 2)))
    np.testing.assert_array_equal(turn, np.eye(2))
    assert similarity is None


def test_opinions_shift_where_votes_changed() -> None:
    groups = grouped(people("a", 20), people("b", 30))
    before = {"i0": [(2, 0, 8), (20, 0, 10)], "i1": [(5, 0, 5), (3, 0, 4)]}
    now = {"i2": [(1, 0, 1), (1, 0, 1)], "i0": [(8, 0, 8), (20, 0, 10)], "i1": [(5, 0, 5), (3, 0, 4)]}
    found = drift(day(0, groups, votes=before), day(1, groups, votes=now))["opinion_shifts"]
    assert [(row["letter"], row["item_id"]) for row in found] == [(None, "i0"), ("A", "i0")]
    of_group = found[1]
    assert (of_group["agree_before"], of_group["seen_before"], of_group["agree"], of_group["seen"]) == (8, 10, 8, 16)
    assert of_group["shift"] == pytest.approx(9 / 18 - 9 / 12)


def test_drift_is_the_same_from_the_beginning_whatever_comes_later() -> None:
    days = [day(number, grouped(people("a", 20 + number), people("b", 30 - number))) for number in range(4)]
    short, whole = drift(*days[:3]), drift(*days)
    for name, rows in short.items():
        assert whole[name][: len(rows)] == rows
