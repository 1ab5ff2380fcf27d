import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clustering_platform.opinions.item_statistics import (
    META_PRIORITY,
    build_item_statistics,
    divisiveness,
    normalised_consensus,
    polarization,
    priority,
)
from clustering_platform.tables import TABLES, conform
from clustering_platform_tests.opinions.tables import faults

VOTED = conform(
    pa.table(
        {
            "position": [0, 1],
            "item_id": ["i", "j"],
            "is_moderated_out": [False, True],
            "is_meta": [False, True],
            "agree": [5, 1],
            "pass": [2, 0],
            "disagree": [3, 0],
            "seen": [10, 1],
        }
    ),
    TABLES["voted_items"],
)
SPACE = pa.table({"kind": ["voter", "item", "item"], "id": ["v", "i", "j"], "x": [9.0, 3.0, 0.0], "y": [9.0, 4.0, 0.0]})
PATTERNS = pa.table(
    {
        "level": ["base_cluster", "base_cluster", "group", "group", "group", "group"],
        "cluster_id": [0, 0, 0, 0, 1, 1],
        "agree": [9, 9, 3, 1, 0, 0],
        "pass": [9, 9, 1, 0, 0, 0],
        "disagree": [9, 9, 0, 0, 3, 0],
    }
)


def test_figures_come_from_the_groups():
    table = build_item_statistics(VOTED, SPACE, PATTERNS)
    assert faults(table, TABLES["item_statistics"]) == []
    first, meta = table.to_pylist()
    assert first["group_aware_consensus"] == pytest.approx((4 / 6) * (1 / 5))
    assert first["extremity"] == 5
    importance = (1 - 2 / 9) * (5 + 1) * (4 / 9)
    assert first["priority"] == pytest.approx((importance * (1 + 8 * 2 ** (-7 / 5))) ** 2)
    assert first["normalised_consensus"] == pytest.approx((4 / 5 + 1 / 5) / 2)
    assert first["divisiveness"] == 1
    assert meta["divisiveness"] is None  # one group alone voted on it
    assert (first["agree"], first["seen"]) == (5, 10)
    assert (meta["extremity"], meta["priority"]) == (0, META_PRIORITY)


def test_without_groups_priorities_count_all_voters_and_there_is_no_group_aware_consensus():
    table = build_item_statistics(VOTED, SPACE, PATTERNS.slice(0, 2))
    first, meta = table.to_pylist()
    importance = (1 - 3 / 12) * (5 + 1) * (6 / 12)
    assert first["priority"] == pytest.approx((importance * (1 + 8 * 2 ** (-10 / 5))) ** 2)
    for name in ("group_aware_consensus", "normalised_consensus", "divisiveness"):
        assert (first[name], meta[name]) == (None, None)
    assert first["polarization"] == pytest.approx(8 / 10 - (2 / 10) ** 2)


def test_uncertainty_is_the_share_of_passes_of_all_voters_and_above_thirty_percent_an_item_is_uncertain():
    voted = VOTED.drop_columns(["agree", "pass", "seen"])
    for name, values in {"agree": [4, 4], "pass": [3, 4], "seen": [10, 11]}.items():
        voted = voted.append_column(name, pa.array(values, pa.int32()))
    table = build_item_statistics(voted, SPACE, PATTERNS)
    assert table["uncertainty"].to_pylist() == pytest.approx([0.3, 4 / 11])
    assert table["is_uncertain"].to_pylist() == [False, True]


def test_polarization_is_the_variance_of_the_votes():
    agree, disagree, seen = np.array([[5, 5, 10], [10, 0, 10], [0, 0, 10], [5, 0, 10]]).T
    assert polarization(agree, disagree, seen).tolist() == [1, 0, 0, 0.25]


def test_divisiveness_is_the_mean_over_pairs_of_the_largest_difference_of_shares():
    # disagree, pass, agree
    counts = np.array([[[0, 0, 4], [1, 1, 2]], [[2, 0, 2], [0, 0, 0]], [[0, 3, 1], [0, 1, 3]]])
    first, second = divisiveness(counts)
    assert first == pytest.approx((0.5 + 0.75 + 0.75) / 3)
    assert second == pytest.approx(0.25)  # of the one pair that voted on it


def test_normalised_consensus_does_not_shrink_with_the_number_of_groups():
    one, twice = np.array([[8, 0]]), np.array([[8, 0], [8, 0]])
    assert normalised_consensus(one, one * 0).tolist() == normalised_consensus(twice, twice * 0).tolist() == [0.9, 0.5]


@given(arrays(np.int64, (3, 4, 3), elements=st.integers(0, 9)), st.permutations(range(3)))
def test_the_order_of_groups_and_the_sign_of_votes_change_no_division(counts: np.ndarray, order: list[int]):
    found = divisiveness(counts)
    np.testing.assert_allclose(divisiveness(counts[order]), found)
    np.testing.assert_allclose(divisiveness(counts[..., ::-1]), found)
    disagree, _, agree = np.moveaxis(counts, -1, 0)
    np.testing.assert_allclose(normalised_consensus(agree, disagree), 1 - normalised_consensus(disagree, agree))
    seen = counts.sum(axis=-1)
    spread = polarization(agree, disagree, seen)
    np.testing.assert_array_equal(spread, polarization(disagree, agree, seen))
    assert ((spread >= 0) & (spread <= 1)).all()


def test_new_agreed_and_extreme_items_come_before_old_passed_and_central_ones():
    agree, passed, seen = np.array([[1, 0, 2], [30, 0, 60], [1, 1, 2], [0, 0, 2]]).T
    new, old, with_passes, disagreed = priority(agree, passed, seen, np.zeros(4))
    assert new > old
    assert new > with_passes > disagreed
    assert priority(agree, passed, seen, np.ones(4))[0] > new
