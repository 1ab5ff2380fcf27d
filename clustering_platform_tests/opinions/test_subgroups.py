from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.groups import build_groups, build_voter_groups
from clustering_platform.opinions.representative import (
    build_representative_items,
    build_representative_subgroup_items,
)
from clustering_platform.opinions.subgroups import build_levels
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.tables import faults
from clustering_platform_tests.opinions.test_groups import base_clusters, camps

CONFIG = OpinionsConfig()
NESTED = ((0.0, 0.0), (0.0, 3.0), (300.0, 0.0), (300.0, 3.0), (300.0, 6.0))


def levels(places: Sequence[Sequence[float]], **options: object) -> tuple[pa.Table, pa.Table, pa.Table]:
    groups, groupings, subgroups = build_levels(base_clusters(places), config=CONFIG, **options)
    for table, name in ((groups, "groups"), (groupings, "groupings"), (subgroups, "subgroups")):
        assert faults(table, TABLES[name]) == []
    return groups, groupings, subgroups


def test_each_group_is_divided_again_where_its_own_base_clusters_lie_apart():
    groups, groupings, subgroups = levels(camps(*NESTED))
    assert groups.num_rows == 2
    assert subgroups["letter"].to_pylist() == ["A1", "A2", "B1", "B2", "B3"]
    assert subgroups["subgroup_id"].to_pylist() == [0, 1, 2, 3, 4]
    assert subgroups["parent_id"].to_pylist() == [0, 0, 1, 1, 1]
    assert subgroups["size"].to_pylist() == [12] * 5
    assert subgroups["share"].to_pylist() == pytest.approx([1 / 2] * 2 + [1 / 3] * 3)
    assert subgroups["y"].to_pylist() == pytest.approx([0, 3, 0, 3, 6], abs=0.4)
    chosen = groupings.filter(groupings["is_chosen"])
    assert list(zip(chosen["parent_id"].to_pylist(), chosen["groups"].to_pylist(), strict=True)) == [
        (None, 2),
        (0, 2),
        (1, 3),
    ]


def test_the_base_clusters_of_subgroups_are_those_of_their_group():
    groups, _, subgroups = levels(camps(*NESTED))
    for group in groups.to_pylist():
        own = subgroups.filter(pc.equal(subgroups["parent_id"], group["group_id"]))["base_cluster_ids"].to_pylist()
        assert sorted(member for members in own for member in members) == sorted(group["base_cluster_ids"])


def test_a_group_is_divided_as_if_it_were_alone():
    places = camps(*NESTED)
    _, groupings, subgroups = levels(places)
    alone, tried = build_groups(base_clusters([place for place in places if place[0] > 30]), config=CONFIG)
    own = subgroups.filter(pc.equal(subgroups["parent_id"], 1))
    assert own["size"].to_pylist() == alone["size"].to_pylist()
    assert own["x"].to_pylist() == pytest.approx(alone["x"].to_pylist(), abs=1e-12)
    rows = groupings.filter(pc.equal(groupings["parent_id"], 1))
    assert rows["silhouette"].to_pylist() == pytest.approx(tried["silhouette"].to_pylist(), abs=1e-12)


def test_labels_say_the_subgroup_within_its_group_and_minus_one_for_other_groups():
    _, groupings, _ = levels([(0, 0), (60, 0), (0, 1), (60, 9), (60, 10)])
    rows = [(row["parent_id"], row["labels"]) for row in groupings.to_pylist() if row["is_chosen"]]
    assert rows == [(None, [0, 1, 0, 1, 1]), (0, [0, -1, 1, -1, -1]), (1, [-1, 0, -1, 1, 1])]


@pytest.mark.parametrize("left", [[(0, 0)], [(0, 0), (0, 0), (0, 0)]], ids=["one", "one place"])
def test_a_group_that_cannot_be_divided_has_no_subgroups(left: list[tuple[float, float]]):
    groups, _, subgroups = levels([*left, (60, 0), (60, 9)])
    assert groups.num_rows == 2
    assert subgroups["letter"].to_pylist() == ["B1", "B2"]


def test_without_groups_there_are_no_subgroups():
    assert [table.num_rows for table in levels([(1, 1)])] == [0, 0, 0]


def test_the_number_of_subgroups_is_not_smoothed_over_days():
    groups, _, subgroups = levels(camps(*NESTED), earlier=[2, 2, 2])
    assert (groups.num_rows, subgroups.num_rows) == (2, 5)


def test_voters_find_their_subgroup_through_their_base_cluster():
    places = [(0, 0), (60, 0), (60, 9)]
    base = base_clusters(places)
    groups, _, subgroups = build_levels(base, config=CONFIG)
    ids = ["a", "b", "c", "in none"]
    vote_matrix = pa.table({"voter_id": ids, "votes_cast": pa.array([9] * 4, pa.int32())})
    space = pa.table({"kind": ["voter"] * 4, "id": ids, "x": [0.0] * 4, "y": [0.0] * 4})
    voters = build_voter_groups(vote_matrix, space, base, groups, subgroups)
    assert faults(voters, TABLES["voter_groups"]) == []
    assert voters["group_id"].to_pylist() == [0, 1, 1, None]
    assert voters["subgroup_id"].to_pylist() == [None, 0, 1, None]


def patterns(level: str, votes: dict[int, list[tuple[int, int, int]]]) -> pa.Table:
    """Return rows of `voting_patterns` from agree, pass and disagree of each cluster on items i0, i1, ..."""
    rows = [
        {"level": level, "cluster_id": cluster, "item_id": f"i{item}", "agree": agree, "pass": passed,
         "disagree": disagree, "seen": agree + passed + disagree, "consensus": None, "majority": "none"}
        for cluster, counts in votes.items()
        for item, (agree, passed, disagree) in enumerate(counts)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=TABLES["voting_patterns"].schema())


def test_subgroups_are_told_from_their_siblings_by_the_rules_for_groups():
    voted = pa.table({"item_id": ["i0", "i1", "i2"], "is_moderated_out": [False, False, True]})
    left = {0: [(20, 0, 0), (9, 1, 9), (20, 0, 0)], 1: [(1, 2, 20), (9, 0, 9), (0, 0, 20)]}
    right = {2: [(0, 0, 30), (30, 0, 0), (0, 0, 9)], 3: [(0, 0, 30), (1, 0, 30), (9, 0, 0)]}
    subgroups = pa.table(
        {"subgroup_id": pa.array([0, 1, 2, 3], pa.int32()), "parent_id": pa.array([4, 4, 7, 7], pa.int32())}
    )
    ours = build_representative_subgroup_items(voted, patterns("subgroup", left | right), subgroups)
    assert faults(ours, TABLES["representative_subgroup_items"]) == []
    assert ours["parent_id"].to_pylist() == [subgroup // 2 * 3 + 4 for subgroup in ours["subgroup_id"].to_pylist()]
    for siblings in (left, right):
        as_groups = build_representative_items(voted, patterns("group", siblings))
        of_siblings = ours.filter(pc.is_in(ours["subgroup_id"], pa.array(list(siblings), pa.int32())))
        renamed = of_siblings.drop_columns(["parent_id"]).rename_columns(as_groups.column_names)
        assert renamed == as_groups


def test_without_subgroups_none_is_represented():
    voted = pa.table({"item_id": ["i0"], "is_moderated_out": [False]})
    none = build_representative_subgroup_items(
        voted, patterns("group", {0: [(3, 0, 0)], 1: [(0, 0, 3)]}), TABLES["subgroups"].empty()
    )
    assert none == TABLES["representative_subgroup_items"].empty()
