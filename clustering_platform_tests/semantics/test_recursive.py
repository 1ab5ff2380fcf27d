"""One division of a topic, and whether it is kept."""

import numpy as np
import pytest
from clustering_platform.semantics.division import divide
from numpy.typing import NDArray

from clustering_platform.semantics.reduction import umap_layout
from clustering_platform.semantics.silhouettes import mean_vectors


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def blobs(sizes: list[int], *, spread: float, dimension: int = 40) -> NDArray[np.float32]:
    generator = np.random.default_rng(1)
    centres = np.eye(dimension)[: len(sizes)]
    noise = generator.normal(size=(sum(sizes), dimension)) * spread / np.sqrt(dimension)
    return unit(np.repeat(centres, sizes, axis=0) + noise)


def layout_of(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return umap_layout(vectors, dimensions=5, spread=0.0, seed=1)


def test_clear_clusters_are_found() -> None:
    vectors = blobs([30, 25, 20], spread=0.5)
    division, gain = divide(vectors, layout_of(vectors), smallest=5, siblings=None, seed=1)
    assert division is not None
    assert division.method == "hdbscan"
    assert sorted(np.bincount(division.labels)) == [20, 25, 30]
    assert gain > 0.5


@pytest.mark.parametrize("count", [40, 100, 300])
def test_vectors_without_structure_are_not_divided(count: int) -> None:
    vectors = unit(np.random.default_rng(count).normal(size=(count, 384)))
    division, gain = divide(vectors, layout_of(vectors), smallest=5, siblings=None, seed=1)
    assert division is None
    assert gain < 0.035


def test_kmeans_steps_in_where_density_finds_nothing() -> None:
    vectors = blobs([30, 30], spread=0.5)
    division, _ = divide(vectors, np.zeros((60, 5), dtype=np.float32), smallest=5, siblings=None, seed=1)
    assert division is not None
    assert division.method == "kmeans"
    assert sorted(np.bincount(division.labels)) == [30, 30]


def test_kmeans_does_not_cut_up_small_subtopics() -> None:
    vectors = blobs([14, 14], spread=0.5)
    away = np.eye(40)[20:21]
    division, _ = divide(vectors, np.zeros((28, 5), dtype=np.float32), smallest=5, siblings=away, seed=1)
    assert division is None


def test_a_cluster_of_more_than_half_gives_way_to_its_own_clusters() -> None:
    vectors = blobs([12, 30, 30, 30], spread=0.5)
    generator = np.random.default_rng(2)
    corners = np.array([[60, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 3, 0, 0, 0], [0, 0, 3, 0, 0]])
    layout = np.repeat(corners, [12, 30, 30, 30], axis=0) + generator.normal(size=(102, 5)) * 0.2
    division, _ = divide(vectors, layout.astype(np.float32), smallest=5, siblings=None, seed=1)
    assert division is not None
    assert len(np.unique(division.labels[division.labels >= 0])) == 4


def test_items_between_clusters_join_the_one_they_are_like_and_stay_outside_otherwise() -> None:
    vectors = np.concatenate([blobs([30, 30], spread=0.3), unit(np.eye(40)[30:33]), unit(np.eye(40)[1:2])])
    generator = np.random.default_rng(2)
    between = np.array([[40, 0, 0, 0, 0], [0, 40, 0, 0, 0], [0, 0, 40, 0, 0], [0, 0, 0, 40, 0]])
    layout = np.concatenate([np.repeat([[0] * 5, [9] * 5], 30, axis=0), between]) + generator.normal(size=(64, 5)) * 0.2
    division, _ = divide(vectors, layout.astype(np.float32), smallest=5, siblings=None, seed=1)
    assert division is not None
    assert division.labels[60:63].tolist() == [-1, -1, -1]
    assert division.labels[63] == division.labels[59]


def test_dividing_one_topic_is_not_worth_it_when_its_parts_are_nearer_than_its_siblings() -> None:
    one = blobs([60], spread=1.0)
    siblings = mean_vectors(blobs([30, 30, 30], spread=0.5), np.repeat([0, 1, 2], 30))[1:]
    layout = np.repeat(np.eye(5), 12, axis=0) * 9 + np.random.default_rng(3).normal(size=(60, 5)) * 0.1
    division, gain = divide(one, layout.astype(np.float32), smallest=5, siblings=siblings, seed=1)
    assert division is None
    assert gain <= 0.05
