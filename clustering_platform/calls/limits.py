"""How fast and how many at once: rates by token buckets, and a gate that narrows when the service says so."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from clustering_platform.calls.clock import Clock

_BURST_SECONDS = 10.0
_WIDEN_AFTER = 10


@dataclass
class _Bucket:
    """So many units a minute; a full bucket holds those of ten seconds, and one at least."""

    per_minute: float
    level: float = field(init=False)

    def __post_init__(self) -> None:
        self.level = self.capacity

    @property
    def capacity(self) -> float:
        return max(self.per_minute / 60 * _BURST_SECONDS, 1.0)

    def fill(self, seconds: float) -> None:
        self.level = min(self.capacity, self.level + seconds * self.per_minute / 60)

    def take(self, amount: float) -> float:
        """Take units, more than there are if need be, and return the seconds until earlier debts are paid."""
        wait = max(-self.level * 60 / self.per_minute, 0.0)
        self.level -= amount
        return wait


class RateLimits:
    """Requests and tokens a minute; None for no limit. Safe to use from several threads."""

    def __init__(self, clock: Clock, *, requests_per_minute: float | None, tokens_per_minute: float | None) -> None:
        self._clock = clock
        self._requests = _Bucket(requests_per_minute) if requests_per_minute else None
        self._tokens = _Bucket(tokens_per_minute) if tokens_per_minute else None
        self._filled = clock.monotonic()
        self._closed_until = self._filled
        self._lock = threading.Lock()

    def reserve(self, tokens: int) -> float:
        """Take the place of one request of so many tokens, and return the seconds to wait before it may go out."""
        with self._lock:
            now = self._clock.monotonic()
            wait = self._closed_until - now
            for bucket, amount in ((self._requests, 1), (self._tokens, tokens)):
                if bucket:
                    bucket.fill(now - self._filled)
                    wait = max(wait, bucket.take(amount))
            self._filled = now
            return max(wait, 0.0)

    def close_for(self, seconds: float) -> None:
        """Let no request out for so long: the service asked for it."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)


class Gate:
    """How many calls are under way at once: halved when the service has too many, widened one by one afterwards.

    Calls that went in before the last narrowing do not narrow it again: they say nothing about the new width.
    """

    def __init__(self, width: int) -> None:
        self.widest = width
        self.width = width
        self._inside = 0
        self._narrowings = 0
        self._good = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def entered(self) -> Iterator[int]:
        """Wait for a place, hold it for the block, and yield what `narrow` is to be told."""
        with self._changed:
            self._changed.wait_for(lambda: self._inside < self.width)
            self._inside += 1
            seen = self._narrowings
        try:
            yield seen
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def narrow(self, seen: int) -> None:
        """Halve the width, unless that happened since the call went in."""
        with self._changed:
            self._good = 0
            if seen == self._narrowings:
                self._narrowings += 1
                self.width = max(self.width // 2, 1)

    def widen(self) -> None:
        """Count a call that went well; after ten in a row there is room for one more."""
        with self._changed:
            self._good += 1
            if self._good >= _WIDEN_AFTER and self.width < self.widest:
                self._good = 0
                self.width += 1
                self._changed.notify_all()
