"""Topics against everything outside of them."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from clustering_platform.orchestration.checks import violations
from clustering_platform.semantics.topic_outcomes import build_topic_outcomes
from clustering_platform.tables import TABLES
from clustering_platform_tests.semantics.outcome_data import Case, by, case

SHOP = {"delivery": {"wrong": 6, "right": 54}, "payments": {"wrong": 20, "right": 20}}

leaves = st.dictionaries(
    st.sampled_from(["", "a", "b", "a/x", "a/y", "b/z", "c"]),
    st.lists(st.sampled_from(["wrong", "right", "odd", ""]), max_size=12),
    max_size=7,
)


def check_contract(*tables: pa.Table, names: tuple[str, ...]) -> None:
    for table, name in zip(tables, names, strict=True):
        assert table.schema.equals(TABLES[name].schema())
        assert violations(table, TABLES[name]) == []


def test_the_example_of_the_page_on_outcomes() -> None:
    topics, labels = build_topic_outcomes(*case(SHOP))
    payments = by(topics, "topic_id")["payments"]
    assert (payments["items_with_outcome"], payments["errors"], payments["error_rate"]) == (40, 20, 0.5)
    assert payments["rate_elsewhere"] == pytest.approx(0.1)
    assert payments["difference"] == pytest.approx(0.4)
    assert (payments["error_rate_low"], payments["error_rate_high"]) == pytest.approx((0.3520, 0.6480), abs=1e-4)
    assert payments["phi"] == pytest.approx(960 / np.sqrt(40 * 60 * 26 * 74))
    assert payments["odds_ratio"] == pytest.approx(20.5 * 54.5 / (20.5 * 6.5))
    assert payments["test"] == "chi2"
    assert payments["p_value"] == pytest.approx(stats.chi2.sf(100 * payments["phi"] ** 2, 1))  # type: ignore[operator]
    assert payments["p_value"] == pytest.approx(7.9e-6, rel=0.01)
    assert payments["q_value"] == pytest.approx(payments["p_value"]), "both topics ask the same question"
    assert (payments["is_worse"], payments["is_better"], payments["rank"]) == (True, False, 1)
    delivery = by(topics, "topic_id")["delivery"]
    assert (delivery["is_worse"], delivery["is_better"], delivery["rank"]) == (False, True, 2)
    row = by(labels, "topic_id", "label")["payments", "wrong"]
    assert (row["items"], row["share"], row["share_elsewhere"]) == (20, 0.5, pytest.approx(0.1))
    assert row["residual"] == pytest.approx(np.sqrt(100) * payments["phi"])  # type: ignore[operator]


def test_the_root_has_a_rate_and_no_test() -> None:
    root = by(build_topic_outcomes(*case(SHOP))[0], "topic_id")["root"]
    assert (root["errors"], root["error_rate"]) == (26, 0.26)
    assert [root[name] for name in ("rate_elsewhere", "phi", "odds_ratio", "test", "p_value", "rank")] == [None] * 6
    assert root["note"] == "no item outside of it has an outcome"


def test_small_expected_counts_are_tested_by_fisher() -> None:
    small = by(
        build_topic_outcomes(*case({"a": ["wrong"] * 3 + ["right"], "b": ["wrong"] + ["right"] * 3}))[0], "topic_id"
    )
    assert (small["a"]["test"], small["a"]["p_value"]) == ("fisher", pytest.approx(34 / 70))


def test_p_values_are_corrected_among_the_topics_of_one_depth() -> None:
    tree = {"a/x": {"wrong": 9, "right": 31}, "a/y": {"wrong": 12, "right": 28}, "b": {"wrong": 30, "right": 50}}
    rows = by(build_topic_outcomes(*case(tree))[0], "topic_id")
    for names in (("a", "b"), ("a/x", "a/y")):
        p = np.array([rows[name]["p_value"] for name in names], np.float64)
        np.testing.assert_allclose([rows[name]["q_value"] for name in names], stats.false_discovery_control(p))


def test_labels_that_are_categories_are_compared_as_such() -> None:
    topics, labels = build_topic_outcomes(
        *case({"a": {"cat": 40, "dog": 5, "bird": 10}, "b": {"cat": 20, "dog": 30, "bird": 12}}, wrong=None)
    )
    row = by(topics, "topic_id")["a"]
    theirs = stats.chi2_contingency([[40, 5, 10], [20, 30, 12]], correction=False)
    assert (row["label_test"], row["label_p_value"]) == ("chi2", pytest.approx(theirs.pvalue))
    assert row["errors"] is row["p_value"] is row["rank"] is None
    assert (row["is_worse"], row["is_better"]) == (False, False)
    assert {row["label"]: row["items"] for row in labels.to_pylist() if row["topic_id"] == "a"} == {
        "cat": 40,
        "dog": 5,
        "bird": 10,
    }


def test_beside_errors_labels_are_tested_where_there_are_more_than_two() -> None:
    three = by(build_topic_outcomes(*case({"a": ["wrong", "right", "odd"], "b": ["right"] * 3}))[0], "topic_id")["a"]
    assert (three["test"], three["label_test"]) == ("fisher", "permutation")
    two = by(build_topic_outcomes(*case(SHOP))[0], "topic_id")["payments"]
    assert two["label_test"] is None


def test_the_rarest_of_many_labels_are_put_together() -> None:
    many = {f"c{number:02}": 30 - number for number in range(25)}
    labels = build_topic_outcomes(*case({"a": many, "b": {"c00": 5}}, wrong=None))[1]
    rows = by(labels, "topic_id", "label")
    assert len({label for _, label in rows}) == 20  # type: ignore[misc]
    assert rows["root", "(other)"]["items"] == sum(30 - number for number in range(19, 25))


@pytest.mark.parametrize(
    ("tree", "note"),
    [
        ({"a": ["wrong"] * 3, "b": ["wrong"]}, "all items are errors"),
        ({"a": ["right"] * 3, "b": ["right"]}, "no item is an error"),
    ],
)
def test_what_is_the_same_everywhere_is_not_tested(tree: dict[str, list[str]], note: str) -> None:
    row = by(build_topic_outcomes(*case(tree))[0], "topic_id")["a"]
    assert (row["note"], row["test"], row["p_value"], row["rank"]) == (note, None, None, None)
    assert row["difference"] == 0


def test_without_outcomes_the_tables_are_empty() -> None:
    for tree in ({}, {"a": [""], "b": ["", ""]}):
        tables = build_topic_outcomes(*case(tree))
        check_contract(*tables, names=("topic_outcomes", "topic_outcome_labels"))
        assert [table.num_rows for table in tables] == [0, 0]


def test_outcomes_of_items_without_a_topic_do_not_count() -> None:
    given_case = case(SHOP)
    without = Case(given_case.topic_tree, given_case.item_topics.slice(0, 60), given_case.outcomes)
    rows = by(build_topic_outcomes(*without)[0], "topic_id")
    assert set(rows) == {"root", "delivery"}
    assert rows["root"]["items_with_outcome"] == 60


@given(leaves, st.booleans())
def test_any_tree_keeps_the_contract_and_its_counts_add_up(tree: dict[str, list[str]], is_categories: bool) -> None:
    given_case = case(tree, wrong=None if is_categories else ["wrong"])
    topics, labels = build_topic_outcomes(*given_case)
    check_contract(topics, labels, names=("topic_outcomes", "topic_outcome_labels"))
    rows = by(topics, "topic_id")
    inside: dict[object, list[str]] = {}
    for leaf, names in tree.items():
        parts = leaf.split("/") if leaf else []
        for name in ["root", *("/".join(parts[: end + 1]) for end in range(len(parts)))]:
            inside.setdefault(name, []).extend(label for label in names if label)
    assert {name: len(found) for name, found in inside.items() if found} == {
        name: row["items_with_outcome"] for name, row in rows.items()
    }
    for row in labels.to_pylist():
        assert row["items"] == inside[row["topic_id"]].count(row["label"])
    if not is_categories:
        assert {name: row["errors"] for name, row in rows.items()} == {
            name: found.count("wrong") for name, found in inside.items() if found
        }
    for depth in {row["depth"] for row in rows.values()}:
        ranks = [row["rank"] for row in rows.values() if row["depth"] == depth and row["rank"] is not None]
        assert sorted(ranks) == list(range(1, len(ranks) + 1))  # type: ignore[type-var]


@given(leaves)
def test_names_and_order_of_topics_make_no_difference(tree: dict[str, list[str]]) -> None:
    renamed = {leaf.replace("a", "q").replace("x", "b"): labels for leaf, labels in reversed(tree.items())}
    one, other = (by(build_topic_outcomes(*case(given))[0], "topic_id") for given in (tree, renamed))
    for name, row in one.items():
        twin = other[str(name).replace("a", "q").replace("x", "b")]
        for column in ("errors", "p_value", "q_value", "phi", "is_worse", "label_p_value", "label_v"):
            assert twin[column] == pytest.approx(row[column]), column
