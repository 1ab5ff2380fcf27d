"""Where paired items land: an item and its truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics.contingency import wilson
from clustering_platform.semantics.outcome_flows import build_outcome_flows
from clustering_platform_tests.semantics.outcome_data import by, case
from clustering_platform_tests.semantics.test_topic_outcomes import check_contract, leaves

NAMES = ("outcome_flows", "outcome_pairs")

# i0 to i3 are answers about bees, i4 and i5 about trees; i6 and i7 are truths about bees, i8 and i9 about trees.
ANSWERS = {"bees/answers": ["wrong", "right", "right", "wrong"], "trees": ["wrong", "right"]}
TRUTHS = {"bees/truths": ["right"] * 2, "trees/truths": ["right"] * 2}
PAIRS = {"i0": "i8", "i1": "i6", "i2": "i7", "i3": "i9", "i4": "i8", "i5": "i9"}


def test_flows_lead_from_the_topic_of_an_item_to_that_of_its_truth() -> None:
    flows = by(build_outcome_flows(*case(ANSWERS | TRUTHS, pairs=PAIRS))[0], "depth", "from_topic_id", "to_topic_id")
    assert {key[1:]: row["pairs"] for key, row in flows.items() if key[0] == 1} == {  # type: ignore[index]
        ("bees", "bees"): 2,
        ("bees", "trees"): 2,
        ("trees", "trees"): 2,
    }
    row = flows[1, "bees", "trees"]
    assert (row["share"], row["share_of_from"]) == (pytest.approx(1 / 3), 0.5)
    assert row["expected"] == pytest.approx(4 * 4 / 6)
    assert flows[2, "trees", "trees/truths"]["pairs"] == 2, "the answers lie higher and count there"


def test_how_often_a_pair_is_in_different_topics_and_how_often_by_chance() -> None:
    pairs = by(build_outcome_flows(*case(ANSWERS | TRUTHS, pairs=PAIRS))[1], "depth")
    row = pairs[1]
    assert (row["pairs"], row["different"], row["different_share"]) == (6, 2, pytest.approx(1 / 3))
    low, high = wilson(np.array([2]), np.array([6]))
    assert (row["different_low"], row["different_high"]) == pytest.approx((low[0], high[0]))
    by_chance = 1 - (4 / 6 * 2 / 6 + 2 / 6 * 4 / 6)
    assert row["expected_share"] == pytest.approx(by_chance)
    assert row["kappa"] == pytest.approx(1 - (1 / 3) / by_chance)
    assert (row["errors_different"], row["others_different"]) == (pytest.approx(2 / 3), 0)
    assert row["p_value"] == pytest.approx(0.4), "Fisher: 2 of 3 against 0 of 3"
    assert pairs[2]["different_share"] == 1


def test_pairs_with_an_item_without_topic_do_not_count() -> None:
    given_case = case(ANSWERS | TRUTHS, pairs=PAIRS)
    known = given_case._replace(item_topics=given_case.item_topics.slice(0, 9))
    assert by(build_outcome_flows(*known)[1], "depth")[1]["pairs"] == 4


def test_one_topic_for_all_leaves_nothing_to_chance() -> None:
    row = by(build_outcome_flows(*case({"a": ["wrong", "right"]}, pairs={"i0": "i1"}))[1], "depth")[1]
    assert (row["different"], row["expected_share"], row["kappa"], row["p_value"]) == (0, 0, None, None)


def test_without_pairs_the_tables_are_empty() -> None:
    tables = build_outcome_flows(*case(ANSWERS))
    check_contract(*tables, names=NAMES)
    assert [table.num_rows for table in tables] == [0, 0]


@given(leaves, st.randoms(use_true_random=False), st.booleans())
def test_any_pairs_keep_the_contract_and_their_counts_add_up(
    tree: dict[str, list[str]], random: object, is_categories: bool
) -> None:
    n_items = sum(map(len, tree.values()))
    pairs = {
        f"i{item}": f"i{random.randrange(n_items + 2)}"  # type: ignore[attr-defined]
        for item in range(n_items)
        if random.random() < 0.7  # type: ignore[attr-defined]
    }
    tables = build_outcome_flows(*case(tree, pairs=pairs, wrong=None if is_categories else ["wrong"]))
    check_contract(*tables, names=NAMES)
    flows = tables[0].to_pylist()
    for row in tables[1].to_pylist():
        here = [flow for flow in flows if flow["depth"] == row["depth"]]
        assert sum(flow["pairs"] for flow in here) == row["pairs"]
        moved = [flow for flow in here if flow["from_topic_id"] != flow["to_topic_id"]]
        assert sum(flow["pairs"] for flow in moved) == row["different"]
        stay = sum(flow["expected"] for flow in here if flow not in moved)
        assert sum(flow["share"] for flow in here) == pytest.approx(1)
        assert stay <= row["pairs"] * (1 - row["expected_share"]) + 1e-9
