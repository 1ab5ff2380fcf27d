"""Silhouettes against scikit-learn's, which compares all pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics.silhouettes import mean_silhouette, mean_vectors


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


def test_items_outside_every_cluster_do_not_count() -> None:
    vectors = np.eye(4)[[0, 0, 1, 1, 3]]
    assert mean_silhouette(vectors, np.array([0, 0, 1, 1, -1])) == pytest.approx(1)
