"""Levels above topics: few enough to read, nested, and nothing lost."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics.gathering import MOST_CHILDREN, gather, level_counts, linkage_of
from clustering_platform.semantics.tree import Topic
from clustering_platform_tests.semantics.planted import check_parts, random_vectors, unit


@given(st.integers(1, 5000), st.integers(0, 6))
def test_levels_are_added_only_where_a_list_is_too_long_and_each_is_finer_than_the_one_above(
    topics: int, levels: int
) -> None:
    counts = level_counts(topics, levels=levels)
    assert len(counts) <= max(levels - 1, 0)
    assert (counts == []) == (topics <= MOST_CHILDREN or levels < 2)
    steps = [later / earlier for earlier, later in pairwise([1, *counts, topics])]
    if counts:
        assert min(steps) >= 3
    if counts and levels >= 5:
        assert max(steps) <= 9


@pytest.mark.parametrize(
    ("topics", "levels", "expected"),
    [(12, 3, []), (13, 3, [4]), (120, 3, [5, 24]), (120, 2, [11]), (120, 1, []), (600, 3, [8, 71])],
)
def test_levels_are_about_equally_wide(topics: int, levels: int, expected: list[int]) -> None:
    assert level_counts(topics, levels=levels) == expected


def topics_of(count: int) -> list[Topic]:
    return [Topic(np.arange(3 * number, 3 * number + 3)) for number in range(count)]


def depth_of(topic: Topic) -> int:
    return 1 + max(map(depth_of, topic.children)) if topic.children else 0


@given(st.integers(2, 150), st.integers(1, 5), st.integers(0, 50))
def test_every_topic_is_a_leaf_once_and_no_group_has_one_child(count: int, levels: int, seed: int) -> None:
    topics = topics_of(count)
    gathered = gather(topics, linkage_of(random_vectors(count, dimension=6, seed=seed).astype(float)), levels=levels)
    root = Topic(np.arange(3 * count), children=gathered)
    check_parts(root)
    assert {id(one) for one in root.walk() if not one.children} == {id(topic) for topic in topics}
    assert 2 <= depth_of(root) + 1 <= levels + 1
    assert {one.method for one in root.walk() if one.children and one is not root} <= {"ward"}
    if count <= MOST_CHILDREN:
        assert gathered == topics


def test_topics_that_are_alike_are_put_together() -> None:
    families = np.repeat(np.arange(5), 6)
    noise = 0.1 * np.random.default_rng(1).normal(size=(30, 20))
    centroids = unit(np.eye(20)[families] + noise).astype(float)
    topics = topics_of(30)
    gathered = gather(topics, linkage_of(centroids), levels=2)
    assert len(gathered) == 5
    found = [{int(families[topics.index(leaf)]) for leaf in group.children} for group in gathered]
    assert sorted(map(sorted, found)) == [[0], [1], [2], [3], [4]]
    assert {group.note for group in gathered} == {"6 topics, gathered in 6"}


@given(st.integers(13, 150), st.integers(2, 5), st.integers(0, 50))
def test_the_first_level_has_the_number_of_groups_that_is_wanted(count: int, levels: int, seed: int) -> None:
    merges = linkage_of(random_vectors(count, dimension=6, seed=seed).astype(float))
    assert len(gather(topics_of(count), merges, levels=levels)) == level_counts(count, levels=levels)[0]
