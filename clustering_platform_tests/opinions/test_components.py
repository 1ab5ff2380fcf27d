from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from clustering_platform.datasets import OpinionsConfig
from clustering_platform.opinions import blocks
from clustering_platform.opinions import components as module
from clustering_platform.opinions.components import (
    DENSE_LIMIT,
    item_means,
    principal_components,
    project,
    residual,
)
from clustering_platform.opinions.matrix import build_vote_matrix, read_vote_matrix
from clustering_platform_tests.opinions.tables import DAY, one_vote_each

SHAPES = [(12, 8), (8, 12), (DENSE_LIMIT + 200, DENSE_LIMIT + 60), (DENSE_LIMIT + 60, DENSE_LIMIT + 200)]


def random_votes(shape: tuple[int, int], *, missing: float) -> list[list[int | None]]:
    rng = np.random.default_rng(7)
    leaning = rng.normal(size=(shape[0], 2)) @ rng.normal(size=(2, shape[1])) + rng.normal(size=shape)
    votes = np.sign(leaning).astype(int)
    return [[None if rng.random() < missing else int(vote) for vote in row] for row in votes]


@pytest.mark.parametrize("shape", SHAPES)
def test_components_are_those_of_the_matrix_filled_with_means(shape: tuple[int, int]):
    rows = random_votes(shape, missing=0.5)
    tables = build_vote_matrix(*one_vote_each(rows), day=DAY, config=OpinionsConfig())
    matrix = read_vote_matrix(*tables)
    names = matrix.item_ids.to_pylist()
    dense = np.array(rows, float)[:, [int(name[1:]) for name in names]]
    means = np.nanmean(dense, axis=0)
    filled = np.where(np.isnan(dense), means, dense) - means
    expected = np.linalg.svd(filled)[2]

    centred = residual(matrix, item_means(matrix))
    components = principal_components(centred)
    cosines = np.abs((components * expected[:2]).sum(axis=1))
    assert cosines == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_matrix_of_rank_one_has_one_component(shape: tuple[int, int]):
    rng = np.random.default_rng(3)
    camps = np.where(rng.random((shape[0], 1)) < 0.4, 1.0, -1.0) * np.where(rng.random((1, shape[1])) < 0.5, 1.0, -1.0)
    centred = csr_array(camps - camps.mean(axis=0))
    components = principal_components(centred)
    assert np.linalg.norm(components, axis=1) == pytest.approx([1, 0])
    assert principal_components(centred).tobytes() == components.tobytes()


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (1, 3), *SHAPES])
def test_a_matrix_without_variation_has_none(shape: tuple[int, int]):
    centred = csr_array(np.zeros(shape))
    components = principal_components(centred)
    assert components.shape == (2, shape[1])
    assert not components.any()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_largest_entry_of_a_component_is_positive_and_bytes_repeat(shape: tuple[int, int]):
    votes = np.random.default_rng(5).integers(-1, 2, shape).astype(float)
    centred = csr_array(votes - votes.mean(axis=0))
    components = principal_components(centred)
    for component in components:
        assert component[np.abs(component).argmax()] > 0
    assert principal_components(centred).tobytes() == components.tobytes()
    assert np.array_equal(principal_components(-centred), components)


def camps(n_voters: int, n_items: int, *, share: float = 0.2) -> csr_array:
    """Return the centred votes of three camps, some of them missing."""
    rng = np.random.default_rng(11)
    leaning = rng.choice([-1.0, 1.0], (3, n_items))[rng.choice(3, n_voters, p=[0.5, 0.3, 0.2])]
    votes = np.where(rng.random(leaning.shape) < 0.3, rng.integers(-1, 2, leaning.shape), leaning)
    seen = rng.random(leaning.shape) < share
    means = np.where(seen, votes, 0).sum(axis=0) / seen.sum(axis=0)
    return csr_array(np.where(seen, votes - means, 0))


def angle(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest sine of an angle between two planes."""
    return float(np.linalg.norm(ours.T - theirs.T @ (theirs @ ours.T), 2))


def test_in_single_precision_the_components_turn_by_less_than_a_thousandth():
    centred = camps(4000, 300)
    exact, quick = principal_components(centred), principal_components(centred.astype(np.float32))
    assert 0 < angle(exact, quick) < 1e-3
    assert np.linalg.norm(quick, axis=1) == pytest.approx(1)
    assert project(centred.astype(np.float32), quick) == pytest.approx(project(centred, quick), abs=1e-4)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_blocks_and_cores_do_not_change_the_components(dtype: type, monkeypatch: pytest.MonkeyPatch):
    centred = camps(2000, 100).astype(dtype)
    whole = principal_components(centred)
    monkeypatch.setattr(blocks, "VOTES_AT_A_TIME", 1000)
    in_blocks = principal_components(centred)
    assert angle(whole, in_blocks) < (1e-12 if dtype is np.float64 else 1e-4)
    assert project(centred, whole).tobytes() == project(centred, whole).tobytes()
    for cores in (1, 2, 5):
        monkeypatch.setattr(blocks, "cores", lambda cores=cores: cores)
        assert principal_components(centred).tobytes() == in_blocks.tobytes()


@pytest.mark.parametrize("shape", SHAPES)
def test_in_single_precision_too_a_matrix_of_rank_one_has_one_component(shape: tuple[int, int]):
    rng = np.random.default_rng(3)
    camps = np.where(rng.random((shape[0], 1)) < 0.4, 1.0, -1.0) * np.where(rng.random((1, shape[1])) < 0.5, 1.0, -1.0)
    components = principal_components(csr_array((camps - camps.mean(axis=0)).astype(np.float32)))
    assert np.linalg.norm(components, axis=1) == pytest.approx([1, 0])
    assert not principal_components(csr_array(np.zeros(shape, np.float32))).any()


def test_columns_without_variation_have_entries_of_zero():
    dense = camps(500, 60).toarray()
    dense[:, [3, 40]] = 0
    for dtype in (np.float64, np.float32):
        components = principal_components(csr_array(dense.astype(dtype)))
        assert np.flatnonzero(~components.any(axis=0)).tolist() == [3, 40]


def test_above_a_number_of_votes_the_residual_is_in_single_precision(monkeypatch: pytest.MonkeyPatch):
    rows = random_votes((60, 40), missing=0.3)
    matrix = read_vote_matrix(*build_vote_matrix(*one_vote_each(rows), day=DAY, config=OpinionsConfig()))
    exact = residual(matrix, item_means(matrix))
    monkeypatch.setattr(module, "EXACT_VOTES", 100)
    rounded = residual(matrix, item_means(matrix))
    assert (exact.dtype, rounded.dtype) == (np.float64, np.float32)
    assert np.abs(exact - rounded).max() < 1e-6
    assert np.shares_memory(rounded.indices, matrix.columns)


def test_offsets_may_be_of_64_bits():
    rows = random_votes((60, 40), missing=0.3)
    matrix = read_vote_matrix(*build_vote_matrix(*one_vote_each(rows), day=DAY, config=OpinionsConfig()))
    long = replace(matrix, offsets=matrix.offsets.astype(np.int64))
    ours, expected = residual(long, item_means(long)), residual(matrix, item_means(matrix))
    assert np.shares_memory(ours.indices, long.columns)
    assert principal_components(ours).tobytes() == principal_components(expected).tobytes()
