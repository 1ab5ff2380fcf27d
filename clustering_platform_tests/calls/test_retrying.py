"""The one policy by which calls are tried again."""

from collections.abc import Callable, Iterator
from email.utils import formatdate

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.calls.errors import CallError, MalformedAnswerError, seconds_to_wait
from clustering_platform.calls.limits import Gate, RateLimits
from clustering_platform.calls.retrying import Calls, RetryPolicy
from clustering_platform_tests.calls.clocks import FakeClock

REQUEST = httpx2.Request("POST", "http://service/v1/embeddings")


def status_error(status: int, message: str = "no", body: object = None, **headers: str) -> Exception:
    from openai import APIStatusError

    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return APIStatusError(message, response=httpx2.Response(status, headers=names, request=REQUEST), body=body)


def calls_of(clock: FakeClock, *, width: int = 4, attempts: int = 6, secrets: tuple[str, ...] = ()) -> Calls:
    limits = RateLimits(clock, requests_per_minute=None, tokens_per_minute=None)
    policy = RetryPolicy(attempts=attempts)
    return Calls("service", policy, limits, Gate(width), secrets=secrets, clock=clock, draw=lambda: 0.5)


def failing(*errors: Exception) -> Callable[[], str]:
    """Return a call that fails with each error in turn, and then succeeds."""
    rest: Iterator[Exception] = iter(errors)

    def call() -> str:
        for error in rest:
            raise error
        return "answer"

    return call


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_a_status_that_may_pass_is_tried_again(status: int) -> None:
    calls = calls_of(FakeClock())
    assert calls.run(failing(status_error(status), status_error(status))) == "answer"
    assert (calls.requests, calls.retries) == (3, 2)


def test_silence_broken_connections_and_malformed_answers_are_tried_again() -> None:
    from openai import APIConnectionError, APITimeoutError

    errors = APITimeoutError(REQUEST), APIConnectionError(request=REQUEST), MalformedAnswerError("short")
    assert calls_of(FakeClock()).run(failing(*errors)) == "answer"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
def test_what_will_not_pass_is_final_at_once(status: int) -> None:
    calls = calls_of(FakeClock())
    with pytest.raises(CallError, match=f"^service: HTTP {status}: no$") as error:
        calls.run(failing(status_error(status)))
    assert (error.value.status, calls.requests) == (status, 1)
    assert error.value.ends_the_run == (status in (401, 402, 403, 404))


def test_an_empty_account_is_final_although_it_comes_as_too_many_requests() -> None:
    calls = calls_of(FakeClock())
    with pytest.raises(CallError) as error:
        calls.run(failing(status_error(429, "no money", {"code": "insufficient_quota"})))
    assert calls.requests == 1
    assert error.value.ends_the_run


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (400, "This model's maximum context length is 8192 tokens, however you requested 9000 tokens", None),
        (400, "no", "context_length_exceeded"),
        (400, "Invalid 'input': maximum request size is 300000 tokens per request.", "max_tokens_per_request"),
        (422, "inputs must have less than 512 tokens: too long", None),
        (413, "Payload Too Large", None),
        (429, "Request too large for m: Limit 1000, Requested 2000", "rate_limit_exceeded"),
    ],
)
def test_what_is_too_long_is_final_and_known_as_such(status: int, message: str, code: str | None) -> None:
    calls = calls_of(FakeClock())
    with pytest.raises(CallError) as error:
        calls.run(failing(status_error(status, message, {"code": code})))
    assert error.value.is_too_long
    assert calls.requests == 1


@pytest.mark.parametrize("message", ["unknown model", "input cannot be an empty string", "invalid type for dimensions"])
def test_other_refusals_are_not_taken_for_too_long(message: str) -> None:
    with pytest.raises(CallError) as error:
        calls_of(FakeClock()).run(failing(status_error(400, message)))
    assert not error.value.is_too_long


def test_the_last_of_six_tries_is_final_and_says_so() -> None:
    calls = calls_of(FakeClock())
    with pytest.raises(CallError, match=r"HTTP 500: no \(after 6 tries\)"):
        calls.run(failing(*[status_error(500)] * 9))
    assert calls.requests == 6


def test_errors_of_our_own_code_are_not_tried_again() -> None:
    calls = calls_of(FakeClock())
    with pytest.raises(KeyError):
        calls.run(failing(KeyError("ours")))
    assert calls.requests == 1


def test_pauses_grow_and_are_drawn_evenly_up_to_their_bound() -> None:
    clock = FakeClock()
    calls_of(clock).run(failing(*[status_error(500)] * 5))
    assert clock.waits == [0.5, 1, 2, 4, 8]


@given(st.integers(1, 20), st.floats(0, 1), st.none() | st.floats(0, 1e6))
def test_a_pause_is_never_shorter_than_asked_nor_longer_than_the_bounds(
    attempt: int, drawn: float, asked: float | None
) -> None:
    policy = RetryPolicy()
    pause = policy.pause(attempt, asked, lambda: drawn)
    assert min(asked or 0, policy.longest_asked) <= pause <= policy.longest_asked + policy.longest_pause


def test_what_the_service_asks_for_is_waited_and_keeps_other_calls_back_too() -> None:
    clock = FakeClock()
    calls = calls_of(clock)
    calls.run(failing(status_error(429, retry_after="7")))
    assert clock.waits == [7.5]
    calls.limits.close_for(3)
    calls.run(failing())
    assert clock.waits[1:] == [3]


def test_an_absurd_wish_is_capped() -> None:
    clock = FakeClock()
    calls_of(clock).run(failing(status_error(503, retry_after="86400")))
    assert clock.waits == [120.5]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        *[(None, None), ("12", 12), ("0.5", 0.5), ("-3", 0), ("soon", None), ("inf", None), ("nan", None)],
        *[(formatdate(1030, usegmt=True), 30), (formatdate(900, usegmt=True), 0)],
    ],
)
def test_the_wish_is_read_as_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(header, now=1000) == seconds


def test_no_message_holds_a_secret_and_no_error_is_chained_that_could() -> None:
    told: list[str] = []
    calls = calls_of(FakeClock(), attempts=2, secrets=("sk-canary",))
    calls.tell = told.append
    with pytest.raises(CallError) as error:
        calls.run(failing(*[status_error(500, "bad key sk-canary here")] * 2))
    assert str(error.value) == "service: HTTP 500: bad key *** here (after 2 tries)"
    assert error.value.__cause__ is error.value.__context__ is None
    assert told == ["service: HTTP 500: bad key *** here; try 2 of 2 in 0.5 s"]
    assert "canary" not in repr(calls)


def test_nothing_is_tried_again_once_stopped() -> None:
    calls = calls_of(FakeClock())
    calls.tell = lambda line: calls.stop()
    with pytest.raises(CallError, match="HTTP 500"):
        calls.run(failing(status_error(500)))
    with pytest.raises(CallError, match="not sent, as the run had ended"):
        calls.run(failing())
    assert calls.requests == 1
    calls.resume()
    assert calls.run(failing()) == "answer"


def test_too_many_requests_halve_what_is_under_way_at_once() -> None:
    calls = calls_of(FakeClock(), width=8)
    calls.run(failing(status_error(429), status_error(500), status_error(429)))
    assert calls.gate.width == 2
