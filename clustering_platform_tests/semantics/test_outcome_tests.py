"""Whether outcomes depend on topics, and on the similarity to them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from clustering_platform.semantics.outcome_tests import CAVEAT, build_outcome_tests
from clustering_platform_tests.semantics.outcome_data import by, case
from clustering_platform_tests.semantics.test_topic_outcomes import SHOP, check_contract, leaves

NAMES = ("outcome_tests", "outcome_similarity")


def test_the_example_of_the_page_on_outcomes() -> None:
    row = by(build_outcome_tests(*case(SHOP))[0], "question", "family", "depth")["topic", "error", 1]
    assert (row["items"], row["topics"], row["labels"], row["degrees_of_freedom"]) == (100, 2, 2, 1)
    assert (row["test"], row["statistic"]) == ("chi2", pytest.approx(19.9584, abs=1e-4))
    assert row["smallest_expected"] == pytest.approx(40 * 26 / 100)
    phi2 = 0.199584 - 1 / 99
    assert row["cramers_v"] == pytest.approx(np.sqrt(phi2 / (1 - 1 / 99)), abs=1e-4)
    assert row["note"] == CAVEAT


def test_items_whose_topic_lies_higher_count_there_at_every_depth() -> None:
    tree = {"a/x": {"wrong": 10, "right": 20}, "a/y": {"wrong": 20, "right": 10}, "b": {"wrong": 15, "right": 15}}
    rows = by(build_outcome_tests(*case(tree))[0], "question", "family", "depth")
    assert [rows["topic", "error", depth]["topics"] for depth in (1, 2)] == [2, 3]
    assert [rows["topic", "error", depth]["items"] for depth in (1, 2)] == [90, 90]
    theirs = stats.chi2_contingency([[10, 20], [20, 10], [15, 15]], correction=False)
    assert rows["topic", "error", 2]["p_value"] == pytest.approx(theirs.pvalue)
    assert rows["topic", "error", 1]["statistic"] == pytest.approx(0)
    assert rows["topic", "error", 1]["cramers_v"] == 0


def test_labels_are_a_family_of_their_own_where_they_say_more() -> None:
    assert {row["family"] for row in build_outcome_tests(*case(SHOP))[0].to_pylist()} == {"error"}
    categories = build_outcome_tests(*case(SHOP, wrong=None))[0].to_pylist()
    assert {row["family"] for row in categories} == {"label"}
    three = {"a": {"wrong": 9, "right": 9, "odd": 9}, "b": {"wrong": 2, "right": 9, "odd": 1}}
    assert {row["family"] for row in build_outcome_tests(*case(three))[0].to_pylist()} == {"error", "label"}


def test_small_counts_are_tested_by_permutation_with_a_seed() -> None:
    tree = {name: {"wrong": wrong, "right": 4 - wrong} for name, wrong in (("a", 4), ("b", 0), ("c", 1))}
    one, again = (build_outcome_tests(*case(tree), seed=3)[0].to_pylist()[0] for _ in range(2))
    assert one == again
    assert (one["test"], one["draws"]) == ("permutation", 2_000)
    assert one["p_value"] < 0.05


def similarities(values: list[float]) -> dict[str, float]:
    return {f"i{place}": value for place, value in enumerate(values)}


def test_errors_far_from_their_topic_have_an_auc_above_a_half() -> None:
    tree = {"a": ["wrong", "wrong", "right", "wrong", "right", "right"]}
    given_case = case(tree, similarity=similarities([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))
    row = by(build_outcome_tests(*given_case)[0], "question")["similarity"]
    assert row["auc"] == pytest.approx(8 / 9), "of nine pairs of an error and another, one is the other way round"
    theirs = stats.mannwhitneyu([0.3, 0.5, 0.6], [0.1, 0.2, 0.4])
    assert (row["test"], row["statistic"], row["p_value"]) == ("mann_whitney", 8, pytest.approx(theirs.pvalue))
    point_biserial = stats.pointbiserialr([1, 1, 0, 1, 0, 0], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).statistic
    assert row["correlation"] == pytest.approx(point_biserial, abs=1e-6)


def test_categories_are_compared_by_rank() -> None:
    values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    given_case = case({"a": ["x", "x", "y", "y", "z", "z"]}, wrong=None, similarity=similarities(values))
    row = by(build_outcome_tests(*given_case)[0], "question")["similarity"]
    theirs = stats.kruskal(values[:2], values[2:4], values[4:])
    assert (row["test"], row["statistic"]) == ("kruskal_wallis", pytest.approx(theirs.statistic))
    assert row["auc"] is None


def test_equal_similarities_are_not_tested() -> None:
    row = by(build_outcome_tests(*case(SHOP))[0], "question")["similarity"]
    assert (row["test"], row["p_value"], row["auc"]) == (None, None, None)
    assert row["note"] == "Not tested: there is but one label, or all items are equally similar to their topic."


def test_error_rates_by_fifths_of_the_similarity() -> None:
    tree = {"a": ["wrong"] * 2 + ["right"] * 8}
    fifths = build_outcome_tests(*case(tree, similarity=similarities([place / 10 for place in range(10)])))[1]
    assert fifths["items"].to_pylist() == [2] * 5
    assert fifths["error_rate"].to_pylist() == [1, 0, 0, 0, 0]
    assert fifths["lowest"].to_pylist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])


def test_equal_similarities_stay_in_one_fifth() -> None:
    given_case = case({"a": ["wrong", "right"] * 5}, similarity=similarities([0.9] * 8 + [0.1, 0.2]))
    fifths = build_outcome_tests(*given_case)[1]
    assert fifths["quintile"].to_pylist() == [1, 2]
    assert fifths["items"].to_pylist() == [2, 8]


@given(leaves, st.booleans(), st.integers(0, 2**20))
def test_any_tree_keeps_the_contract(tree: dict[str, list[str]], is_categories: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    similarity = similarities([round(float(value), 1) for value in rng.uniform(-1, 1, 100)])
    tables = build_outcome_tests(*case(tree, wrong=None if is_categories else ["wrong"], similarity=similarity))
    check_contract(*tables, names=NAMES)
    tests, fifths = tables
    n_items = sum(bool(label) for labels in tree.values() for label in labels)
    assert set(tests["items"].to_pylist()) <= {n_items}
    assert all((row["test"] is None) == (row["p_value"] is None) for row in tests.to_pylist())
    assert sum(fifths["items"].to_pylist()) == (0 if is_categories else n_items)


def test_an_outcome_that_is_dealt_out_at_random_is_significant_as_often_as_it_should_be() -> None:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(200):
        labels = rng.choice(["wrong", "right"], 120).tolist()
        tree = {"a": labels[:60], "b": labels[60:]}
        similarity = similarities(rng.random(120).tolist())
        found.append([row["p_value"] for row in build_outcome_tests(*case(tree, similarity=similarity))[0].to_pylist()])
    for p in np.array(found).T:
        assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.04)
