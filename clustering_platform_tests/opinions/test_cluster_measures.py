import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

from clustering_platform.opinions.cluster_measures import cluster_silhouettes, read_clusters
from clustering_platform.opinions.silhouette import mean_silhouette
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.measured import FIVE, Measured
from clustering_platform_tests.opinions.strategies import grouped_voters
from clustering_platform_tests.opinions.tables import faults

CONTRACT = TABLES["cluster_measures"]


def test_centroid_radius_and_variance_are_those_of_the_places_of_the_voters():
    group = FIVE.cluster("group", 0)
    assert (group["size"], group["x"], group["y"]) == (3, 1, 1)
    assert group["radius"] == 2
    assert group["variance"] == pytest.approx((2 + 2 + 4) / 3)
    alone = FIVE.cluster("base_cluster", 1)
    assert (alone["size"], alone["x"], alone["y"], alone["radius"], alone["variance"]) == (1, 1, 3, 0, 0)


def test_consensus_is_the_share_of_votes_that_are_the_most_frequent_on_their_item():
    assert FIVE.cluster("group", 0)["consensus"] == pytest.approx((2 + 1) / (3 + 2))
    assert FIVE.cluster("group", 1)["consensus"] == 1


def test_items_are_counted_by_the_most_frequent_vote():
    def majorities(cluster_id: int) -> list[int]:
        row = FIVE.cluster("group", cluster_id)
        return [row[f"majority_{name}"] for name in ("agree", "disagree", "pass", "split")]

    assert majorities(0) == [1, 0, 0, 1]
    assert majorities(1) == [1, 1, 0, 0]


def test_the_silhouette_of_a_group_is_the_mean_over_its_base_clusters_and_base_clusters_have_none():
    first = (math.sqrt(26) - 3) / math.sqrt(26)  # (1, 0): 3 to the other of its group, sqrt(26) to (6, 1)
    second = (math.sqrt(29) - 3) / math.sqrt(29)
    assert FIVE.cluster("group", 0)["silhouette"] == pytest.approx((first + second) / 2)
    assert FIVE.cluster("group", 1)["silhouette"] == 0
    assert FIVE.cluster("base_cluster", 0)["silhouette"] is None


def test_over_all_base_clusters_the_silhouettes_of_the_groups_are_that_of_the_grouping():
    centroids, labels = np.array([[1.0, 0], [1, 3], [6, 1]]), np.array([0, 0, 1], np.int32)
    parts = [FIVE.cluster("group", group)["silhouette"] * n_base for group, n_base in ((0, 2), (1, 1))]
    assert sum(parts) / 3 == pytest.approx(mean_silhouette(centroids, labels))


def test_a_group_without_another_has_no_silhouette():
    alone = Measured([[1], [1], [0]], [(0, 0), (1, 0), (9, 9)], [4, 4, None], [0, 1, None])
    assert alone.cluster("group", 4)["silhouette"] is None
    assert alone.cluster("group", 4)["size"] == 2


def test_without_clusters_the_table_is_empty():
    nobody = Measured([[1], [0]], [(0, 0), (1, 0)], [None, None])
    assert nobody.cluster_measures == CONTRACT.empty()


@given(grouped_voters())
def test_the_contract_is_kept_and_sizes_add_up(voters: Measured):
    assert faults(voters.cluster_measures, CONTRACT) == []
    sizes = [row["size"] for row in voters.cluster_measures.to_pylist() if row["level"] == "group"]
    assert sum(sizes) == sum(group is not None for group in voters.groups)
    for row in voters.cluster_measures.to_pylist():
        assert row["variance"] <= row["radius"] ** 2 * (1 + 1e-9)


@given(grouped_voters())
def test_flipping_all_votes_swaps_agreed_and_disagreed_items_only(voters: Measured):
    rows = [[None if vote is None else -vote for vote in row] for row in voters.rows]
    flipped = Measured(rows, voters.places, voters.groups).cluster_measures
    names = {"majority_agree": "majority_disagree", "majority_disagree": "majority_agree"}
    swapped = flipped.rename_columns([names.get(name, name) for name in flipped.column_names])
    assert swapped.select(CONTRACT.schema().names) == voters.cluster_measures


@given(grouped_voters())
def test_other_numbers_for_the_clusters_change_nothing_else(voters: Measured):
    renamed = [None if group is None else 10 * group + 3 for group in voters.groups]
    other = Measured(voters.rows, voters.places, renamed).cluster_measures
    ids = pa.array([(number - 3) // 10 for number in other["cluster_id"].to_pylist()], pa.int32())
    assert other.set_column(1, CONTRACT.schema().field("cluster_id"), ids) == voters.cluster_measures


def test_a_level_below_groups_is_judged_within_each_group():
    levels = {"base_cluster_id": [0, 1, 2, 3], "group_id": [0, 0, 0, 1], "half_id": [0, 0, 1, 2]}
    voters = pa.table(levels | {"x": [0.0, 0.0, 3.0, 100.0], "y": [0.0, 1.0, 0.0, 0.0]})
    base, groups, halves = (read_clusters(voters, level) for level in ("base_cluster", "group", "half"))
    near, beside, alone = cluster_silhouettes(base, halves, groups).to_pylist()
    assert near == pytest.approx(((3 - 1) / 3 + (math.sqrt(10) - 1) / math.sqrt(10)) / 2)
    assert (beside, alone) == (0, None)
