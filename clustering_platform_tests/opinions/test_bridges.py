import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

from clustering_platform.opinions.bridges import MOST_ITEMS, MOST_VOTERS, build_bridge_items, build_bridge_voters
from clustering_platform.tables import TABLES, conform
from clustering_platform_tests.opinions.measured import Measured
from clustering_platform_tests.opinions.strategies import grouped_voters
from clustering_platform_tests.opinions.tables import faults


def bridge_voters(voters: Measured) -> pa.Table:
    return build_bridge_voters(voters.voter_groups, voters.voter_measures, voters.cluster_measures)


def bridge_items(voters: Measured) -> pa.Table:
    return build_bridge_items(voters.tables[1], voters.patterns)


def test_bridge_voters_stand_between_the_centroids_those_nearest_to_the_border_first():
    # Group 0 is around (0, 0), group 1 around (12, 0).
    places = [(-4, 0), (-1, 0), (5, 0), (9, 0), (12, 0), (15, 0)]
    voters = Measured([[1, 0]] * 6, places, [0, 0, 0, 1, 1, 1])
    rows = bridge_voters(voters).to_pylist()
    assert [(row["rank"], row["voter_id"], row["group_id"]) for row in rows] == [
        (1, "v2", 0),
        (2, "v3", 1),
        (3, "v4", 1),  # on the centroid of its group
    ]
    assert rows[0]["bridging"] == pytest.approx(5 / 7)
    assert {(row["first_group_id"], row["second_group_id"]) for row in rows} == {(0, 1)}


def test_on_the_border_but_far_from_both_centroids_is_not_between():
    places = [(-1, 0), (1, -9), (0, 9), (9, 0), (10, 9), (11, -9)]
    rows = bridge_voters(Measured([[1]] * 6, places, [0, 0, 0, 1, 1, 1])).to_pylist()
    assert "v2" not in [row["voter_id"] for row in rows]  # (0, 9) sees both centroids at less than a right angle


def test_voters_with_fewer_votes_than_the_median_are_left_out_and_more_votes_come_first_among_equals():
    votes = [[1, 1, None], [1, 1, None], [1, None, None], [1, 1, 1], [1, 1, None], [1, 1, None]]
    places = [(-9, 0), (-1, 0), (5, 0), (5, 0), (10, 0), (10, 0)]  # v2 and v3 stand at one place
    rows = bridge_voters(Measured(votes, places, [0, 0, 0, 0, 1, 1])).to_pylist()
    assert rows[0]["voter_id"] == "v3"
    assert "v2" not in [row["voter_id"] for row in rows]
    first = Measured([[1, 1, None]] * 3 + [[1, 1, 1]] + [[1, 1, None]] * 2, places, [0, 0, 0, 0, 1, 1])
    assert [row["voter_id"] for row in bridge_voters(first).to_pylist()][:2] == ["v3", "v2"]


def test_a_list_has_at_most_twenty_voters():
    rng = np.random.default_rng(0)
    places = [*((float(x), 0.0) for x in rng.uniform(0, 4, 60)), *((float(x), 0.0) for x in rng.uniform(5, 9, 60))]
    rows = bridge_voters(Measured([[1]] * 120, places, [0] * 60 + [1] * 60)).to_pylist()
    assert [row["rank"] for row in rows] == [*range(1, MOST_VOTERS + 1)]
    scores = [row["bridging"] for row in rows]
    assert scores == sorted(scores, reverse=True)


def test_a_single_group_has_no_bridges():
    alone = Measured([[1], [1]], [(0, 0), (2, 0)], [0, 0])
    assert bridge_voters(alone) == TABLES["bridge_voters"].empty()
    assert bridge_items(alone) == TABLES["bridge_items"].empty()


def test_bridge_items_are_significant_on_one_side_in_both_groups_by_the_smaller_proportion():
    names = ["one", "both", "against", "rejected", "more"]
    # agree, pass, disagree of ten voters each
    first = [(9, 0, 1), (9, 0, 1), (0, 0, 10), (10, 0, 0), (9, 1, 0)]
    second = [(5, 0, 5), (8, 2, 0), (1, 2, 7), (10, 0, 0), (10, 0, 0)]
    rows = build_bridge_items(*by_hand(names, [first, second])).to_pylist()
    assert [(row["side"], row["rank"], row["item_id"]) for row in rows] == [
        ("agree", 1, "more"),
        ("agree", 2, "both"),
        ("disagree", 1, "against"),
    ]
    both = rows[1]
    assert (both["first_n_success"], both["second_n_success"], both["second_n_trials"]) == (9, 8, 10)
    assert both["second_p_success"] == pytest.approx(9 / 12)
    assert both["second_p_test"] == pytest.approx(2 * np.sqrt(11) * (9 / 11 - 0.5))


def test_a_list_has_at_most_ten_items_of_each_side():
    names = [f"i{number}" for number in range(30)]
    rows = build_bridge_items(*by_hand(names, [[(20 + n, 0, 0) for n in range(30)]] * 2)).to_pylist()
    assert [row["item_id"] for row in rows] == [f"i{29 - number}" for number in range(MOST_ITEMS)]


def by_hand(names: list[str], groups: list[list[tuple[int, int, int]]]) -> tuple[pa.Table, pa.Table]:
    """Return voted items, `rejected` among them moderated out, and the patterns of groups 3, 4, ..."""
    totals = np.sum(groups, axis=0)
    voted = {
        "position": range(len(names)),
        "item_id": names,
        "is_moderated_out": [name == "rejected" for name in names],
        "is_meta": [False] * len(names),
        "agree": totals[:, 0],
        "pass": totals[:, 1],
        "disagree": totals[:, 2],
        "seen": totals.sum(axis=1),
    }
    cells = [(number + 3, *cell) for number, group in enumerate(groups) for cell in group]
    ids, agree, passed, disagree = zip(*cells, strict=True)
    patterns = pa.table({"level": ["group"] * len(ids), "agree": agree, "pass": passed, "disagree": disagree})
    patterns = patterns.append_column("cluster_id", pa.array(ids, pa.int32()))
    return conform(pa.table(voted), TABLES["voted_items"]), patterns


@given(grouped_voters())
def test_bridges_keep_their_contracts(voters: Measured):
    assert faults(bridge_voters(voters), TABLES["bridge_voters"]) == []
    assert faults(bridge_items(voters), TABLES["bridge_items"]) == []
    for row in bridge_voters(voters).to_pylist():
        assert row["group_id"] in (row["first_group_id"], row["second_group_id"])


@given(grouped_voters())
def test_flipping_all_votes_swaps_the_sides(voters: Measured):
    rows = [[None if vote is None else -vote for vote in row] for row in voters.rows]
    flipped = bridge_items(Measured(rows, voters.places, voters.groups)).to_pylist()
    swapped = {"agree": "disagree", "disagree": "agree"}
    ours = [row | {"side": swapped[row["side"]]} for row in bridge_items(voters).to_pylist()]
    assert sorted(map(str, ours)) == sorted(map(str, flipped))
