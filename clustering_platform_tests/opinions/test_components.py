import numpy as np
import pytest
from scipy.sparse import csr_array

from clustering_platform.datasets import OpinionsConfig
from clustering_platform.opinions.components import (
    DENSE_LIMIT,
    item_means,
    principal_components,
    residual,
    variance_shares,
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
    _, sizes, expected = np.linalg.svd(filled)

    centred = residual(matrix, item_means(matrix))
    components = principal_components(centred)
    cosines = np.abs((components * expected[:2]).sum(axis=1))
    assert cosines == pytest.approx(1, abs=1e-12)
    assert variance_shares(centred, components) == pytest.approx((sizes**2 / (sizes**2).sum())[:2])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_matrix_of_rank_one_has_one_component(shape: tuple[int, int]):
    rng = np.random.default_rng(3)
    camps = np.where(rng.random((shape[0], 1)) < 0.4, 1.0, -1.0) * np.where(rng.random((1, shape[1])) < 0.5, 1.0, -1.0)
    centred = csr_array(camps - camps.mean(axis=0))
    components = principal_components(centred)
    assert np.linalg.norm(components, axis=1) == pytest.approx([1, 0])
    assert variance_shares(centred, components) == pytest.approx([1, 0])
    assert principal_components(centred).tobytes() == components.tobytes()


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (1, 3), *SHAPES])
def test_a_matrix_without_variation_has_none(shape: tuple[int, int]):
    centred = csr_array(np.zeros(shape))
    components = principal_components(centred)
    assert components.shape == (2, shape[1])
    assert not components.any()
    assert variance_shares(centred, components).tolist() == [0, 0]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_largest_entry_of_a_component_is_positive_and_bytes_repeat(shape: tuple[int, int]):
    votes = np.random.default_rng(5).integers(-1, 2, shape).astype(float)
    centred = csr_array(votes - votes.mean(axis=0))
    components = principal_components(centred)
    for component in components:
        assert component[np.abs(component).argmax()] > 0
    assert principal_components(centred).tobytes() == components.tobytes()
    assert np.array_equal(principal_components(-centred), components)
