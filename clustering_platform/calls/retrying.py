"""The one policy by which calls are tried again.

The retries of client libraries are switched off: two policies multiply.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from clustering_platform.calls.clock import Clock, SystemClock
from clustering_platform.calls.errors import CallError, Failure, judge, without
from clustering_platform.calls.limits import Gate, RateLimits

T = TypeVar("T")


@dataclass(frozen=True)
class RetryPolicy:
    """How often and after which pauses.

    Attributes
    ----------
    attempts
        Tries in all.
    first_pause, longest_pause
        The pause before try n + 1 is drawn evenly from 0 to min(longest, first * 2^(n - 1)) seconds: exponential
        backoff with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    longest_asked
        What a service may ask for at most by ``retry-after``, in seconds.
    """

    attempts: int = 6
    first_pause: float = 1.0
    longest_pause: float = 60.0
    longest_asked: float = 120.0

    def pause(self, attempt: int, retry_after: float | None, draw: Callable[[], float]) -> float:
        """Return the seconds to wait after try number `attempt`; `draw` returns a number from 0 to 1."""
        drawn = draw() * min(self.longest_pause, self.first_pause * 2.0 ** (attempt - 1))
        return drawn if retry_after is None else min(retry_after, self.longest_asked) + drawn


@dataclass
class Calls:
    """The calls of one service: tried again by the policy, within its limits, counted. Safe to use from threads.

    Attributes
    ----------
    service
        What messages call the service.
    policy
        When a call is tried again.
    limits
        Requests and tokens a minute.
    gate
        Calls under way at once.
    secrets
        What no message may hold.
    tell
        Called with a line for each failure that is followed by another try.
    """

    service: str
    policy: RetryPolicy
    limits: RateLimits
    gate: Gate
    secrets: tuple[str, ...] = field(default=(), repr=False)
    clock: Clock = field(default_factory=SystemClock)
    draw: Callable[[], float] = random.random
    tell: Callable[[str], None] = lambda line: None
    requests: int = 0
    retries: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stop(self) -> None:
        """Try nothing again from now on, and end the pauses."""
        self._stopped.set()

    def resume(self) -> None:
        """Undo `stop`."""
        self._stopped.clear()

    def run(self, call: Callable[[], T], *, tokens: int = 0) -> T:
        """Return what `call` returns, after as many tries as the policy allows.

        Raises
        ------
        CallError
            It failed for good. The error of the client is not chained to it, as it may hold what was sent.
        """
        attempt = 0
        while True:
            attempt += 1
            outcome, failure = self._try(call, tokens)
            if failure is None:
                return outcome  # type: ignore[return-value]
            if not failure.is_retryable or attempt >= self.policy.attempts or self._stopped.is_set():
                raise self._error(failure, attempt)
            pause = self.policy.pause(attempt, failure.retry_after, self.draw)
            self.tell(self._clean(f"{failure.reason}; try {attempt + 1} of {self.policy.attempts} in {pause:.1f} s"))
            self.clock.sleep(pause, self._stopped)
            if self._stopped.is_set():
                raise self._error(failure, attempt)
            with self._lock:
                self.retries += 1

    def _try(self, call: Callable[[], T], tokens: int) -> tuple[T | None, Failure | None]:
        """Return the outcome of one try, or what went wrong with it; other errors are raised."""
        self.clock.sleep(self.limits.reserve(tokens), self._stopped)
        with self.gate.entered() as seen:
            if self._stopped.is_set():
                return None, Failure("not sent, as the run had ended", is_retryable=False)
            with self._lock:
                self.requests += 1
            try:
                outcome = call()
            except Exception as error:
                failure = judge(error, self.clock.now())
                if failure is None:
                    raise
            else:
                self.gate.widen()
                return outcome, None
        if failure.status == 429:
            self.gate.narrow(seen)
            if failure.retry_after:
                self.limits.close_for(min(failure.retry_after, self.policy.longest_asked))
        return None, failure

    def _error(self, failure: Failure, attempts: int) -> CallError:
        tries = f" (after {attempts} tries)" if attempts > 1 else ""
        return CallError(
            self._clean(f"{failure.reason}{tries}"), status=failure.status, is_too_long=failure.is_too_long
        )

    def _clean(self, message: str) -> str:
        return without(f"{self.service}: {message}", self.secrets)
