"""A clock that waits for nobody."""

import threading


class FakeClock:
    """Time passes only while somebody sleeps; every wait is written down."""

    def __init__(self) -> None:
        self.time = 1_000_000.0
        self.waits: list[float] = []
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float, until: threading.Event) -> None:
        with self._lock:
            self.time += seconds
            if seconds > 0:
                self.waits.append(seconds)
