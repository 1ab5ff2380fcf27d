"""Progress of work that goes item by item: sparse lines for the log, every step for who watches in this process."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass

_SECONDS_BETWEEN_LINES = 5.0


@dataclass(frozen=True)
class Standing:
    """How far the work is.

    Attributes
    ----------
    rate
        Items a second since the start; what was done before it does not count. None before the first is done.
    """

    done: int
    total: int
    rate: float | None

    @property
    def seconds_left(self) -> float | None:
        """Seconds that the rest takes at this rate."""
        return (self.total - self.done) / self.rate if self.rate else None

    @property
    def pace(self) -> str:
        """Rate and time left, in words; empty where they are not known."""
        if not self.rate or self.seconds_left is None:
            return ""
        minutes, seconds = divmod(round(self.seconds_left), 60)
        hours, minutes = divmod(minutes, 60)
        left = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
        return f"{self.rate:,.3g}/s, {left} left" if self.rate < 1000 else f"{self.rate:,.0f}/s, {left} left"

    def __str__(self) -> str:
        share = f" ({self.done / self.total:.0%})" if self.total else ""
        pace = self.pace if self.done < self.total else ""
        return f"{self.done:,} of {self.total:,}{share}" + (f", {pace}" if pace else "")


Watcher = Callable[[Standing], None]
_watcher: ContextVar[Watcher | None] = ContextVar("_watcher", default=None)


@contextlib.contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Have `watcher` called at every step of work that is done in this thread, until the block ends."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


class Progress:
    """Called with what is done and the total: at the start of the work, and as often as there is news.

    The first and the last call write a line, others if five seconds have passed since the last line. A total that
    differs from the one before, or less done than before, is the start of other work.
    """

    def __init__(self, write: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._begun = (0.0, 0)
        self._last: Standing | None = None
        self._written = 0.0

    def __call__(self, done: int, total: int) -> None:
        """Report how far the work is."""
        now = self._clock()
        is_new = self._last is None or self._last.total != total or done < self._last.done
        if is_new:
            self._begun = (now, done)
        since, before = self._begun
        rate = (done - before) / (now - since) if done > before and now > since else None
        self._last = Standing(done, total, rate)
        if is_new or done == total or now - self._written >= _SECONDS_BETWEEN_LINES:
            self._written = now
            self._write(str(self._last))
        if watcher := _watcher.get():
            watcher(self._last)
