import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.opinions import kmeans as module
from clustering_platform.opinions.kmeans import kmeans, nearest


def points(*pairs: tuple[float, float]) -> np.ndarray:
    return np.array(pairs, float)


def test_the_first_distinct_points_are_the_first_centres_and_number_the_clusters():
    labels, centres = kmeans(points((9, 0), (9, 0), (0, 0), (9.5, 0), (0.5, 0)), k=2)
    assert labels.tolist() == [0, 0, 1, 0, 1]
    assert centres.tolist() == [[27.5 / 3, 0], [0.25, 0]]


def test_fewer_distinct_points_than_clusters_give_fewer_clusters():
    labels, centres = kmeans(points((1, 1), (0, 0), (1, 1)), k=5)
    assert labels.tolist() == [0, 1, 0]
    assert centres.tolist() == [[1, 1], [0, 0]]


def test_a_weight_of_three_is_three_points_at_one_place():
    place, weights = points((0, 0), (1, 0), (5, 0), (6, 2), (2, 1)), np.array([3, 1, 2, 1, 4])
    labels, centres = kmeans(place, k=2, weights=weights)
    repeated, expected = kmeans(np.repeat(place, weights, axis=0), k=2)
    assert np.repeat(labels, weights).tolist() == repeated.tolist()
    assert centres == pytest.approx(expected)


def test_a_point_between_two_centres_belongs_to_the_first():
    assert nearest(points((1, 0)), points((2, 0), (0, 0))).tolist() == [0]


def test_clusters_left_empty_are_dropped():
    place = points((0, 0), (1, 0), (2, 0))
    labels, centres = kmeans(place, k=3, start=points((0, 0), (50, 0), (2, 0)), max_steps=0)
    assert labels.tolist() == [0, 0, 1]
    assert centres.tolist() == [[0.5, 0], [2, 0]]


def test_steps_end_when_no_centre_moves_by_the_tolerance():
    line = np.column_stack([np.arange(400.0), np.zeros(400)])
    _, coarse = kmeans(line, k=2, tolerance=50)
    _, fine = kmeans(line, k=2, tolerance=0.01)
    assert abs(fine - [[99.5, 0], [299.5, 0]]).max() < abs(coarse - [[99.5, 0], [299.5, 0]]).max()
    _, stopped = kmeans(line, k=2, max_steps=0)
    assert stopped.tolist() == [[0, 0], [200, 0]]


def test_the_first_centres_can_be_given():
    place = points((0, 0), (1, 0), (9, 0), (10, 0))
    labels, centres = kmeans(place, k=2, start=points((20, 0), (-5, 0)))
    assert labels.tolist() == [1, 1, 0, 0]
    assert centres.tolist() == [[9.5, 0], [0.5, 0]]


@pytest.mark.parametrize("k", [2, 7, 40])
def test_a_search_with_bounds_finds_what_one_without_finds(k: int, monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(k)
    for place in (rng.normal(size=(900, 2)), rng.standard_cauchy((900, 2)), rng.integers(0, 9, (900, 2)) * 1.0):
        monkeypatch.setattr(module, "BOUNDS_FROM", 10**9)
        expected = kmeans(place, k=k, tolerance=0)
        monkeypatch.setattr(module, "BOUNDS_FROM", 0)
        for ours, theirs in zip(kmeans(place, k=k, tolerance=0), expected, strict=True):
            assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("n_points", [1, 30, 3000])
def test_points_at_one_place_are_one_cluster(n_points: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "BOUNDS_FROM", 0)
    labels, centres = kmeans(np.full((n_points, 2), 0.1), k=5)
    assert labels.tolist() == [0] * n_points
    assert centres == pytest.approx(np.array([[0.1, 0.1]]))


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=40), st.integers(1, 6))
def test_centres_are_the_means_of_their_points_and_every_cluster_has_some(pairs: list[tuple[int, int]], k: int):
    place = points(*pairs)
    labels, centres = kmeans(place, k=k)
    assert set(labels.tolist()) == set(range(len(centres)))
    for cluster, centre in enumerate(centres):
        assert centre == pytest.approx(place[labels == cluster].mean(axis=0))


def test_the_size_of_blocks_does_not_matter(monkeypatch: pytest.MonkeyPatch):
    place = np.random.default_rng(0).normal(size=(100, 2))
    expected = kmeans(place, k=7)
    monkeypatch.setattr(module, "POINTS_AT_A_TIME", 9)
    for ours, theirs in zip(kmeans(place, k=7), expected, strict=True):
        assert ours.tobytes() == theirs.tobytes()
