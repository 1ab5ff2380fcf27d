"""The strategy `auto`: when there are topics, which are too small, what is noise, how deep the tree is."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics.consensus import Candidate, candidates
from clustering_platform.semantics.neighbours import Neighbours
from clustering_platform.semantics.silhouettes import mean_silhouette
from clustering_platform.semantics.strategies import auto
from clustering_platform.semantics.strategies.auto import grow, is_unlike, neighbour_similarity, take_in_small
from clustering_platform.semantics.tree import Space, Topic, smallest_topic
from clustering_platform_tests.semantics.planted import (
    are_same,
    blobs,
    check_parts,
    labels_of,
    parts,
    random_vectors,
    unit,
)

FAMILIES = np.repeat(np.arange(26), 9)


@pytest.fixture(scope="module")
def many() -> Space:
    """26 topics of nine items, in five families."""
    random = np.random.default_rng(1)
    family = np.eye(80)[np.arange(26) % 5]
    own = 0.9 * np.eye(80)[10:36]
    return Space(unit((family + own)[FAMILIES] + 0.05 * random.normal(size=(26 * 9, 80))), 1)


@pytest.fixture(scope="module")
def tried(many: Space) -> list[Candidate]:
    return list(candidates(many.points, many.neighbours, seed=1))


@pytest.fixture
def once(tried: list[Candidate], monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the candidates that were found already."""
    monkeypatch.setattr(auto, "candidates", lambda *_, **__: iter(tried))


def depth_of(topic: Topic) -> int:
    return 1 + max(map(depth_of, topic.children)) if topic.children else 0


@pytest.mark.parametrize("count", [40, 100, 300])
def test_random_vectors_are_one_topic(count: int) -> None:
    root = grow(Space(random_vectors(count), 1), resolution=None, smallest=None, max_depth=3).root
    assert root.children == []
    assert root.note.startswith("not divided: no division tells its items apart (silhouette 0.0")


@pytest.mark.usefixtures("once")
@pytest.mark.parametrize(("max_depth", "top"), [(0, 0), (1, 26), (2, 5), (3, 5)])
def test_topics_are_gathered_in_no_more_levels_than_allowed(many: Space, max_depth: int, top: int) -> None:
    tree = grow(many, resolution=None, smallest=None, max_depth=max_depth)
    check_parts(tree.root)
    assert len(tree.root.children) == top
    assert depth_of(tree.root) <= max_depth
    if max_depth:
        assert are_same(parts(tree.root), FAMILIES)
        assert tree.root.method == ("consensus" if top == 26 else "ward")


@pytest.mark.usefixtures("once")
def test_groups_of_topics_are_the_families(many: Space) -> None:
    tree = grow(many, resolution=None, smallest=None, max_depth=3)
    assert [len(set((FAMILIES[group.points] % 5).tolist())) for group in tree.root.children] == [1] * 5
    assert tree.root.note.endswith(", gathered in 5")


@pytest.mark.usefixtures("once")
def test_the_tree_tells_what_was_tried_and_how_its_topics_merge(many: Space, tried: list[Candidate]) -> None:
    tree = grow(many, resolution=None, smallest=None, max_depth=3)
    assert [(row["width"], row["topics"]) for row in tree.scales] == [(one.width, one.topics) for one in tried]
    (chosen,) = (row for row in tree.scales if row["is_chosen"])
    assert chosen["topics"] == 26
    assert tree.merges is not None
    assert tree.merges.shape == (25, 4)
    assert tree.merges[-1, 3] == 26
    assert tree.partitions is not None
    assert tree.partitions.shape == (9, len(many))
    for number, leaf in enumerate(tree.leaves):
        assert sorted(leaf.points.tolist()) == leaf.points.tolist()
        assert len(set(FAMILIES[leaf.points].tolist())) == 1, number


@pytest.mark.usefixtures("once")
def test_topics_under_the_smallest_size_are_taken_in_by_others(many: Space) -> None:
    tree = grow(many, resolution=None, smallest=10, max_depth=3)
    assert 5 <= len(tree.leaves) <= 13
    assert min(len(leaf.points) for leaf in tree.leaves) >= 10
    assert [len(set((FAMILIES[leaf.points] % 5).tolist())) for leaf in tree.leaves] == [1] * len(tree.leaves)


