import numpy as np
import pyarrow as pa
import pytest

from clustering_platform.opinions.representative import build_representative_items, representative, score_side
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.tables import faults

Votes = tuple[int, int, int]
"""How many agree, pass and disagree."""


def chosen(*groups: list[Votes], group: int = 0) -> tuple[list[int], int | None]:
    counts = np.array(groups)[..., ::-1]
    items, best = representative(score_side(counts, vote=2).of(group), score_side(counts, vote=0).of(group))
    return items.tolist(), best


OTHERS: Votes = (10, 0, 10)


def test_items_are_listed_strongest_first_and_agreeing_before_disagreeing():
    group = [(0, 0, 20), (16, 0, 4), (20, 0, 0), (10, 0, 10), (2, 0, 18)]
    assert chosen(group, [OTHERS] * 5) == ([2, 1, 0, 4], 2)


def test_at_most_five_are_listed():
    items, best = chosen([(20 - item, 0, item) for item in range(7)], [OTHERS] * 7)
    assert (items, best) == ([0, 1, 2, 3, 4], 0)


def test_what_all_groups_agree_with_is_listed_only_as_the_best_agreed():
    assert chosen([(20, 0, 0), (0, 0, 20)], [(20, 0, 0), OTHERS]) == ([0, 1], 0)


def test_a_best_agreed_item_can_stand_for_disagreeing():
    items, best = chosen([(12, 0, 6), (0, 0, 20)], [(20, 0, 0), OTHERS])
    assert (items, best) == ([0, 1], 0)


def test_without_anything_significant_the_best_agreed_stands_alone_or_else_the_nearest():
    assert chosen([(2, 0, 1), (1, 0, 1)], [(2, 0, 3), (1, 0, 1)]) == ([0], 0)
    assert chosen([(0, 3, 1), (0, 4, 0)], [(0, 4, 0), (0, 4, 0)]) == ([0], None)


def test_a_weak_agreement_below_that_of_the_others_is_no_agreement():
    assert chosen([(3, 0, 2)], [(20, 0, 0)]) == ([0], None)
    assert chosen([(3, 0, 2)], [(9, 0, 11)]) == ([0], 0)


def test_passes_weaken_an_item():
    without = score_side(np.array([[[0, 0, 10]], [[5, 0, 5]]]), vote=2)
    with_passes = score_side(np.array([[[0, 10, 10]], [[5, 0, 5]]]), vote=2)
    assert with_passes.p_success[0, 0] < without.p_success[0, 0]
    assert with_passes.repness_test[0, 0] < without.repness_test[0, 0]


def test_the_others_are_all_other_groups_together():
    side = score_side(np.array([[[0, 0, 9]], [[2, 0, 1]], [[1, 3, 4]]]), vote=2)
    assert side.repness[0, 0] == pytest.approx((10 / 11) / (6 / 13))


def voted_items(*moderated: bool) -> pa.Table:
    return pa.table({"item_id": [f"i{item}" for item in range(len(moderated))], "is_moderated_out": list(moderated)})


def patterns(*groups: list[Votes]) -> pa.Table:
    rows = [
        {"level": "group", "cluster_id": group, "agree": agree, "pass": passed, "disagree": disagree}
        for group, items in enumerate(groups)
        for agree, passed, disagree in items
    ]
    return pa.Table.from_pylist(rows)


def test_moderated_items_are_left_out_and_ids_kept():
    group, others = [(20, 0, 0), (20, 0, 0), (0, 0, 20)], [OTHERS] * 3
    table = build_representative_items(voted_items(True, False, False), patterns(group, others))
    assert faults(table, TABLES["representative_items"]) == []
    first = table.filter(np.equal(table["group_id"].to_numpy(), 0)).to_pylist()
    assert [(row["item_id"], row["rank"], row["side"]) for row in first] == [("i1", 1, "agree"), ("i2", 2, "disagree")]
    assert [(row["is_best_agree"], row["n_agree"]) for row in first] == [(True, 20), (False, None)]
    assert [(row["n_success"], row["n_trials"]) for row in first] == [(20, 20), (20, 20)]


def test_a_group_has_no_representative_item_where_all_are_moderated():
    table = build_representative_items(voted_items(True), patterns([(3, 0, 0)], [(0, 0, 3)]))
    assert table.num_rows == 0
