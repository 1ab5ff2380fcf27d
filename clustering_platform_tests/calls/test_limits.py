"""Rates and the gate."""

import threading
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.calls.limits import Gate, RateLimits
from clustering_platform.calls.workers import Workers
from clustering_platform_tests.calls.clocks import FakeClock


def sent_at(tokens: list[int], *, requests: float | None, per_minute: float | None) -> list[float]:
    """Return when each request goes out, if each waits as it is told before the next asks."""
    clock = FakeClock()
    limits = RateLimits(clock, requests_per_minute=requests, tokens_per_minute=per_minute)
    start, times = clock.time, []
    for amount in tokens:
        clock.sleep(limits.reserve(amount), threading.Event())
        times.append(clock.time - start)
    return times


def test_without_limits_nothing_waits() -> None:
    assert sent_at([10**9] * 50, requests=None, per_minute=None) == [0] * 50


def test_requests_go_out_at_their_rate_after_a_burst_of_ten_seconds() -> None:
    times = sent_at([1] * 20, requests=60, per_minute=None)
    assert times[:10] == [0] * 10
    assert times[-1] == pytest.approx(8, abs=1.1)


def test_a_rate_below_one_in_ten_seconds_still_lets_the_first_request_out() -> None:
    assert sent_at([1, 1, 1], requests=1, per_minute=None)[:2] == [0, 0]
    assert sent_at([1, 1, 1], requests=1, per_minute=None)[2] == pytest.approx(60)


def test_a_request_of_more_tokens_than_a_minute_has_goes_out_and_is_paid_off_afterwards() -> None:
    assert sent_at([600_000, 1], requests=None, per_minute=300_000) == pytest.approx([0, 110])


@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=60), st.integers(600, 60_000))
def test_no_minute_has_more_tokens_than_the_limit_the_burst_and_the_last_request(tokens: list[int], limit: int) -> None:
    times = sent_at(tokens, requests=None, per_minute=limit)
    for first, start in enumerate(times):
        inside = [amount for amount, time in zip(tokens[first:], times[first:], strict=True) if time < start + 60]
        assert sum(inside) <= limit + limit / 6 + max(tokens) + 1


def test_calls_side_by_side_take_turns() -> None:
    clock = FakeClock()
    limits = RateLimits(clock, requests_per_minute=60, tokens_per_minute=None)
    waits = [limits.reserve(1) for _ in range(13)]
    assert waits[:11] == [0] * 11
    assert waits[11:] == pytest.approx([1, 2])


def test_no_more_are_inside_than_the_gate_is_wide() -> None:
    gate, inside, most = Gate(3), 0, 0
    lock, full = threading.Lock(), threading.Barrier(3)

    def work(task: int) -> int:
        nonlocal inside, most
        with gate.entered():
            with lock:
                inside += 1
                most = max(most, inside)
            full.wait(timeout=20)
            with lock:
                inside -= 1
        return task

    assert sorted(Workers(work, threads=9).results(deque(range(9)))) == list(range(9))
    assert most == 3


def test_calls_that_were_under_way_together_narrow_the_gate_once() -> None:
    gate = Gate(8)
    with gate.entered() as first, gate.entered() as second:
        pass
    gate.narrow(first)
    gate.narrow(second)
    assert gate.width == 4
    for _ in range(5):
        with gate.entered() as seen:
            pass
        gate.narrow(seen)
    assert gate.width == 1


def test_the_gate_widens_by_one_after_ten_good_calls_and_never_beyond_where_it_began() -> None:
    gate = Gate(4)
    with gate.entered() as seen:
        pass
    gate.narrow(seen)
    widths = []
    for _ in range(40):
        gate.widen()
        widths.append(gate.width)
    assert (widths[8], widths[9], widths[19], widths[39]) == (2, 3, 4, 4)
