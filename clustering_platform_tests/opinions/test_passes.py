import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.opinions import threads
from clustering_platform.opinions.passes import count_votes, gram_product, vote_sums
from clustering_platform_tests.opinions.tables import matrix_of

VOTES = st.sampled_from([None, -1, 0, 1])
Rows = list[list[int | None]]


@st.composite
def rows_of_votes(draw: st.DrawFn) -> Rows:
    n_items = draw(st.integers(1, 6))
    return draw(st.lists(st.lists(VOTES, min_size=n_items, max_size=n_items), min_size=1, max_size=8))


@pytest.fixture(scope="module", autouse=True)
def _many_parts():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "VOTES_IN_A_PART", 1)
        yield


def dense(rows: Rows) -> np.ndarray:
    return np.array([[np.nan if vote is None else vote for vote in row] for row in rows], float)


@given(rows_of_votes(), st.booleans())
def test_the_gram_product_is_that_of_the_dense_residual(rows: Rows, is_weighted: bool):
    rng = np.random.default_rng(1)
    means, vectors = rng.normal(size=len(rows[0])), rng.normal(size=(len(rows[0]), 2))
    weights = rng.random(len(rows)) if is_weighted else np.ones(len(rows))
    residual = np.nan_to_num(dense(rows) - means)
    expected = residual.T @ (weights[:, np.newaxis] * (residual @ vectors))
    ours = gram_product(matrix_of(rows), vectors, means=means, weights=weights if is_weighted else None)
    assert ours == pytest.approx(expected, abs=1e-12)


@given(rows_of_votes(), st.integers(1, 3))
def test_sums_are_those_of_the_figures_of_each_vote(rows: Rows, n_figures: int):
    figures = np.random.default_rng(1).normal(size=(len(rows[0]), 3, n_figures))
    expected = [
        sum((figures[item, vote + 1] for item, vote in enumerate(row) if vote is not None), np.zeros(n_figures))
        for row in rows
    ]
    assert vote_sums(matrix_of(rows), figures) == pytest.approx(np.array(expected))
    some = slice(len(rows) // 2, len(rows))
    assert vote_sums(matrix_of(rows), figures, voters=some) == pytest.approx(np.array(expected)[some])


@given(rows_of_votes(), st.randoms(use_true_random=False))
def test_votes_are_counted_by_cluster_and_voters_of_none_left_out(rows: Rows, random):
    clusters = [random.randrange(-1, 3) for _ in rows]
    times = [random.randrange(3) for _ in rows]
    expected = np.zeros((2, 3, len(rows[0]), 3), int)
    for row, cluster, often in zip(rows, clusters, times, strict=True):
        for item, vote in enumerate(row):
            if vote is not None and cluster >= 0:
                expected[:, cluster, item, vote + 1] += [1, often]
    matrix, clusters = matrix_of(rows), np.array(clusters, np.int32)
    assert np.array_equal(count_votes(matrix, clusters, 3), expected[0])
    assert np.array_equal(count_votes(matrix, clusters, 3, times=np.array(times)), expected[1])
    whole = count_votes(matrix)
    assert whole.shape == (1, len(rows[0]), 3)
    assert whole.sum() == np.isfinite(dense(rows)).sum()
