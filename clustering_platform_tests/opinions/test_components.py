import numpy as np
import pytest

from clustering_platform.opinions import components as module
from clustering_platform.opinions import threads
from clustering_platform.opinions.components import (
    DENSE_LIMIT,
    item_means,
    principal_components,
    project,
)
from clustering_platform.opinions.matrix import VoteMatrix
from clustering_platform_tests.opinions.tables import matrix_of

SHAPES = [(12, 8), (8, 12), (DENSE_LIMIT + 200, DENSE_LIMIT + 60), (DENSE_LIMIT + 60, DENSE_LIMIT + 200)]


def random_votes(shape: tuple[int, int], *, missing: float) -> np.ndarray:
    """Return votes that lean along two axes, nan where missing."""
    rng = np.random.default_rng(7)
    leaning = rng.normal(size=(shape[0], 2)) @ rng.normal(size=(2, shape[1])) + rng.normal(size=shape)
    return np.where(rng.random(shape) < missing, np.nan, np.sign(leaning))


def camps(n_voters: int, n_items: int, *, share: float = 0.2) -> np.ndarray:
    """Return the votes of three camps, nan where missing."""
    rng = np.random.default_rng(11)
    leaning = rng.choice([-1.0, 1.0], (3, n_items))[rng.choice(3, n_voters, p=[0.5, 0.3, 0.2])]
    votes = np.where(rng.random(leaning.shape) < 0.3, rng.integers(-1, 2, leaning.shape), leaning)
    return np.where(rng.random(leaning.shape) < share, votes, np.nan)


def two_camps(shape: tuple[int, int]) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.where(rng.random((shape[0], 1)) < 0.4, 1.0, -1.0) * np.where(rng.random((1, shape[1])) < 0.5, 1.0, -1.0)


def filled(votes: np.ndarray) -> np.ndarray:
    """Return votes less the mean of their column, 0 where missing."""
    return np.nan_to_num(votes - np.nanmean(votes, axis=0))


def components_of(matrix: VoteMatrix) -> np.ndarray:
    return principal_components(matrix, item_means(matrix))


def sines(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return the sine of the angle between each two components."""
    return np.linalg.norm(ours - (ours * theirs).sum(axis=1, keepdims=True) * theirs, axis=1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("missing", [0, 0.5])
def test_components_are_those_of_the_matrix_filled_with_means(shape: tuple[int, int], missing: float):
    votes = random_votes(shape, missing=missing)
    expected = np.linalg.svd(filled(votes))[2][:2]
    assert sines(components_of(matrix_of(votes)), expected).max() < 1e-12


@pytest.mark.parametrize("shape", SHAPES)
def test_votes_without_any_structure_have_components_too(shape: tuple[int, int]):
    votes = np.random.default_rng(2).integers(-1, 2, shape).astype(float)
    expected = np.linalg.svd(filled(votes))[2][:2]
    assert sines(components_of(matrix_of(votes)), expected).max() < 1e-10


@pytest.mark.parametrize("shape", SHAPES)
def test_a_voter_who_weighs_two_counts_as_two(shape: tuple[int, int]):
    votes = random_votes(shape, missing=0.3)
    times = np.random.default_rng(1).integers(0, 3, len(votes))
    matrix, drawn = matrix_of(votes), matrix_of(votes.repeat(times, axis=0))
    means = item_means(matrix, times=times)
    assert means == pytest.approx(item_means(drawn))
    ours = principal_components(matrix, means, weights=times.astype(float))
    assert sines(ours, components_of(drawn)).max() < 1e-12


@pytest.mark.parametrize("shape", SHAPES)
def test_a_matrix_of_rank_one_has_one_component(shape: tuple[int, int]):
    matrix = matrix_of(two_camps(shape))
    components = components_of(matrix)
    assert np.linalg.norm(components, axis=1) == pytest.approx([1, 0])
    assert components_of(matrix).tobytes() == components.tobytes()


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (1, 3), *SHAPES])
@pytest.mark.parametrize("vote", [1, np.nan])
def test_a_matrix_without_variation_has_none(shape: tuple[int, int], vote: float):
    components = components_of(matrix_of(np.full(shape, vote)))
    assert components.shape == (2, shape[1])
    assert not components.any()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_largest_entry_of_a_component_is_positive_and_bytes_repeat(shape: tuple[int, int]):
    votes = np.random.default_rng(5).integers(-1, 2, shape).astype(float)
    components = components_of(matrix_of(votes))
    for component in components:
        assert component[np.abs(component).argmax()] > 0
    assert components_of(matrix_of(votes)).tobytes() == components.tobytes()
    assert np.array_equal(components_of(matrix_of(-votes)), components)


@pytest.mark.parametrize("share", [0.2, 0.02, 0.005], ids=["three camps", "few votes", "hardly a camp to be seen"])
def test_of_many_votes_the_components_turn_by_less_than_a_thousandth(share: float, monkeypatch: pytest.MonkeyPatch):
    matrix = matrix_of(camps(4000, 300, share=share))
    exact = components_of(matrix)
    monkeypatch.setattr(module, "EXACT_VOTES", 100)
    quick = components_of(matrix)
    assert 0 < sines(exact, quick).max() < 1e-3
    assert np.linalg.norm(quick, axis=1) == pytest.approx(1)


def test_parts_turn_the_components_by_rounding_errors_and_cores_not_at_all(monkeypatch: pytest.MonkeyPatch):
    matrix = matrix_of(camps(2000, 100))
    whole = components_of(matrix)
    monkeypatch.setattr(threads, "VOTES_IN_A_PART", 1000)
    in_parts = components_of(matrix)
    assert sines(whole, in_parts).max() < 1e-12
    for cores in (1, 2, 5):
        monkeypatch.setattr(threads, "cores", lambda cores=cores: cores)
        assert components_of(matrix).tobytes() == in_parts.tobytes()


def test_items_without_variation_have_entries_of_zero():
    votes = camps(500, 60)
    votes[:, [3, 40]] = 1
    assert np.flatnonzero(~components_of(matrix_of(votes)).any(axis=0)).tolist() == [3, 40]


def test_voters_are_projected_by_their_votes_less_the_means():
    votes = camps(300, 50)
    matrix = matrix_of(votes)
    components = components_of(matrix)
    products = project(matrix, means=item_means(matrix), components=components)
    assert products == pytest.approx(filled(votes) @ components.T)
