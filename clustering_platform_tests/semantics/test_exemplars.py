"""Central and diverse exemplars."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics.exemplars import central, diverse
from clustering_platform_tests.semantics.planted import Floats, blobs, random_vectors


def to_centroid(vectors: Floats) -> np.ndarray:
    mean = vectors.mean(axis=0, dtype=np.float64)
    return vectors @ (mean / np.linalg.norm(mean))


def covered(vectors: Floats, chosen: object) -> float:
    """Return the sum, over all vectors, of the similarity to the nearest of the chosen ones, plus one."""
    return float((vectors @ vectors[chosen].T).max(axis=1).sum()) + len(vectors)  # type: ignore[index]


def test_central_ones_are_most_similar_to_the_centroid_and_ties_go_by_row() -> None:
    assert central(np.array([0.3, 0.9, 0.5, 0.9, 0.9]), 3).tolist() == [1, 3, 4]
    assert central(np.array([0.3, 0.9])).tolist() == [1, 0]


@given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 300))
def test_diverse_ones_cover_a_small_topic_nearly_as_well_as_the_best_choice(count: int, wanted: int, seed: int) -> None:
    vectors = random_vectors(count, dimension=3, seed=seed)
    chosen = diverse(vectors, to_centroid(vectors), wanted)
    assert len(chosen) == len(set(chosen.tolist())) == min(count, wanted)
    best = max(covered(vectors, list(some)) for some in combinations(range(count), min(count, wanted)))
    assert covered(vectors, chosen) >= (1 - 1 / np.e) * best - 1e-6


@given(st.integers(1, 40), st.integers(0, 100))
def test_the_first_diverse_one_is_the_most_similar_to_all(count: int, seed: int) -> None:
    vectors = random_vectors(count, dimension=4, seed=seed)
    first = int(diverse(vectors, to_centroid(vectors), 1)[0])
    sums = (vectors @ vectors.T).sum(axis=1)
    assert sums[first] == pytest.approx(sums.max(), abs=1e-4)


def test_each_part_of_a_topic_has_a_diverse_exemplar_though_one_part_holds_the_centre() -> None:
    sizes = [60, 10, 8]
    vectors = blobs(sizes, spread=0.3)
    part_of = np.repeat([0, 1, 2], sizes)
    similarity = to_centroid(vectors)
    assert set(part_of[central(similarity)]) == {0}
    assert set(part_of[diverse(vectors, similarity, 3)]) == {0, 1, 2}


def test_of_a_large_topic_300_points_are_considered_from_the_centre_to_the_edge() -> None:
    vectors = blobs([2000], spread=1.0)
    similarity = to_centroid(vectors)
    chosen = diverse(vectors, similarity)
    ranked = central(similarity, 2000)
    considered = ranked[np.unique(np.linspace(0, 1999, 300).astype(int))]
    assert len(chosen) == 5
    assert set(chosen.tolist()) <= set(considered.tolist())
