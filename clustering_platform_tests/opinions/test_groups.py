from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.groups import build_groups, build_voter_groups, letters
from clustering_platform.tables import TABLES, conform
from clustering_platform_tests.opinions.tables import faults

CONFIG = OpinionsConfig()


def base_clusters(places: Sequence[Sequence[float]], *, sizes: Sequence[int] | None = None) -> pa.Table:
    sizes = [1] * len(places) if sizes is None else sizes
    table = {
        "base_cluster_id": [10 * row for row in range(len(places))],
        "x": [float(x) for x, _ in places],
        "y": [float(y) for _, y in places],
        "size": sizes,
        "weight": [float(size) for size in sizes],
        "voter_positions": [list(range(end - size, end)) for size, end in zip(sizes, np.cumsum(sizes), strict=True)],
    }
    return conform(pa.table(table), TABLES["base_clusters"])


def camps(*centres: tuple[float, float], members: int = 12) -> list[tuple[float, float]]:
    rng = np.random.default_rng(1)
    return [tuple(np.array(centre) + rng.normal(0, 0.3, 2)) for _ in range(members) for centre in centres]


@pytest.mark.parametrize("n_camps", [2, 3, 4, 5])
def test_as_many_groups_are_found_as_there_are_camps(n_camps: int):
    places = camps(*[(5.0, 0.0), (-5.0, 0.0), (0.0, 9.0), (0.0, -9.0), (12.0, 12.0)][:n_camps])
    groups, groupings = build_groups(base_clusters(places), config=CONFIG)
    assert faults(groups, TABLES["groups"]) == []
    assert faults(groupings, TABLES["groupings"]) == []
    expected = [[10 * row for row in range(camp, len(places), n_camps)] for camp in range(n_camps)]
    assert groups["base_cluster_ids"].to_pylist() == expected
    assert groups["group_id"].to_pylist() == list(range(n_camps))
    assert groups["letter"].to_pylist() == list("ABCDE"[:n_camps])


def test_places_and_shares_of_groups_count_voters_not_base_clusters():
    table = base_clusters([(0, 0), (1, 0), (9, 0), (10, 0)], sizes=[3, 1, 2, 4])
    groups, _ = build_groups(table, config=CONFIG)
    assert groups["size"].to_pylist() == [4, 6]
    assert groups["share"].to_pylist() == [0.4, 0.6]
    assert groups["x"].to_pylist() == pytest.approx([0.25, 58 / 6])


def test_base_clusters_weigh_by_their_weight_where_they_have_one():
    table = base_clusters([(0, 0), (1, 0), (9, 0), (10, 0)], sizes=[3, 1, 2, 4])
    columns = {name: table[name] for name in table.column_names} | {"weight": pa.array([1.0, 3.0, 1.0, 1.0])}
    groups, _ = build_groups(pa.table(columns), config=CONFIG)
    assert groups["size"].to_pylist() == [4, 6]
    assert groups["x"].to_pylist() == pytest.approx([0.75, 9.5])


def test_the_number_of_groups_is_smoothed_over_days_and_both_are_told():
    places = base_clusters(camps((0, 0), (8, 0), (0, 8)))
    groups, groupings = build_groups(places, config=CONFIG, earlier=[2, 2])
    assert faults(groupings, TABLES["groupings"]) == []
    rows = {row["groups"]: (row["is_best"], row["is_chosen"]) for row in groupings.to_pylist()}
    assert {number for number, (is_best, _) in rows.items() if is_best} == {3}
    assert {number for number, (_, is_chosen) in rows.items() if is_chosen} == {2}
    assert groups.num_rows == 2


def test_groupings_say_the_group_of_each_base_cluster_for_every_number_tried():
    places = base_clusters(camps((0, 0), (8, 0), (0, 8)))
    groups, groupings = build_groups(places, config=CONFIG)
    for row in groupings.to_pylist():
        assert len(row["labels"]) == places.num_rows
        assert set(row["labels"]) == set(range(row["groups"]))
    (chosen,) = groupings.filter(groupings["is_chosen"])["labels"].to_pylist()
    ids = places["base_cluster_id"].to_pylist()
    members = [[ids[place] for place, label in enumerate(chosen) if label == group] for group in range(3)]
    assert groups["base_cluster_ids"].to_pylist() == members


