"""The strategy `recursive`: what is divided, what is not, and why."""

from typing import Any

import numpy as np
import pytest

from clustering_platform.semantics.silhouettes import mean_silhouette
from clustering_platform.semantics.strategies import recursive
from clustering_platform.semantics.strategies.recursive import grow, smallest_cluster
from clustering_platform.semantics.tree import Space, Topic
from clustering_platform.topics_config import RecursiveConfig
from clustering_platform_tests.semantics.planted import (
    Floats,
    are_same,
    blobs,
    check_parts,
    labels_of,
    parts,
    places,
    random_vectors,
    space_of,
)

SIZES = [30, 25, 20]


def divided(vectors: Floats, layout: np.ndarray, *, max_depth: int = 3, **settings: Any) -> Topic:
    chosen = RecursiveConfig(**{"floor": 10, **settings})
    root = grow(space_of(vectors, layout), settings=chosen, max_depth=max_depth).root
    check_parts(root)
    return root


@pytest.mark.parametrize(
    ("points", "depth", "expected"),
    [(200, 0, 50), (200, 1, 25), (200, 2, 12), (200, 3, 10), (20_000, 0, 200), (20_000, 1, 100), (20_000, 2, 50)],
)
def test_the_smallest_topic_is_a_floor_that_halves_or_a_share_that_decays(
    points: int, depth: int, expected: int
) -> None:
    assert smallest_cluster(points, depth, RecursiveConfig()) == expected


def test_share_decay_and_floor_can_be_set() -> None:
    settings = RecursiveConfig(share=0.05, decay=0.8, floor=4)
    assert [smallest_cluster(1000, depth, settings) for depth in (0, 1, 2)] == [50, 40, 32]
    assert smallest_cluster(40, 0, settings) == 10


def test_clear_clusters_are_found() -> None:
    root = divided(blobs(SIZES), places(SIZES))
    assert root.method == "hdbscan"
    assert are_same(parts(root), labels_of(SIZES))
    assert root.note.startswith("3 topics of 10 or more (silhouette 0.9")


@pytest.mark.parametrize("count", [40, 100])
def test_vectors_without_structure_are_not_divided(count: int) -> None:
    root = grow(Space(random_vectors(count), 1), settings=RecursiveConfig(floor=10), max_depth=3).root
    assert root.children == []
    assert root.note.startswith("not divided")


@pytest.fixture
def no_density(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recursive, "density_clusters", lambda *_, **__: None)


@pytest.mark.usefixtures("no_density")
def test_kmeans_steps_in_where_density_finds_nothing() -> None:
    root = divided(blobs([30, 30]), places([30, 30]), max_depth=1)
    assert root.method == "kmeans"
    assert are_same(parts(root), labels_of([30, 30]))


@pytest.mark.usefixtures("no_density")
def test_kmeans_makes_no_topic_that_is_too_small() -> None:
    root = divided(blobs([40, 40, 6]), places([40, 40, 6]), max_depth=1)
    assert [len(child.points) for child in root.children] in ([40, 46], [46, 40])


@pytest.mark.usefixtures("no_density")
def test_kmeans_does_not_cut_up_what_has_no_room_for_six_topics() -> None:
    assert divided(blobs([30, 29]), places([30, 29])).note == "not divided: no clusters of 10 or more"


def test_a_division_that_is_unclear_in_the_layout_is_not_kept() -> None:
    vectors, layout = blobs([30, 30]), places([30, 30])
    assert divided(vectors, layout, least_silhouette=0.9).children
    refused = divided(vectors, layout, least_silhouette=1.0)
    assert refused.note.startswith("not divided: too little is told apart (silhouette 0.9")


def test_a_division_that_the_vectors_do_not_bear_out_is_not_kept() -> None:
    alike = blobs([60], spread=1.0)
    assert divided(alike, places([30, 30]), least_gain=0).children
    refused = divided(alike, places([30, 30]))
    assert refused.children == []
    assert "too little is told apart" in refused.note


def test_the_gain_is_seen_among_the_siblings_of_the_topic() -> None:
    vectors = blobs([30, 30])
    labels = labels_of([30, 30])
    assert recursive._gain(vectors, labels, None) == pytest.approx(mean_silhouette(vectors, labels))
    away = np.eye(40)[20:21]
    together = np.zeros(60, np.int64)
    expected = mean_silhouette(vectors, labels, away) - mean_silhouette(vectors, together, away)
    assert recursive._gain(vectors, labels, away) == pytest.approx(expected)
    assert expected < mean_silhouette(vectors, labels)


def test_noise_is_sent_home_before_anything_is_divided_further() -> None:
    vectors = np.concatenate([blobs([30, 30], spread=0.3), blobs([0, 3], spread=0.01)])
    between = np.concatenate([np.full((1, 5), 40.0), np.full((1, 5), -40.0), np.full((1, 5), 80.0)])
    layout = np.concatenate([places([30, 30]), between])
    chosen = RecursiveConfig(floor=10)
    tree = grow(space_of(vectors, layout), settings=chosen, max_depth=1)
    check_parts(tree.root)
    assert {60, 61, 62} <= set(tree.root.left_out.tolist())
    (home,) = (child for child in tree.root.children if 60 in child.points)
    assert home.points.tolist() == list(range(30, 63))
    assert tree.membership is not None
    assert not tree.membership[tree.root.left_out].any()
    kept = np.setdiff1d(np.arange(63), tree.root.left_out)
    assert (tree.membership[kept] > 0).all()


def two_levels() -> tuple[Floats, Floats]:
    """Two families of two groups of 25."""
    corners = np.array([[0, 0, 0, 0, 0], [6, 0, 0, 0, 0], [0, 90, 0, 0, 0], [6, 90, 0, 0, 0]])
    noise = np.random.default_rng(3).normal(size=(100, 5)) * 0.2
    return blobs([25] * 4, spread=0.3), np.repeat(corners, 25, axis=0) + noise


@pytest.mark.parametrize(("max_depth", "leaves"), [(0, 1), (1, 2), (2, 4), (3, 4)])
def test_topics_are_divided_again_down_to_the_largest_depth(max_depth: int, leaves: int) -> None:
    root = divided(*two_levels(), max_depth=max_depth, floor=30)
    found = [topic for topic in root.walk() if not topic.children]
    assert len(found) == leaves
    assert [len(topic.points) for topic in found] == [100 // leaves] * leaves
    if 0 < max_depth < 3:
        assert {topic.note for topic in found} == {f"not divided: at the largest depth, {max_depth}"}


def test_topics_too_small_to_divide_say_what_they_would_need() -> None:
    root = divided(blobs([19, 18, 17]), places([19, 18, 17]))
    assert [child.note for child in root.children] == [
        f"not divided: distinct items {len(child.points)}, a division needs 20" for child in root.children
    ]
    few = divided(blobs([10, 9]), places([10, 9]))
    assert few.note == "not divided: distinct items 19, a division needs 20"


def test_topics_are_laid_out_anew_only_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out: list[int] = []

    def layout(points: Floats, *_: object, **__: object) -> Floats:
        laid_out.append(len(points))
        return np.zeros((len(points), 5), np.float32)

    monkeypatch.setattr(recursive, "graph_layout", layout)
    vectors, places_of = two_levels()
    divided(vectors, places_of, floor=30)
    assert laid_out == []
    divided(vectors, places_of, floor=30, lays_out_anew=True)
    assert laid_out == [50, 50]
    laid_out.clear()
    divided(vectors, places_of, floor=30, lays_out_anew=True, max_depth=1)
    assert laid_out == []
