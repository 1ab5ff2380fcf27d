"""Polarization in figures that days can be compared by."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from clustering_platform.opinions.drift.polarization import TWO_CAMPS, bimodality, divergence, separation

COUNTS = hnp.arrays(np.int64, st.tuples(st.integers(1, 4), st.integers(1, 5), st.just(3)), elements=st.integers(0, 40))


def test_groups_that_always_vote_apart_diverge_wholly() -> None:
    votes = np.array([[[0, 0, 10_000]], [[10_000, 0, 0]]])
    assert divergence(votes) == pytest.approx(1, abs=1e-3)


def test_groups_that_vote_alike_do_not_diverge() -> None:
    assert divergence(np.array([[[30, 10, 60]], [[60, 20, 120]]])) == 0


def test_divergence_is_mutual_information_over_the_entropy_of_groups() -> None:
    votes = np.array([[[10, 0, 90]], [[90, 0, 10]]])
    shares = votes.reshape(2, 3)[:, [0, 2]] / 200
    expected = sum(p * np.log(p / 0.25) for p in shares.ravel()) / np.log(2)
    assert divergence(votes) == pytest.approx(expected - 1 / (2 * 200) / np.log(2))


def test_chance_does_not_look_like_divergence() -> None:
    rng = np.random.default_rng(5)
    votes = rng.multinomial(12, [0.4, 0.2, 0.4], size=(3, 400))
    plain = divergence(votes)
    assert plain is not None
    assert plain < 0.02  # without the correction for small numbers it is .057


@given(COUNTS)
def test_divergence_is_a_share_whatever_the_counts(counts: np.ndarray) -> None:
    found = divergence(counts)
    assert found is None or 0 <= found <= 1


def test_without_two_groups_there_is_no_divergence() -> None:
    assert divergence(np.ones((1, 3, 3), np.int64)) is None
    assert divergence(np.zeros((2, 3, 3), np.int64)) is None


def test_bimodality_tells_two_camps_from_one() -> None:
    rng = np.random.default_rng(1)
    camps = np.concatenate([rng.normal(-3, 1, 500), rng.normal(3, 1, 500)])
    found = [bimodality(values) for values in (camps, rng.uniform(size=20_000), rng.normal(size=20_000))]
    assert found[0] is not None
    assert found[0] > TWO_CAMPS
    assert found[1:] == [pytest.approx(TWO_CAMPS, abs=0.01), pytest.approx(1 / 3, abs=0.02)]


def test_bimodality_does_not_depend_on_unit_and_direction() -> None:
    values = np.random.default_rng(2).gamma(2, size=300)
    assert bimodality(5 - 40 * values) == pytest.approx(bimodality(values))


@pytest.mark.parametrize("values", [[], [1, 2, 3], [2, 2, 2, 2, 2]])
def test_too_few_places_have_no_bimodality(values: list[float]) -> None:
    assert bimodality(np.array(values, dtype=float)) is None


def test_separation_is_the_share_of_variance_between_groups() -> None:
    places = np.array([[0, 0], [2, 0], [10, 0], [12, 0]], float)
    assert separation(places, np.array([0, 0, 1, 1])) == pytest.approx(100 / 104)
    assert separation(places, np.zeros(4, int)) == 0
    assert separation(np.ones((3, 2)), np.array([0, 1, 1])) is None
