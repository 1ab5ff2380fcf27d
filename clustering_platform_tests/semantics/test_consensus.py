"""Topics that ways of clustering agree on, and the scale that is chosen."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics.consensus import (
    Candidate,
    best_candidate,
    candidates,
    graph_partitions,
    usual_resolution,
    widest_neighbourhood,
    widths,
)
from clustering_platform.semantics.silhouettes import mean_silhouette
from clustering_platform_tests.semantics.planted import all_neighbours, are_same, blobs, labels_of

MIXTURES = [[30, 30, 30], [12, 25, 60], [40] * 8, [10, 15, 25, 40, 80]]


@given(st.integers(20, 200_000))
def test_neighbourhoods_are_tried_from_narrow_to_wide_and_one_beyond_5000_points(points: int) -> None:
    tried = widths(points)
    assert all(4 <= width <= 25 for width in tried)
    assert all(narrow < wide for narrow, wide in pairwise(tried))
    assert len(tried) == 1 or points <= 5000
    assert widest_neighbourhood(points) == max(3, round(1.6 * tried[-1]))


@pytest.mark.parametrize(
    ("points", "expected"), [(20, [4]), (100, [5, 7, 10]), (1000, [10, 18, 25]), (5000, [17, 25]), (5001, [25])]
)
def test_widths_are_powers_of_the_number_of_points(points: int, expected: list[int]) -> None:
    assert widths(points) == expected


def test_the_usual_resolution_grows_by_one_with_every_tenfold() -> None:
    assert [usual_resolution(points) for points in (20, 100, 1000, 100_000)] == pytest.approx([1, 1, 2, 4])


@pytest.mark.parametrize("sizes", MIXTURES, ids=str)
def test_planted_mixtures_are_found_without_their_number(sizes: list[int]) -> None:
    from sklearn.metrics import adjusted_mutual_info_score

    points = blobs(sizes, spread=0.7)
    best = best_candidate(list(candidates(points, all_neighbours(points), seed=1)))
    assert adjusted_mutual_info_score(labels_of(sizes), best.labels) > 0.95
    assert len(sizes) <= best.topics <= len(sizes) + 1


def test_each_width_is_tried_at_three_resolutions_or_at_the_one_given() -> None:
    points = blobs([20, 20, 20], spread=1.0)
    near = all_neighbours(points)
    tried = list(candidates(points, near, seed=1))
    assert [(one.width, one.resolution) for one in tried] == [
        (width, factor * usual_resolution(60)) for width in widths(60) for factor in (0.5, 1, 2)
    ]
    for one in tried:
        assert one.silhouette == pytest.approx(mean_silhouette(points, one.labels))
        assert one.partitions.shape == (9, 60)
        sizes = np.bincount(one.labels)
        assert sizes.min() > 0
        assert sizes.tolist() == sorted(sizes, reverse=True)
    given_one = list(candidates(points, near, resolution=3.0, seed=1))
    assert [(one.width, one.resolution) for one in given_one] == [(width, 3.0) for width in widths(60)]


def test_partitions_of_the_graph_are_the_same_each_time_and_some_are_finer_than_others() -> None:
    near = all_neighbours(blobs([30, 30, 30], spread=1.0))
    found, again = (graph_partitions(near, width=8, resolution=1.0, seed=1) for _ in range(2))
    np.testing.assert_array_equal(found, again)
    counts = (found.max(axis=1) + 1).reshape(3, 3)
    assert (counts[:, 2] > counts[:, 0]).all()


def test_the_order_of_points_does_not_change_what_is_found() -> None:
    points = blobs([12, 25, 60], spread=0.7)
    shuffled = np.random.default_rng(1).permutation(len(points))
    one, other = (
        best_candidate(list(candidates(some, all_neighbours(some), seed=1))) for some in (points, points[shuffled])
    )
    assert are_same(one.labels[shuffled], other.labels)


def candidate(silhouette: float, topics: int, width: int = 10) -> Candidate:
    return Candidate(width, 1.0, np.arange(topics), silhouette, np.zeros((9, topics), np.int64))


def test_the_largest_silhouette_is_best() -> None:
    found = [candidate(0.20, 5), candidate(0.31, 9), candidate(0.30, 4)]
    assert best_candidate(found) is found[1]


def test_of_nearly_equal_silhouettes_the_most_topics_are_best_and_of_these_the_narrowest() -> None:
    found = [candidate(0.310, 4), candidate(0.306, 9, 18), candidate(0.305, 9, 11), candidate(0.303, 20)]
    assert best_candidate(found) is found[2]
