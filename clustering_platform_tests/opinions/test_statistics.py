import numpy as np
import pytest

from clustering_platform.opinions.statistics import proportion, proportion_test, two_proportions_test


def counts(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_a_proportion_without_trials_is_one_half():
    assert proportion(counts(0, 3, 0), counts(0, 3, 3)).tolist() == [0.5, 0.8, 0.2]


def test_a_proportion_is_tested_against_one_half_with_a_success_added():
    z = proportion_test(counts(0, 14, 2), counts(0, 15, 8))
    assert z == pytest.approx([1, 2 * 4 * (15 / 16 - 0.5), 2 * 3 * (3 / 9 - 0.5)])


def test_two_proportions_are_compared_with_a_success_added_to_each():
    z = two_proportions_test(counts(9), counts(19), counts(4), counts(24))
    pooled = 15 / 45
    assert z == pytest.approx((10 / 20 - 5 / 25) / np.sqrt(pooled * (1 - pooled) * (1 / 20 + 1 / 25)))


def test_proportions_that_are_all_successes_do_not_differ():
    assert two_proportions_test(counts(0, 5), counts(0, 5), counts(0, 9), counts(0, 9)).tolist() == [0, 0]


def test_swapping_two_proportions_turns_the_sign():
    here, there = (counts(3, 8, 0), counts(9, 8, 4)), (counts(5, 1, 2), counts(6, 7, 2))
    assert two_proportions_test(*here, *there) == pytest.approx(-two_proportions_test(*there, *here))
