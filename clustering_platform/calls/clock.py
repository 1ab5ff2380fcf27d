"""Time as calls see it: what it is, and how to let it pass."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""

    def now(self) -> float:
        """Return seconds since 1970, UTC."""

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Wait that long, or until the event is set."""


class SystemClock:
    """The clock of this machine."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    def now(self) -> float:
        """Return seconds since 1970, UTC."""
        return time.time()

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Wait that long, or until the event is set."""
        until.wait(seconds)