def test_a_small_topic_goes_as_a_whole_to_the_most_similar_one() -> None:
    points = unit(np.concatenate([np.eye(6)[[0] * 5], np.eye(6)[[1] * 4], np.eye(6)[[2] * 2] + 0.5 * np.eye(6)[1]]))
    labels = labels_of([5, 4, 2])
    assert take_in_small(points, labels, smallest=4).tolist() == [0] * 5 + [1] * 6
    np.testing.assert_array_equal(take_in_small(points, labels, smallest=2), labels)
    assert take_in_small(points, labels, smallest=12).tolist() == [0] * 11


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 30), st.integers(0, 100))
def test_no_topic_is_smaller_than_allowed_and_none_is_cut(sizes: list[int], smallest: int, seed: int) -> None:
    labels = labels_of(sizes)
    taken = take_in_small(random_vectors(len(labels), dimension=5, seed=seed), labels, smallest=smallest)
    found = np.bincount(taken)
    assert len(found) == 1 or found.min() >= smallest
    assert found.min() > 0
    assert len(np.unique(np.stack([labels, taken]), axis=1).T) == len(sizes)


def test_labels_are_numbered_anew_when_the_first_topic_is_taken_in() -> None:
    points = unit(np.concatenate([np.eye(4)[[0] * 2] + 0.5 * np.eye(4)[2], np.eye(4)[[1] * 5], np.eye(4)[[2] * 5]]))
    assert take_in_small(points, labels_of([2, 5, 5]), smallest=3).tolist() == [1] * 2 + [0] * 5 + [1] * 5


@pytest.mark.parametrize(("points", "expected"), [(20, 4), (124, 5), (1000, 10), (100_000, 46)])
def test_the_smallest_topic_is_the_cube_root_of_the_items_and_four_at_least(points: int, expected: int) -> None:
    assert smallest_topic(points) == expected


def test_planted_outliers_are_noise_and_stay_in_a_topic() -> None:
    sizes = [40, 40, 40]
    points = np.concatenate([blobs(sizes, dimension=60), random_vectors(4, dimension=60)])
    space = Space(points, 1)
    tree = grow(space, resolution=None, smallest=None, max_depth=3)
    check_parts(tree.root)
    noise = tree.root.left_out
    assert set(range(120, 124)) <= set(noise.tolist())
    assert len(noise) <= 4 + 0.1 * 120
    assert are_same(parts(tree.root)[:120], labels_of(sizes))


def test_noise_is_less_similar_to_its_neighbours_than_the_median_by_robust_deviations() -> None:
    similarity = np.array([0.9, 0.8, 0.85, 0.8, 0.3, 0.82, 0.7], np.float32)
    near = Neighbours(np.zeros((7, 1), np.int32), similarity[:, None])
    deviation = 1.4826 * np.median(np.abs(similarity - 0.8))
    np.testing.assert_array_equal(is_unlike(near), similarity < 0.8 - 1.645 * deviation)
    assert np.flatnonzero(is_unlike(near)).tolist() == [4]


def test_where_all_are_equally_similar_there_is_no_noise() -> None:
    near = Neighbours(np.zeros((5, 2), np.int32), np.full((5, 2), 0.5, np.float32))
    assert not is_unlike(near).any()


def test_similarity_to_neighbours_is_that_of_the_fifteen_nearest() -> None:
    similarity = np.linspace(0.9, 0.1, 40, dtype=np.float32)[None]
    near = Neighbours(np.zeros((1, 40), np.int32), similarity)
    assert neighbour_similarity(near) == pytest.approx(similarity[0, :15].mean())
    assert neighbour_similarity(Neighbours(np.zeros((1, 0), np.int32), np.zeros((1, 0), np.float32))).tolist() == [0]


def test_a_resolution_that_is_given_is_the_only_one_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def none_found(points: object, neighbours: object, *, resolution: float | None, seed: int) -> list[Candidate]:
        asked.append(resolution)
        return [Candidate(4, 1.0, np.zeros(30, np.int64), 0.0, np.zeros((9, 30), np.int64))]

    monkeypatch.setattr(auto, "candidates", none_found)
    space = Space(blobs([15, 15]), 1)
    tree = grow(space, resolution=5.0, smallest=None, max_depth=3)
    assert asked == [5.0]
    assert tree.root.children == []


def test_the_topics_kept_are_told_apart_better_than_random_vectors() -> None:
    make: Callable[[int], Space] = lambda count: Space(blobs([count] * 3, spread=1.0), 1)  # noqa: E731
    space = make(20)
    tree = grow(space, resolution=None, smallest=None, max_depth=1)
    labels = parts(tree.root)
    assert mean_silhouette(space.points, labels) >= auto.LEAST_SILHOUETTE
