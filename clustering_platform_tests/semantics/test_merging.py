"""People's merges: what becomes part of what, and tables that hold together afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics.curation import read_tree
from clustering_platform.semantics.item_embeddings import vector_matrix
from clustering_platform.semantics.merging import MergePlan, apply_merges, plan_merges
from clustering_platform.tables import TABLES
from clustering_platform_tests.semantics.trees import Tree, decisions, drawn_trees, paths_of, tables

SMALL: Tree = {
    "t0": {
        "t1": {"t2": ["a1", "a2", "a3"], "t3": ["b1", "b2"]},
        "t4": ["c1", "c2", "c3", "c4"],
        "t5": {"t6": ["d1", "d2"], "t7": ["e1"]},
    }
}


def plan(tree: Tree, *merges: tuple[str, str]) -> MergePlan:
    topic_tree, _, _ = tables(tree)
    return plan_merges(*read_tree(topic_tree), decisions(*(("merge", *merge) for merge in merges)))


def merged(tree: Tree, *merges: tuple[str, str]) -> tuple[pa.Table, pa.Table]:
    topic_tree, item_topics, embeddings = tables(tree)
    return apply_merges(topic_tree, item_topics, embeddings, plan(tree, *merges))


def shape(tree: Tree, *merges: tuple[str, str]) -> dict[str, list[str]]:
    """Return the path of each topic, in the order of the rows."""
    topic_tree, _ = merged(tree, *merges)
    return dict(zip(topic_tree["topic_id"].to_pylist(), topic_tree["path"].to_pylist(), strict=True))


def items_in(tree: Tree, topic_id: str, *merges: tuple[str, str]) -> set[str]:
    _, item_topics = merged(tree, *merges)
    return {row["item_id"] for row in item_topics.to_pylist() if topic_id in row["path"]}


def test_without_merges_the_tables_stay_as_they_are() -> None:
    topic_tree, item_topics, embeddings = tables(SMALL)
    assert apply_merges(topic_tree, item_topics, embeddings, plan(SMALL)) == (topic_tree, item_topics)


def test_a_leaf_joins_a_leaf() -> None:
    assert items_in(SMALL, "t4", ("t2", "t4")) == {"a1", "a2", "a3", "c1", "c2", "c3", "c4"}
    assert list(shape(SMALL, ("t2", "t4"))) == ["t0", "t4", "t5", "t6", "t7", "t1", "t3"]


def test_the_topics_below_hang_below_the_other() -> None:
    assert shape(SMALL, ("t1", "t5")) == {
        "t0": ["t0"],
        "t5": ["t0", "t5"],
        "t2": ["t0", "t5", "t2"],
        "t3": ["t0", "t5", "t3"],
        "t6": ["t0", "t5", "t6"],
        "t7": ["t0", "t5", "t7"],
        "t4": ["t0", "t4"],
    }


def test_items_of_a_leaf_go_to_the_most_similar_leaf_of_a_topic_that_has_some() -> None:
    _, item_topics = merged(SMALL, ("t4", "t1"))
    _, _, embeddings = tables(SMALL)
    vector = dict(zip(embeddings["item_id"].to_pylist(), vector_matrix(embeddings["vector"]), strict=True))
    means = {leaf: np.mean([vector[item] for item in items], axis=0) for leaf, items in SMALL["t0"]["t1"].items()}
    for row in item_topics.to_pylist():
        if row["item_id"].startswith("c"):
            score = {leaf: vector[row["item_id"]] @ mean / np.linalg.norm(mean) for leaf, mean in means.items()}
            assert row["topic_id"] == max(score, key=lambda leaf: score[leaf])


def test_a_leaf_that_takes_in_a_topic_with_leaves_has_those_leaves() -> None:
    paths = shape(SMALL, ("t1", "t4"))
    assert paths["t2"] == ["t0", "t4", "t2"]
    assert items_in(SMALL, "t2", ("t1", "t4")) | items_in(SMALL, "t3", ("t1", "t4")) == items_in(
        SMALL, "t4", ("t1", "t4")
    )


def test_a_topic_may_have_one_topic_below_it_and_goes_when_it_has_no_item_left() -> None:
    assert shape(SMALL, ("t7", "t6"))["t6"] == ["t0", "t5", "t6"]
    assert "t5" not in shape(SMALL, ("t7", "t4"), ("t6", "t4"))


def test_all_parts_of_a_topic_merged_into_it_make_it_a_leaf() -> None:
    topic_tree, _ = merged(SMALL, ("t6", "t5"), ("t7", "t5"))
    (row,) = [row for row in topic_tree.to_pylist() if row["topic_id"] == "t5"]
    assert (row["method"], row["silhouette"], row["size"]) == ("leaf", None, 3)
    assert row["note"] == "as written; merged with it by people: t6, t7"


def test_merges_follow_each_other() -> None:
    assert plan(SMALL, ("t2", "t4"), ("t4", "t6")).into == {"t2": "t6", "t4": "t6"}
    assert plan(SMALL, ("t4", "t6"), ("t2", "t4")).into == {"t2": "t6", "t4": "t6"}


@pytest.mark.parametrize(
    ("merges", "reason"),
    [
        ([("t1", "t3")], "t3 is below t1"),
        ([("t0", "t1")], "t0 holds every item and cannot be part of another topic"),
        ([("t9", "t1")], "t9 is not in the tree"),
        ([("t1", "t9")], "t9 is not in the tree"),
        ([("t2", "t4"), ("t2", "t6")], "t2 is part of t4 already"),
        ([("t2", "t4"), ("t4", "t2")], "t4 would be merged into a part of itself"),
        ([("t1", "t6"), ("t5", "t2")], "t2 is below t5"),
    ],
)
def test_a_merge_that_cannot_be_is_refused_with_a_reason(merges: list[tuple[str, str]], reason: str) -> None:
    made = plan(SMALL, *merges)
    assert made.refused == {len(merges): reason}
    assert made.absent == ({1: "t9"} if "t9" in reason else {})
    assert len(made.into) == len(merges) - 1


def check_laws(topic_tree: pa.Table, item_topics: pa.Table, embeddings: pa.Table) -> None:
    """Check what holds for any tree, whether or not people merged topics."""
    assert topic_tree.schema.equals(TABLES["topic_tree"].schema())
    assert item_topics.schema.equals(TABLES["item_topics"].schema())
    topics = {row["topic_id"]: row for row in topic_tree.to_pylist()}
    items = item_topics.to_pylist()
    vectors = vector_matrix(embeddings["vector"])
    assert item_topics["item_id"].to_pylist() == embeddings["item_id"].to_pylist()
    assert [topic["topic_id"] for topic in _preorder(topics)] == list(topics)
    for topic_id, topic in topics.items():
        children = [row for row in topics.values() if row["parent_id"] == topic_id]
        inside = [row for row, item in enumerate(items) if topic_id in item["path"]]
        above = topics[topic["parent_id"]]["path"] if topic["parent_id"] else []
        assert topic["path"] == [*above, topic_id]
        assert topic["depth"] == len(above)
        assert topic["size"] == len(inside) > 0
        assert topic["size"] == sum(child["size"] for child in children) or not children
        assert (topic["method"] == "leaf") == (not children)
        assert topic["silhouette"] is None or children
        assert {items[row]["item_id"] for row in inside} >= set(topic["exemplar_ids"])
        assert 1 <= len(topic["exemplar_ids"]) == len(set(topic["exemplar_ids"])) <= 5
        mean = vectors[inside].mean(axis=0)
        np.testing.assert_allclose(topic["centroid"], mean / np.linalg.norm(mean), atol=1e-5)
        assert topic["cohesion"] == pytest.approx(float((vectors[inside] @ topic["centroid"]).mean()), abs=1e-5)
    for row, item in enumerate(items):
        topic = topics[item["topic_id"]]
        assert topic["method"] == "leaf"
        assert (item["path"], item["depth"]) == (topic["path"], topic["depth"])
        assert item["similarity"] == pytest.approx(float(vectors[row] @ topic["centroid"]), abs=1e-5)


def _preorder(topics: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    def visit(topic: dict[str, Any]) -> list[dict[str, Any]]:
        children = [row for row in topics.values() if row["parent_id"] == topic["topic_id"]]
        below = [found for child in sorted(children, key=lambda row: -row["size"]) for found in visit(child)]
        return [topic, *below]

    return visit(next(iter(topics.values())))


@given(data=st.data(), tree=drawn_trees())
def test_whatever_is_merged_the_tables_hold_together(data: st.DataObject, tree: Tree) -> None:
    topic_tree, item_topics, embeddings = tables(tree)
    known = st.sampled_from([*topic_tree["topic_id"].to_pylist(), "t99"])
    pairs = st.tuples(known, known).filter(lambda pair: pair[0] != pair[1])
    merges = data.draw(st.lists(pairs, max_size=5))
    made = plan(tree, *merges)
    after, items = apply_merges(topic_tree, item_topics, embeddings, made)
    check_laws(after, items, embeddings)
    assert set(after["topic_id"].to_pylist()) == set(made.parents)
    assert dict(zip(after["topic_id"].to_pylist(), after["parent_id"].to_pylist(), strict=True)) == made.parents
    before = paths_of(tree)
    for item, path in zip(items["item_id"].to_pylist(), items["path"].to_pylist(), strict=True):
        home = made.into.get(before[item][-1], before[item][-1])
        assert home in path, "an item is in the topic that its own is part of now, or below it"


def test_exemplars_of_other_kinds_and_items_of_other_marks_are_kept() -> None:
    topic_tree, item_topics, embeddings = tables(SMALL)
    twice = pa.array(embeddings["vector"].to_pylist(), embeddings["vector"].type)
    same = embeddings.set_column(1, "vector", pa.array([twice[0].as_py()] * len(twice), twice.type))
    after, _ = apply_merges(topic_tree, item_topics, same, plan(SMALL, ("t2", "t4")))
    (row,) = [row for row in after.to_pylist() if row["topic_id"] == "t4"]
    assert row["exemplar_ids"] == ["a1"], "of equal vectors the first stands for all"
