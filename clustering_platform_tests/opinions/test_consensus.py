import pyarrow as pa

from clustering_platform.opinions.consensus import build_consensus_items
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.tables import faults


def lists(*counts: tuple[int, int, int], moderated: tuple[int, ...] = ()) -> tuple[list[str], list[str]]:
    """Return the agreed and the disagreed items of (agree, pass, disagree) counts."""
    agree, passed, disagree = zip(*counts, strict=True)
    voted = {
        "item_id": [f"i{item}" for item in range(len(counts))],
        "is_moderated_out": [item in moderated for item in range(len(counts))],
        "agree": agree,
        "disagree": disagree,
        "seen": [sum(votes) for votes in zip(agree, passed, disagree, strict=True)],
    }
    table = build_consensus_items(pa.table(voted))
    assert faults(table, TABLES["consensus_items"]) == []
    rows = table.to_pylist()
    sides = [[row for row in rows if row["side"] == side] for side in ("agree", "disagree")]
    assert all([row["rank"] for row in side] == list(range(1, len(side) + 1)) for side in sides)
    return [row["item_id"] for row in sides[0]], [row["item_id"] for row in sides[1]]


def test_items_that_most_agree_or_disagree_with_are_listed_strongest_first():
    assert lists((30, 0, 10), (0, 0, 40), (40, 0, 0), (20, 0, 20)) == (["i2", "i0"], ["i1"])


def test_each_side_lists_five_and_equals_keep_their_order():
    assert lists(*[(40, 0, 0)] * 7) == (["i0", "i1", "i2", "i3", "i4"], [])


def test_passes_count_against_consensus():
    assert lists((20, 0, 0), (20, 25, 0)) == (["i0"], [])


def test_items_that_nobody_saw_or_that_divide_are_no_consensus():
    assert lists((0, 0, 0), (1, 0, 1), (21, 0, 19)) == ([], [])


def test_moderated_items_are_left_out():
    assert lists((40, 0, 0), (30, 0, 0), moderated=(0,)) == (["i1"], [])
