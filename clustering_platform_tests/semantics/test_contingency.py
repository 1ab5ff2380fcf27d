"""Statistics of counts: against scipy, against tables worked out by hand, and by their laws."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from clustering_platform.semantics.contingency import (
    Counts,
    Floats,
    Independence,
    benjamini_hochberg,
    cramers_v,
    expected,
    independence_test,
    occupied,
    two_by_two,
    wilson,
)

tables = st.tuples(st.integers(2, 4), st.integers(2, 4)).flatmap(
    lambda shape: arrays(np.int64, shape, elements=st.integers(0, 30))
)
p_values = st.lists(st.one_of(st.floats(0, 1), st.just(math.nan)), max_size=30).map(lambda p: np.array(p, np.float64))


def ask(table: object) -> Independence:
    found = independence_test(np.array(table))
    assert found
    return found


@given(st.integers(1, 500), st.floats(0, 1))
def test_the_interval_is_that_of_wilson(trials: int, share: float) -> None:
    successes = round(share * trials)
    ours = [float(end[0]) for end in wilson(np.array([successes]), np.array([trials]))]
    theirs = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    assert ours == pytest.approx([theirs.low, theirs.high], abs=1e-12)
    assert 0 <= ours[0] <= successes / trials <= ours[1] <= 1


def test_the_interval_of_three_of_ten_is_as_worked_out_by_hand() -> None:
    low, high = wilson(np.array([3]), np.array([10]))
    assert (low[0], high[0]) == pytest.approx((0.10779, 0.60322), abs=1e-5)


@given(tables)
def test_tests_and_strengths_are_those_of_scipy_and_within_bounds(table: Counts) -> None:
    found = independence_test(table, draws=50)
    table = occupied(table)
    if min(table.shape) < 2:
        assert found is None
        return
    assert found
    theirs = stats.chi2_contingency(table, correction=False)
    np.testing.assert_allclose(expected(table), theirs.expected_freq)
    assert found.statistic == pytest.approx(theirs.statistic)
    assert found.degrees_of_freedom == theirs.dof
    assert 0 <= found.p_value <= 1
    if theirs.expected_freq.min() >= 5:
        assert (found.test, found.p_value) == ("chi2", pytest.approx(theirs.pvalue, abs=1e-12))
    elif table.shape == (2, 2):
        assert (found.test, found.p_value) == ("fisher", pytest.approx(stats.fisher_exact(table).pvalue))
    else:
        assert (found.test, found.draws) == ("permutation", 50)
    strength = cramers_v(table, found.statistic)
    assert strength is None or 0 <= strength <= 1


@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_topics_and_of_labels_makes_no_difference(table: Counts, random: object) -> None:
    rng = np.random.default_rng(random.randint(0, 2**32))  # type: ignore[attr-defined]
    moved = table[rng.permutation(len(table))][:, rng.permutation(table.shape[1])]
    one, other = independence_test(table, draws=50), independence_test(moved, draws=50)
    assert (one is None) == (other is None)
    if one and other:
        assert one.test == other.test
        assert one.p_value == pytest.approx(other.p_value, abs=1e-12)
        assert cramers_v(table, one.statistic) == pytest.approx(cramers_v(moved, other.statistic), abs=1e-9)


def test_the_lady_tasting_tea() -> None:
    found = ask([[3, 1], [1, 3]])
    assert (found.test, found.p_value) == ("fisher", pytest.approx(34 / 70))


def test_drawn_tables_give_the_p_value_of_all_tables_with_the_same_sums() -> None:
    table = np.array([[4, 1, 0], [1, 2, 3]])
    labels = np.repeat([0, 1, 2], table.sum(axis=0))
    least = ask(table).statistic - 1e-9
    as_far, total = 0, 0
    for chosen in itertools.combinations(range(labels.size), int(table[0].sum())):
        inside = np.bincount(labels[list(chosen)], minlength=3)
        means = expected(table)
        drawn = np.stack([inside, table.sum(axis=0) - inside])
        as_far += float((np.square(drawn - means) / means).sum()) >= least
        total += 1
    exact = as_far / total
    assert ask(table).p_value == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 2_000))
    assert ask(table) == ask(table)
    assert ask(table).draws == 2_000


def test_a_permutation_test_never_says_zero() -> None:
    assert ask(np.diag([4, 4, 4, 4])).p_value == pytest.approx(1 / 2_001)


@pytest.mark.parametrize("table", [[[3, 4]], [[3], [4]], [[0, 3], [0, 4]], [[1, 2], [0, 0]]])
def test_one_topic_or_one_label_cannot_be_tested(table: list[list[int]]) -> None:
    assert independence_test(np.array(table)) is None
    assert cramers_v(np.array(table), 0.0) is None


def test_cramers_v_is_as_worked_out_by_hand() -> None:
    table = np.array([[30, 10], [10, 30]])
    phi2 = 20 / 80 - 1 / 79
    assert ask(table).statistic == pytest.approx(20)
    assert cramers_v(table, 20.0) == pytest.approx(math.sqrt(phi2 / (1 - 1 / 79)))
    assert cramers_v(np.diag([10, 10]), 20.0) == pytest.approx(1)
    assert cramers_v(np.full((3, 3), 7), 0.0) == 0


def test_cramers_v_is_not_above_none_where_there_is_no_dependence() -> None:
    rng = np.random.default_rng(0)
    draws = [stats.random_table([20] * 10, [100, 100]).rvs(random_state=rng).astype(np.int64) for _ in range(200)]
    plain = [math.sqrt(stats.chi2_contingency(draw).statistic / 200) for draw in draws]
    corrected = [cramers_v(draw, ask(draw).statistic) or 0.0 for draw in draws]
    assert np.mean(plain) > 0.15
    assert np.mean(corrected) < 0.06


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0, 1), st.floats(0, 1))
def test_phi_is_the_correlation_and_the_root_of_chi_squared(
    inside: int, outside: int, one: float, other: float
) -> None:
    a, c = round(one * inside), round(other * outside)
    phi, ratio = two_by_two(np.array([a]), np.array([inside]), a + c, inside + outside)
    assert ratio[0] == pytest.approx((a + 0.5) * (outside - c + 0.5) / ((inside - a + 0.5) * (c + 0.5)))
    found = independence_test(np.array([[a, inside - a], [c, outside - c]]))
    if found is None:
        assert np.isnan(phi[0])
        return
    assert phi[0] ** 2 == pytest.approx(found.statistic / (inside + outside))
    is_inside = np.repeat([1, 0], [inside, outside])
    is_error = np.repeat([1, 0, 1, 0], [a, inside - a, c, outside - c])
    assert phi[0] == pytest.approx(np.corrcoef(is_inside, is_error)[0, 1])


@given(p_values)
def test_corrected_p_values_are_bounded_and_keep_their_order(p: Floats) -> None:
    q = benjamini_hochberg(p)
    known = ~np.isnan(p)
    assert (np.isnan(q) == ~known).all()
    assert (q[known] >= p[known] - 1e-12).all()
    assert (q[known] <= 1).all()
    order = np.argsort(p[known])
    assert (np.diff(q[known][order]) >= 0).all()
    if known.any():
        np.testing.assert_allclose(q[known], stats.false_discovery_control(p[known]))
        assert q[known].max() == p[known].max()


def test_corrected_p_values_are_as_worked_out_by_hand() -> None:
    q = benjamini_hochberg(np.array([0.01, 0.04, np.nan, 0.03, 0.5]))
    np.testing.assert_allclose(q, [0.04, 0.16 / 3, np.nan, 0.16 / 3, 0.5])


@pytest.mark.parametrize("shape", [(2, 2), (8, 2), (5, 3)])
def test_p_values_are_uniform_where_there_is_no_dependence(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    p = np.array(
        [
            ask(rng.multinomial(3_000, np.full(math.prod(shape), 1 / math.prod(shape))).reshape(shape)).p_value
            for _ in range(1_000)
        ]
    )
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.02)


def test_p_values_of_small_tables_are_not_too_small_where_there_is_no_dependence() -> None:
    rng = np.random.default_rng(2)
    for rows, columns in (([6, 5], [3, 8]), ([4, 3, 3], [5, 3, 2])):
        law = stats.random_table(rows, columns)
        found = [independence_test(law.rvs(random_state=rng).astype(np.int64), draws=200) for _ in range(500)]
        p = np.array([one.p_value for one in found if one])
        assert p.size == 500
        for level in (0.05, 0.2, 0.5):
            assert np.mean(p <= level) <= level + 0.045
