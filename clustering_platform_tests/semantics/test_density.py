"""Clusters by density, and the way home for the points between them."""

import numpy as np

from clustering_platform.semantics.density import density_clusters, send_home
from clustering_platform_tests.semantics.planted import are_same, blobs, labels_of, places

SIZES = [20, 30, 25]


def test_dense_places_become_clusters_and_no_point_is_left_over() -> None:
    vectors = np.concatenate([blobs(SIZES, spread=0.3), blobs([0, 0, 2], spread=0.0)])
    layout = np.concatenate([places(SIZES), [[50.0] * 5, [-50.0] * 5]])
    found = density_clusters(vectors, layout.astype(np.float32), smallest=10, neighbours=5)
    assert found is not None
    assert are_same(found.labels[:75], labels_of(SIZES))
    assert found.is_noise[75:].all()
    assert (found.labels[75:] == found.labels[74]).all()
    assert (found.membership[found.is_noise] == 0).all()
    assert ((found.membership[~found.is_noise] > 0) & (found.membership <= 1)[~found.is_noise]).all()


def test_one_cluster_is_no_division() -> None:
    assert density_clusters(blobs([40]), places([40]), smallest=10, neighbours=5) is None


def test_fewer_points_than_two_clusters_need_are_not_tried() -> None:
    assert density_clusters(blobs([10, 9]), places([10, 9]), smallest=10, neighbours=5) is None
    assert density_clusters(blobs([10, 10]), places([10, 10]), smallest=10, neighbours=5) is not None


def test_points_outside_join_the_cluster_of_the_most_similar_centroid() -> None:
    vectors = blobs([5, 5, 5], spread=0.2)
    labels = np.array([0, 0, -1, 0, 0, 1, 1, 1, -1, -1, 2, 2, 2, 2, -1])
    assert send_home(vectors, labels).tolist() == labels_of([5, 5, 5]).tolist()
    assert labels[2] == -1


def test_without_points_outside_nothing_changes() -> None:
    labels = labels_of([3, 4])
    np.testing.assert_array_equal(send_home(blobs([3, 4]), labels), labels)
