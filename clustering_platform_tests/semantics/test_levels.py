"""The strategy `levels`: three levels of stated sizes."""

import numpy as np
import pytest

from clustering_platform.semantics.strategies.levels import grow, sizes
from clustering_platform.semantics.tree import Topic
from clustering_platform_tests.semantics.planted import blobs, check_parts, places, space_of


@pytest.mark.parametrize(
    ("points", "expected"), [(20, (50, 10)), (5000, (50, 10)), (5199, (51, 10)), (22_500, (225, 10))]
)
def test_topics_of_the_first_level_have_50_items_or_one_hundredth(points: int, expected: tuple[int, int]) -> None:
    assert sizes(points, 1) == expected


@pytest.mark.parametrize(
    ("points", "expected"), [(29, None), (30, (15, 5)), (159, (15, 5)), (160, (16, 5)), (999, (99, 5))]
)
def test_topics_of_the_second_level_have_15_items_or_a_tenth_and_come_from_30(
    points: int, expected: tuple[int, int] | None
) -> None:
    assert sizes(points, 2) == expected


@pytest.mark.parametrize(
    ("points", "expected"), [(14, None), (15, (5, 3)), (29, (5, 3)), (30, (6, 3)), (250, (50, 3)), (9999, (50, 3))]
)
def test_topics_of_the_third_level_have_a_fifth_5_to_50_items_and_come_from_15(
    points: int, expected: tuple[int, int] | None
) -> None:
    assert sizes(points, 3) == expected


@pytest.fixture(scope="module")
def nested() -> tuple[np.ndarray, np.ndarray]:
    """Three families of three groups of three, nine items each, in vectors and in layout."""
    return blobs([9] * 27, dimension=60, spread=0.3), _nested_places()


def _nested_places() -> np.ndarray:
    corners = np.array([[0, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 1, 0, 0, 0]])
    layout = np.stack(
        [
            100 * corners[family] + 15 * corners[group] + 2 * corners[part]
            for family in range(3)
            for group in range(3)
            for part in range(3)
        ]
    )
    return np.repeat(layout, 9, axis=0) + 0.1 * np.random.default_rng(1).normal(size=(243, 5))


@pytest.mark.parametrize(("max_depth", "leaves"), [(0, 1), (1, 3), (2, 9), (3, 27), (7, 27)])
def test_each_level_divides_the_topics_of_the_one_above_and_there_are_three(
    nested: tuple[np.ndarray, np.ndarray], max_depth: int, leaves: int
) -> None:
    tree = grow(space_of(*nested), max_depth=max_depth)
    check_parts(tree.root)
    found = [topic for topic in tree.root.walk() if not topic.children]
    assert [len(topic.points) for topic in found] == [243 // leaves] * leaves
    assert {topic.method for topic in tree.root.walk() if topic.children} <= {"hdbscan"}


def test_topics_that_are_too_small_for_a_level_say_so() -> None:
    layout = places([60, 60])
    notes = [topic.note for topic in grow(space_of(blobs([60, 60]), layout), max_depth=1).root.children]
    assert len(notes) == 2
    unclear = grow(space_of(blobs([40]), places([40])), max_depth=3).root
    assert unclear.note == "not divided: no clusters of 50 or more"
    few = grow(space_of(blobs([19]), places([19])), max_depth=3).root
    assert few.note == "not divided: distinct items 19, a division needs 20"


def test_items_between_the_clusters_go_on_in_the_most_similar_one_and_are_remembered() -> None:
    points = np.concatenate([blobs([60, 60], spread=0.3), blobs([0, 1], spread=0.0)])
    layout = np.concatenate([places([60, 60]), np.full((1, 5), -40.0)])
    tree = grow(space_of(points, layout), max_depth=1)
    assert 120 in tree.root.left_out
    (home,) = (child for child in tree.root.children if 120 in child.points)
    assert home.points.tolist() == list(range(60, 121))
    assert tree.membership is not None
    assert tree.membership[120] == 0
    assert tree.membership[:120].max() == 1


def test_a_topic_without_three_levels_ends_above() -> None:
    tree = grow(space_of(blobs([60, 70]), places([60, 70], spread=0.5)), max_depth=3)
    deepest: list[Topic] = [topic for topic in tree.root.walk() if not topic.children]
    assert all(topic.note.startswith("not divided") for topic in deepest)
