"""Nearest neighbours against all pairs, and the graph they make against sets."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics import neighbours as module
from clustering_platform.semantics.neighbours import Neighbours, jaccard_graph, nearest_neighbours
from clustering_platform_tests.semantics.planted import Floats, blobs, random_vectors


@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 64), st.integers(0, 100))
def test_they_are_the_most_similar_others_whatever_the_size_of_a_block(
    count: int, wanted: int, block: int, seed: int
) -> None:
    points = random_vectors(count, dimension=8, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", block)
        found = nearest_neighbours(points, wanted, seed=1)
    similarity = points @ points.T
    np.fill_diagonal(similarity, -np.inf)
    expected = np.argsort(-similarity, axis=1, kind="stable")[:, : min(wanted, count - 1)]
    assert len(found) == count
    np.testing.assert_array_equal(found.rows, expected)
    np.testing.assert_allclose(found.similarity, np.take_along_axis(similarity, expected, axis=1), atol=1e-6)


def test_ties_go_to_the_earlier_point() -> None:
    points = np.eye(5, dtype=np.float32)
    found = nearest_neighbours(points, 4, seed=1)
    assert found.rows.tolist() == [[row for row in range(5) if row != point] for point in range(5)]
    assert not found.similarity.any()


def test_a_narrower_neighbourhood_is_the_beginning_of_a_wide_one() -> None:
    found = nearest_neighbours(blobs([20, 20]), 12, seed=1)
    assert found.nearest(5).rows.tolist() == found.rows[:, :5].tolist()
    assert found.nearest(99).similarity.shape == (40, 12)


def test_beyond_the_exact_limit_they_come_from_a_search_without_the_point_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import pynndescent

    asked: dict[str, Any] = {}

    class Search:
        """Finds what there is to find, the point itself first."""

        def __init__(self, points: Floats, **settings: Any) -> None:
            asked.update(settings)
            distance = 1 - points @ points.T
            np.fill_diagonal(distance, 0)
            rows = np.argsort(distance, axis=1, kind="stable")[:, : settings["n_neighbors"]].astype(np.int32)
            self.neighbor_graph = rows, np.take_along_axis(distance, rows, axis=1)

    points = blobs([30, 30], spread=1.5)
    exact = nearest_neighbours(points, 15, seed=7)
    monkeypatch.setattr(module, "EXACT_UP_TO", 59)
    monkeypatch.setattr(pynndescent, "NNDescent", Search)
    found = nearest_neighbours(points, 15, seed=7)
    assert asked == {"metric": "cosine", "n_neighbors": 16, "random_state": 7, "n_jobs": 1}
    np.testing.assert_array_equal(found.rows, exact.rows)
    np.testing.assert_allclose(found.similarity, exact.similarity, atol=1e-6)


def test_a_point_that_is_missing_from_its_own_neighbours_loses_the_farthest() -> None:
    rows = np.array([[0, 1, 2], [0, 2, 1], [0, 1, 3]], np.int32)
    distance = np.array([[0, 0.1, 0.2], [0.1, 0.3, 0.4], [0.1, 0.2, 0.5]], np.float32)
    found = module._without_self(rows, distance, count=2)
    assert found.rows.tolist() == [[1, 2], [0, 2], [0, 1]]
    np.testing.assert_allclose(found.similarity, [[0.9, 0.8], [0.9, 0.7], [0.9, 0.8]], atol=1e-6)


@given(st.integers(2, 30), st.integers(1, 8), st.integers(1, 40), st.integers(0, 1000))
def test_the_graph_joins_neighbours_by_what_their_neighbourhoods_share(
    count: int, wanted: int, at_once: int, seed: int
) -> None:
    found = nearest_neighbours(random_vectors(count, dimension=5, seed=seed), wanted, seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_EDGES_AT_ONCE", at_once)
        graph = jaccard_graph(found).toarray()
    around = [{point, *row} for point, row in enumerate(found.rows.tolist())]
    expected = np.zeros((count, count))
    for one in range(count):
        for other in set(range(count)) - {one}:
            if other in around[one] or one in around[other]:
                shared = len(around[one] & around[other])
                expected[one, other] = shared / len(around[one] | around[other])
    np.testing.assert_allclose(graph, expected, atol=1e-6)
    np.testing.assert_array_equal(graph, graph.T)


def test_one_point_has_no_neighbours_and_an_empty_graph() -> None:
    found = nearest_neighbours(np.eye(1, 4, dtype=np.float32), 10, seed=1)
    assert found.rows.shape == (1, 0)
    assert jaccard_graph(found).nnz == 0


def test_points_of_two_far_groups_are_not_joined() -> None:
    graph = jaccard_graph(Neighbours(np.array([[1, 2], [0, 2], [0, 1], [4, 5], [3, 5], [3, 4]], np.int32), np.empty(0)))
    assert graph[:3, 3:].nnz == 0
    assert graph[:3, :3].toarray().tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
