"""Silhouettes against scikit-learn's, which compares all pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics import silhouettes as module
from clustering_platform.semantics.silhouettes import mean_silhouette, mean_vectors, silhouettes, unit_rows


@given(st.integers(0, 10_000), st.integers(2, 5))
def test_it_is_the_silhouette_of_all_pairs(seed: int, count: int) -> None:
    from sklearn.metrics import silhouette_score

    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(30, 6)) + generator.normal(size=6)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = np.concatenate([np.arange(count), generator.integers(0, count, 30 - count)])
    expected = silhouette_score(vectors, labels, metric="cosine")
    assert mean_silhouette(vectors, labels) == pytest.approx(expected, abs=1e-9)


def test_clusters_beside_it_count_as_the_nearest_other() -> None:
    vectors = np.eye(4)[[0, 0, 1, 1, 2, 2]]
    labels = np.array([0, 0, 1, 1, 2, 2])
    others = mean_vectors(vectors, labels)[1:]
    alone = mean_silhouette(vectors[:2], labels[:2], others)
    assert alone == pytest.approx(1)
    assert mean_silhouette(vectors[:2], labels[:2]) == 0


@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 40))
def test_each_point_has_the_width_that_all_pairs_give_it_whatever_the_size_of_a_block(
    seed: int, count: int, block: int
) -> None:
    from sklearn.metrics import silhouette_samples

    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(30, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = np.concatenate([np.arange(count), generator.integers(0, count, 30 - count)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", block)
        found = silhouettes(vectors, labels)
    np.testing.assert_allclose(found, silhouette_samples(vectors, labels, metric="cosine"), atol=1e-9)


def test_one_cluster_with_nothing_beside_it_and_points_that_are_alone_have_width_zero() -> None:
    assert silhouettes(np.eye(3), np.zeros(3, np.int64)).tolist() == [0, 0, 0]
    assert silhouettes(np.eye(3)[[0, 0, 1]], np.array([0, 0, 1])).tolist() == [1, 1, 0]
    assert silhouettes(np.empty((0, 3)), np.empty(0, np.int64)).tolist() == []
    assert mean_silhouette(np.empty((0, 3)), np.empty(0, np.int64)) == 0


def test_means_leave_out_negative_labels_and_units_leave_zeros() -> None:
    vectors = np.array([[1.0, 0], [0, 1], [3, 4], [1, 0]])
    means = mean_vectors(vectors, np.array([0, 0, -1, 1]))
    assert means.tolist() == [[0.5, 0.5], [1, 0]]
    np.testing.assert_allclose(unit_rows(np.array([[3.0, 4], [0, 0]])), [[0.6, 0.8], [0, 0]])
