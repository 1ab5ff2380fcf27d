import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.opinions import threads
from clustering_platform.opinions.threads import in_threads, parts_of


@given(st.lists(st.integers(0, 20), max_size=40), st.integers(0, 100), st.integers(1, 9))
def test_parts_are_whole_rows_in_order_and_of_about_equally_many_votes(lengths: list[int], before: int, n_parts: int):
    starts = before + np.append(0, np.cumsum(lengths))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "VOTES_IN_A_PART", 1)
        parts = parts_of(starts, n_parts)
    assert [row for part in parts for row in range(*part)] == list(range(len(lengths)))
    assert len(parts) <= n_parts
    assert all(starts[stop] - starts[first] <= sum(lengths) / n_parts + 20 for first, stop in parts)


def test_few_votes_are_not_shared_out():
    assert parts_of(np.arange(0, 1000, 10)) == [(0, 99)]
    assert len(parts_of(np.arange(0, 3_000_000, 10))) == 8


def test_results_come_in_the_order_of_the_pieces():
    assert in_threads(abs, list(range(-100, 0))) == list(range(100, 0, -1))
    assert in_threads(abs, []) == []
