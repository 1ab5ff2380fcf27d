"""Communities of a graph, and the agreement of partitions."""

import subprocess
import sys

import numpy as np
import pytest

from clustering_platform.semantics.communities import agreement_graph, communities
from clustering_platform.semantics.neighbours import jaccard_graph
from clustering_platform_tests.semantics.planted import all_neighbours, are_same, blobs, labels_of

SIZES = [10, 40, 25]


def found(resolution: float = 1.0, *, spread: float = 0.5) -> np.ndarray:
    graph = jaccard_graph(all_neighbours(blobs(SIZES, spread=spread)).nearest(8))
    return communities(graph, resolution=resolution, seed=1)


def test_planted_groups_are_found_and_the_largest_comes_first() -> None:
    assert are_same(found(0.5), labels_of(SIZES))
    assert np.bincount(found(0.5)).tolist() == [40, 25, 10]


def test_a_larger_resolution_finds_more_and_smaller_ones() -> None:
    counts = [found(resolution).max() + 1 for resolution in (0.5, 2, 8)]
    assert counts == sorted(set(counts))


def test_two_runs_and_two_processes_give_the_same_labels() -> None:
    code = (
        "from clustering_platform_tests.semantics.test_communities import found\nprint(found(2.0, spread=2.0).tolist())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert other.stdout.strip() == str(found(2.0, spread=2.0).tolist()) == str(found(2.0, spread=2.0).tolist())


def test_agreement_is_the_weighted_share_of_partitions_that_hold_both_ends_together() -> None:
    import scipy.sparse as sp

    graph = sp.csr_array(np.array([[0, 0.9, 0.2], [0.9, 0, 0.1], [0.2, 0.1, 0]]))
    partitions = np.array([[0, 0, 0], [0, 0, 1], [1, 0, 0]])
    weights = np.array([0.5, 0.3, 0.2])
    together = agreement_graph(graph, partitions, weights).toarray()
    shares = {(0, 1): 0.8, (0, 2): 0.5, (1, 2): 0.7}
    for (one, other), share in shares.items():
        assert together[one, other] == together[other, one] == pytest.approx(0.01 + 0.99 * share)


def test_agreement_keeps_what_is_joined_and_joins_nothing_else() -> None:
    graph = jaccard_graph(all_neighbours(blobs([12, 12])).nearest(4))
    apart = np.arange(24)[None]
    agreement = agreement_graph(graph, apart, np.ones(1))
    np.testing.assert_array_equal(agreement.toarray() > 0, graph.toarray() > 0)
    np.testing.assert_allclose(agreement.data, 0.01)
