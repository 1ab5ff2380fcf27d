"""Stability, thresholds, confidence and the quality of a partition, against the plain definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics import topic_measures as module
from clustering_platform.semantics.topic_measures import confidence, quality, stability, threshold
from clustering_platform_tests.semantics.planted import blobs, labels_of, random_vectors, unit

ROOT_AND_TWO_LEAVES = np.array([[True, True], [True, False], [False, True]])
LEAVES = np.array([0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize(
    ("partition", "expected"),
    [
        ([0, 0, 0, 1, 1, 1], [1, 1, 1]),
        ([4, 4, 2, 0, 1, 3], [1, 1, 1]),
        ([0, 0, 0, 0, 0, 0], [1, 0, 0]),
        ([0, 0, 0, 0, 1, 1], [1, 3 / 4, 2 / 3]),
        ([0, 1, 2, 0, 1, 2], [1, 0, 0]),
    ],
    ids=["the same", "finer", "coarser", "one point elsewhere", "across"],
)
def test_a_topic_is_stable_where_a_partition_holds_it_or_refines_it(
    partition: list[int], expected: list[float]
) -> None:
    assert stability(ROOT_AND_TWO_LEAVES, LEAVES, np.array([partition])) == pytest.approx(expected)


def test_stability_is_the_mean_over_partitions() -> None:
    partitions = np.array([[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]])
    assert stability(ROOT_AND_TWO_LEAVES, LEAVES, partitions) == pytest.approx([1, 7 / 12, 5 / 9])


@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 6), st.integers(0, 1000))
def test_stability_is_the_mean_jaccard_similarity_with_what_lies_mostly_inside(
    points: int, leaves: int, clusters: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    leaf_of = np.concatenate([np.arange(leaves), random.integers(0, leaves, points)])
    partitions = random.integers(0, clusters, (3, points + leaves))
    is_in = np.concatenate([np.ones((1, leaves), bool), np.eye(leaves, dtype=bool)])
    expected = []
    for topic in is_in:
        inside = set(np.flatnonzero(topic[leaf_of]).tolist())
        found = []
        for labels in partitions:
            parts = [set(np.flatnonzero(labels == label).tolist()) for label in range(clusters)]
            union = set().union(*(part for part in parts if 2 * len(part & inside) > len(part)))
            found.append(len(union & inside) / len(union | inside))
        expected.append(np.mean(found))
    assert stability(is_in, leaf_of, partitions) == pytest.approx(expected)


@given(st.integers(2, 40), st.integers(2, 8), st.integers(0, 1000))
def test_the_threshold_compares_each_point_with_the_centroid_of_the_others(count: int, axes: int, seed: int) -> None:
    vectors = unit(random_vectors(count, dimension=axes, seed=seed) + np.eye(axes)[0])
    similarity = []
    for row in range(count):
        others = np.delete(vectors, row, axis=0).sum(axis=0, dtype=np.float64)
        similarity.append(vectors[row] @ others / np.linalg.norm(others))
    assert threshold(vectors) == pytest.approx(np.percentile(similarity, 5), abs=1e-4)


def test_a_topic_of_one_point_takes_in_only_its_like() -> None:
    assert threshold(np.eye(1, 4, dtype=np.float32)) == 1


@given(st.integers(1, 6), st.integers(0, 100))
def test_confidence_is_the_softmax_of_the_similarities(topics: int, seed: int) -> None:
    from scipy.special import softmax

    vectors, centroids = random_vectors(9, dimension=6, seed=seed), random_vectors(topics, dimension=6, seed=seed)
    expected = softmax((vectors @ centroids.T).astype(np.float64) / 0.05, axis=1)
    for label in range(topics):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_BLOCK", 4)
            found = confidence(vectors, centroids.astype(np.float64), np.full(9, label))
        np.testing.assert_allclose(found, expected[:, label], rtol=1e-3, atol=1e-9)


@given(st.integers(2, 6), st.integers(0, 100))
def test_quality_is_that_of_the_plain_definitions(count: int, seed: int) -> None:
    from sklearn.metrics import davies_bouldin_score, silhouette_score

    vectors = blobs([8] * count, spread=2.0, seed=seed)
    labels = labels_of([8] * count)
    found = quality(vectors, labels)
    centroids = unit(np.stack([vectors[labels == label].mean(axis=0) for label in range(count)]))
    assert found["silhouette"] == pytest.approx(silhouette_score(vectors, labels, metric="cosine"), abs=1e-5)
    assert found["davies_bouldin"] == pytest.approx(davies_bouldin_score(vectors, labels), abs=1e-5)
    assert found["cohesion"] == pytest.approx((vectors * centroids[labels]).sum(axis=1).mean(), abs=1e-5)


def test_one_topic_is_told_apart_from_nothing() -> None:
    found = quality(blobs([10]), labels_of([10]))
    assert found["silhouette"] is None
    assert found["davies_bouldin"] is None
    assert found["cohesion"] is not None
    assert found["cohesion"] > 0.8
