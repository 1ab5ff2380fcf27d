import numpy as np
import pytest

from clustering_platform.opinions.silhouette import mean_silhouette


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_usual_silhouette(seed: int):
    from sklearn.metrics import silhouette_score

    rng = np.random.default_rng(seed)
    points, labels = rng.normal(size=(40, 2)), rng.integers(0, 4, 40).astype(np.int32)
    assert mean_silhouette(points, labels) == pytest.approx(silhouette_score(points, labels))


def test_a_point_alone_in_its_cluster_scores_zero():
    points = np.array([[0.0, 0], [1, 0], [9, 0]])
    expected = ((9 - 1) / 9 + (8 - 1) / 8 + 0) / 3
    assert mean_silhouette(points, np.array([0, 0, 1], np.int32)) == pytest.approx(expected)


def test_clusters_at_one_place_score_zero():
    assert mean_silhouette(np.zeros((4, 2)), np.array([0, 0, 1, 1], np.int32)) == 0