@pytest.mark.parametrize(("number", "expected"), [(0, "A"), (25, "Z"), (26, "AA"), (27, "AB"), (702, "AAA")])
def test_letters_go_on_after_the_last(number: int, expected: str):
    assert letters(number) == expected


def test_sizes_of_base_clusters_do_not_weigh_in_the_silhouette():
    places = [(0, 0), (1, 0), (9, 0), (10, 0)]
    _, even = build_groups(base_clusters(places), config=CONFIG)
    _, uneven = build_groups(base_clusters(places, sizes=[3, 1, 2, 4]), config=CONFIG)
    assert even["silhouette"].to_pylist() == uneven["silhouette"].to_pylist()


@pytest.mark.parametrize(
    ("n_base", "max_groups", "tried"), [(11, 5, 2), (12, 5, 3), (36, 5, 5), (90, 5, 5), (90, 9, 9)]
)
def test_one_group_more_is_tried_for_every_twelve_base_clusters(n_base: int, max_groups: int, tried: int):
    places = np.random.default_rng(2).normal(size=(n_base, 2)).tolist()
    _, groupings = build_groups(base_clusters(places), config=OpinionsConfig(max_groups=max_groups))
    assert groupings["groups"].to_pylist() == list(range(2, tried + 1))
    best = max(groupings["silhouette"].to_pylist())
    assert groupings.filter(groupings["is_chosen"])["silhouette"].to_pylist() == [best]


def test_of_equally_good_groupings_the_one_with_more_groups_is_chosen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("clustering_platform.opinions.groups.mean_silhouette", lambda points, labels: 0.5)
    _, groupings = build_groups(base_clusters(camps((0, 0), (5, 5))), config=CONFIG)
    assert groupings["is_chosen"].to_pylist() == [False, False, True]


@pytest.mark.parametrize("places", [[], [(1, 1)], [(1, 1), (1, 1)]], ids=["none", "one", "one place"])
def test_without_two_places_there_are_no_groups(places: list[tuple[float, float]]):
    groups, groupings = build_groups(base_clusters(places), config=CONFIG)
    assert (groups.num_rows, groupings.num_rows) == (0, 0)


def test_parity_ends_the_search_for_groups_early_as_polis_does():
    along = np.arange(1000.0)
    places = base_clusters(np.column_stack([along**2, np.zeros(1000)]).tolist())
    _, ours = build_groups(places, config=OpinionsConfig(max_groups=5))
    _, polis = build_groups(places, config=OpinionsConfig(max_groups=5, polis_parity=True))
    assert ours["silhouette"].to_pylist()[:2] == polis["silhouette"].to_pylist()[:2]
    assert ours["silhouette"].to_pylist()[3] > polis["silhouette"].to_pylist()[3]


def test_voters_find_their_group_through_their_base_cluster_whatever_its_id():
    vote_matrix = pa.table({"voter_id": ["a", "b", "c", "d"], "votes_cast": pa.array([9, 8, 1, 7], pa.int32())})
    space = pa.table({"kind": ["voter"] * 4, "id": ["a", "b", "c", "d"], "x": [1.0, 2, 3, 4], "y": [0.0, 0, 0, 0]})
    base = pa.table({"base_cluster_id": pa.array([7, 3], pa.int32()), "voter_positions": [[1, 3], [0]]})
    groups = pa.table(
        {"group_id": pa.array([4, 2], pa.int32()), "base_cluster_ids": pa.array([[3], [7]], pa.list_(pa.int32()))}
    )
    voters = build_voter_groups(vote_matrix, space, base, groups)
    assert faults(voters, TABLES["voter_groups"]) == []
    assert voters["voter_id"].to_pylist() == ["a", "b", "c", "d"]
    assert voters["base_cluster_id"].to_pylist() == [3, 7, None, 7]
    assert voters["group_id"].to_pylist() == [4, 2, None, 2]
    assert voters["x"].to_pylist() == [1, 2, 3, 4]


def test_without_groups_no_voter_has_one():
    vote_matrix = pa.table({"voter_id": ["a"], "votes_cast": pa.array([9], pa.int32())})
    space = pa.table({"kind": ["voter"], "id": ["a"], "x": [1.0], "y": [0.0]})
    empty = TABLES["base_clusters"].empty(), TABLES["groups"].empty()
    voters = build_voter_groups(vote_matrix, space, *empty)
    assert voters.select(["base_cluster_id", "group_id"]).to_pylist() == [{"base_cluster_id": None, "group_id": None}]
