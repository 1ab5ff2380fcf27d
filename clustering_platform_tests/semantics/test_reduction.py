"""Distinct vectors, and layouts in few dimensions."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics.reduction import (
    distinct_rows,
    graph_layout,
    neighbour_count,
    on_one_thread,
    principal_layout,
)
from clustering_platform_tests.semantics.planted import all_neighbours, blobs, labels_of, random_vectors


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_distinct_rows_do_not_depend_on_order_or_copies(chosen: list[int], shuffler: object) -> None:
    vectors = random_vectors(6, dimension=4)
    rows, place = distinct_rows(vectors[chosen])
    np.testing.assert_array_equal(rows[place], vectors[chosen])
    shuffled = sorted(set(chosen))
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random of hypothesis
    np.testing.assert_array_equal(distinct_rows(vectors[shuffled])[0], rows)


@pytest.mark.parametrize(("points", "expected"), [(10, 5), (49, 7), (225, 15), (90_000, 15)])
def test_umap_looks_at_the_square_root_of_the_points_as_neighbours(points: int, expected: int) -> None:
    assert neighbour_count(points) == expected


def test_a_layout_from_neighbours_keeps_groups_apart_without_a_warning_and_is_the_same_each_time() -> None:
    import umap  # noqa: F401  # warns of what else could be installed

    sizes = [25, 30, 20]
    points = blobs(sizes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, other = (graph_layout(points, all_neighbours(points).nearest(8), seed=3) for _ in range(2))
    assert one.shape == (75, 5)
    np.testing.assert_array_equal(one, other)
    centres = np.stack([one[labels_of(sizes) == label].mean(axis=0) for label in range(3)])
    nearest = np.linalg.norm(one[:, None] - centres, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, labels_of(sizes))


def test_principal_axes_come_by_length_and_missing_ones_are_zero() -> None:
    points = np.array([[0, 0, 0], [4, 0, 0], [0, 1, 0], [4, 1, 0]], np.float32)
    layout = principal_layout(points, dimensions=5)
    np.testing.assert_allclose(layout[:, 0], [-2, 2, -2, 2], atol=1e-6)
    np.testing.assert_allclose(layout[:, 1], [-0.5, -0.5, 0.5, 0.5], atol=1e-6)
    np.testing.assert_allclose(layout[:, 2:], 0, atol=1e-6)


def test_loops_of_scikit_learn_use_one_thread_and_others_are_left_alone() -> None:
    import sklearn.cluster  # noqa: F401  # loads what is looked at
    from threadpoolctl import threadpool_info

    def threads(kind: str) -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == kind]

    before = threads("openmp"), threads("blas")
    with on_one_thread():
        assert set(threads("openmp")) == {1}
        assert threads("blas") == before[1]
    assert (threads("openmp"), threads("blas")) == before
