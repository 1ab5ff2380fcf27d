import numpy as np
import pyarrow as pa
import pytest

from clustering_platform.opinions.item_statistics import META_PRIORITY, build_item_statistics, priority
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
    assert (first["agree"], first["seen"]) == (5, 10)
    assert (meta["extremity"], meta["priority"]) == (0, META_PRIORITY)


def test_without_groups_priorities_count_all_voters_and_there_is_no_group_aware_consensus():
    table = build_item_statistics(VOTED, SPACE, PATTERNS.slice(0, 2))
    first, meta = table.to_pylist()
    importance = (1 - 3 / 12) * (5 + 1) * (6 / 12)
    assert first["priority"] == pytest.approx((importance * (1 + 8 * 2 ** (-10 / 5))) ** 2)
    assert (first["group_aware_consensus"], meta["group_aware_consensus"]) == (None, None)


def test_new_agreed_and_extreme_items_come_before_old_passed_and_central_ones():
    agree, passed, seen = np.array([[1, 0, 2], [30, 0, 60], [1, 1, 2], [0, 0, 2]]).T
    new, old, with_passes, disagreed = priority(agree, passed, seen, np.zeros(4))
    assert new > old
    assert new > with_passes > disagreed
    assert priority(agree, passed, seen, np.ones(4))[0] > new
