"""The strategy `flat`: one clustering, by each algorithm."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from clustering_platform.semantics import topic_tables
from clustering_platform.semantics import tree as tree_module
from clustering_platform.semantics.reduction import principal_layout
from clustering_platform.semantics.strategies import grow_tree
from clustering_platform.semantics.strategies.flat import grow
from clustering_platform.semantics.topic_tables import build_topic_tree
from clustering_platform.semantics.tree import Space, Tree
from clustering_platform.topics_config import FlatConfig, TopicsConfig
from clustering_platform_tests.semantics.fakes import planted_texts
from clustering_platform_tests.semantics.planted import (
    are_same,
    blobs,
    check_parts,
    labels_of,
    parts,
    places,
    space_of,
)

SIZES = [30, 18, 25, 12]
MEANS = ["kmeans", "minibatch"]
TOLD = [*MEANS, "agglomerative"]
TEXTS = [*planted_texts(120, families=6), planted_texts(1)[0]]
WORDS = [" ".join(sorted(text.split())) for text in TEXTS]


def grown(sizes: list[int], *, smallest: int | None = None, max_depth: int = 3, **settings: Any) -> Tree:
    tree = grow(
        space_of(blobs(sizes), places(sizes)), settings=FlatConfig(**settings), smallest=smallest, max_depth=max_depth
    )
    check_parts(tree.root)
    return tree


@pytest.mark.parametrize("algorithm", ["hdbscan", *TOLD])
def test_planted_clusters_are_found_on_one_level(algorithm: str) -> None:
    tree = grown(SIZES, algorithm=algorithm)
    assert are_same(parts(tree.root), labels_of(SIZES))
    assert (tree.root.method, tree.root.note) == (algorithm, f"4 topics by {algorithm}")
    assert not any(child.children for child in tree.root.children)


@pytest.mark.parametrize("linkage", ["ward", "complete", "average", "single"])
def test_every_linkage_finds_them(linkage: str) -> None:
    assert are_same(parts(grown(SIZES, algorithm="agglomerative", linkage=linkage).root), labels_of(SIZES))


@pytest.mark.parametrize("algorithm", TOLD)
@pytest.mark.parametrize("clusters", [2, 3, 9])
def test_the_number_given_is_kept_and_nothing_else_is_tried(algorithm: str, clusters: int) -> None:
    tree = grown(SIZES, algorithm=algorithm, clusters=clusters)
    assert len(tree.root.children) == clusters
    assert tree.scales == []


@pytest.mark.parametrize("algorithm", TOLD)
def test_the_number_chosen_is_recorded_with_the_elbow(algorithm: str) -> None:
    scales = grown(SIZES, algorithm=algorithm, max_clusters=12).scales
    assert [row["topics"] for row in scales if row["is_chosen"]] == [4]
    assert sum(row["is_elbow"] for row in scales) == 1
    assert (min(row["topics"] for row in scales), max(row["topics"] for row in scales)) == (2, 12)


def test_density_takes_the_smallest_size_and_says_when_nothing_is_found() -> None:
    assert len(grown(SIZES, smallest=20).root.children) == 2
    nothing = grown([60])
    assert nothing.root.note == "not divided: hdbscan finds no clusters"
    assert nothing.root.children == []


def test_what_the_algorithm_says_of_membership_is_kept() -> None:
    for algorithm in ("hdbscan", *MEANS):
        membership = grown(SIZES, algorithm=algorithm).membership
        assert membership is not None
        assert membership.shape == (sum(SIZES),)
        assert (membership >= 0).all()
        assert (membership <= 1).all()
    assert grown(SIZES, algorithm="agglomerative").membership is None


def test_membership_of_means_is_how_much_nearer_the_nearest_centre_is_than_the_next() -> None:
    line = np.zeros((21, 5))
    line[:, 0] = [*[0.0] * 10, *[10.0] * 10, 4.0]
    tree = grow(
        space_of(blobs([21]), line), settings=FlatConfig(algorithm="kmeans", clusters=2), smallest=None, max_depth=1
    )
    assert tree.membership is not None
    centre = 4 / 11
    assert tree.membership[20] == pytest.approx(1 - (4 - centre) / 6)
    assert tree.membership[10] == pytest.approx(1)


def test_agglomerative_clustering_beyond_the_memory_allowed_is_refused_with_a_way_out() -> None:
    with pytest.raises(ValueError, match=r"600 distinct items needs 2 MB, topics\.flat\.max_memory_mb") as refused:
        _refused([300, 300], max_memory_mb=1)
    assert "choose kmeans, minibatch or hdbscan" in str(refused.value)


def _refused(sizes: list[int], **settings: Any) -> None:
    grow(
        space_of(blobs(sizes), places(sizes)),
        settings=FlatConfig(algorithm="agglomerative", **settings),
        smallest=None,
        max_depth=1,
    )


@pytest.mark.parametrize("algorithm", ["hdbscan", *TOLD])
def test_few_items_or_no_depth_leave_one_topic_that_says_why(algorithm: str) -> None:
    assert "division needs 20" in grown([10, 9], algorithm=algorithm).root.note
    assert "no level below the root" in grown(SIZES, algorithm=algorithm, max_depth=0).root.note


def test_only_means_can_forget_by_time() -> None:
    for algorithm in ("hdbscan", "agglomerative"):
        with pytest.raises(ValidationError, match=f"decay_days: {algorithm} cannot weigh items; use kmeans"):
            FlatConfig(algorithm=algorithm, decay_days=7)
    for algorithm in MEANS:
        assert FlatConfig(algorithm=algorithm, decay_days=7).decay_days == 7


@pytest.mark.parametrize("algorithm", MEANS)
def test_weights_move_the_centres(algorithm: str) -> None:
    line = np.zeros((60, 5))
    line[:, 0] = np.repeat([0, 3, 10], 20) + np.tile([0, 0.1], 30)
    settings = FlatConfig(algorithm=algorithm, clusters=2)

    def cut(weights: np.ndarray | None) -> np.ndarray:
        space = space_of(blobs([20] * 3), line, weights=weights)
        return parts(grow(space, settings=settings, smallest=None, max_depth=1).root)

    assert are_same(cut(None), np.repeat([0, 0, 1], 20))
    assert are_same(cut(np.repeat([1, 1, 1e-4], 20)), np.repeat([0, 1, 1], 20))


@pytest.fixture
def tables(
    embeddings_of: Callable[[list[str | None]], pa.Table], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, pa.Table]]:
    """Make the tables of planted texts in a layout that takes no time."""
    monkeypatch.setattr(tree_module, "graph_layout", lambda points, *_, **__: principal_layout(points, dimensions=5))
    embeddings = embeddings_of(list(TEXTS))

    def make(weights: np.ndarray | None = None, **settings: Any) -> dict[str, pa.Table]:
        config = TopicsConfig(strategy="flat", flat=FlatConfig(**settings))
        return build_topic_tree(embeddings, config=config, weights=weights)

    return make


def test_the_dendrogram_starts_from_the_topics_and_ends_with_all(tables: Callable[..., dict[str, pa.Table]]) -> None:
    found = tables(algorithm="agglomerative", clusters=6)
    words_of: dict[str, set[str]] = {}
    for words, topic_id in zip(WORDS, found["found_item_topics"]["topic_id"].to_pylist(), strict=True):
        words_of.setdefault(topic_id, set()).add(words)
    unmerged = set(words_of)
    merges = found["topic_merges"].to_pylist()
    assert len(merges) == 5
    for merge in merges:
        assert {merge["first_id"], merge["second_id"]} <= unmerged
        unmerged -= {merge["first_id"], merge["second_id"]}
        unmerged.add(merge["merge_id"])
        words_of[merge["merge_id"]] = words_of[merge["first_id"]] | words_of[merge["second_id"]]
        assert merge["size"] == len(words_of[merge["merge_id"]])
    assert unmerged == {merges[-1]["merge_id"]}
    assert merges[-1]["size"] == len(set(WORDS))
    assert [merge["height"] for merge in merges] == sorted(merge["height"] for merge in merges)


@pytest.mark.parametrize("algorithm", ["hdbscan", *TOLD])
def test_the_tables_tell_how_the_number_was_chosen_and_how_good_it_is(
    tables: Callable[..., dict[str, pa.Table]], algorithm: str
) -> None:
    found = tables(algorithm=algorithm)
    scales = found["topic_scales"].to_pylist()
    topics = found["found_topics"].num_rows - 1
    assert [row["trial"] for row in scales] == list(range(1, len(scales) + 1))
    assert [row["topics"] for row in scales if row["is_chosen"]] == ([] if algorithm == "hdbscan" else [topics])
    assert found["topic_merges"].num_rows == (topics - 1 if algorithm == "agglomerative" else 0)
    whole, divided = found["topic_levels"].to_pylist()
    assert (whole["topics"], divided["topics"]) == (1, topics)
    assert whole["silhouette"] is None
    for figure in ("silhouette", "davies_bouldin", "cohesion", "stability"):
        assert divided[figure] > 0
    assert divided["cohesion"] > whole["cohesion"]
    assert (found["found_item_topics"]["membership"].null_count == 0) == (algorithm != "agglomerative")


def test_weights_of_items_with_the_same_vector_are_added_up(
    tables: Callable[..., dict[str, pa.Table]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Space] = []

    def remember(space: Space, config: TopicsConfig) -> Tree:
        seen.append(space)
        return grow_tree(space, config)

    monkeypatch.setattr(topic_tables, "grow_tree", remember)
    tables(np.arange(1.0, len(TEXTS) + 1), algorithm="kmeans", clusters=3)
    weights = seen[0].weights
    assert weights is not None
    expected: dict[str, float] = {}
    for row, words in enumerate(WORDS):
        expected[words] = expected.get(words, 0) + row + 1
    assert sorted(weights.tolist()) == sorted(expected.values())
