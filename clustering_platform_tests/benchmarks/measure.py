"""Timing and memory of a function in fresh processes."""

import ctypes
import gc
import multiprocessing
import re
import resource
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

ROUNDS = 3


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of a few figures."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Iterable[float]) -> Self:
        """Return the spread of some figures."""
        values = list(figures)
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.low)}-{_short(self.high)})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3f}"[:5]


class Meter:
    """Wall and CPU seconds, and the growth of memory (MB) to its peak, of all blocks it is put around.

    What the process holds when the first block begins, imported libraries above all, does not count; in `peak`, it
    does. Linux only: peak memory is that of the process itself, not what it inherited from the one that started it.
    """

    seconds = cpu = megabytes = peak = 0.0
    _held: float | None = None

    def __enter__(self) -> Self:
        if self._held is None:
            let_go()
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from what is held now
        self._held = _memory("VmRSS") if self._held is None else self._held
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._wall
        self.cpu += time.process_time() - self._cpu
        self.peak = max(self.peak, _memory("VmHWM"))
        self.megabytes = self.peak - (self._held or 0.0)


def let_go() -> None:
    """Give free memory back to the system, so that what was used before does not hide what is used now."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    ctypes.CDLL(None).malloc_trim(0)


def _memory(name: str) -> float:
    match = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(match[1]) / 1024 if match else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fresh(function: Callable[..., Any], *arguments: Any, rounds: int = 1) -> list[Any]:
    """Return what `function(*arguments)` returns, each round in a process of its own."""
    context = multiprocessing.get_context("spawn")
    results = []
    for _ in range(rounds):
        with context.Pool(1) as pool:
            results.append(pool.apply(function, arguments))
    return results


@dataclass(frozen=True)
class Measured:
    """Seconds, CPU seconds and megabytes above those before the call, over a few rounds; and a score."""

    seconds: Spread
    cpu: Spread
    megabytes: Spread
    score: float

    def __str__(self) -> str:
        return f"{self.seconds} s   {self.cpu} CPU s   {self.megabytes} MB   score {self.score:.3f}"


def measure(prepare: Callable[..., Callable[[], float]], *arguments: Any, rounds: int = ROUNDS) -> Measured:
    """Measure what `prepare(*arguments)` returns: a function of nothing that returns its score."""
    seconds, cpu, megabytes, scores = zip(*fresh(_once, prepare, arguments, rounds=rounds), strict=True)
    return Measured(Spread.of(seconds), Spread.of(cpu), Spread.of(megabytes), statistics.median(scores))


def _once(prepare: Callable[..., Callable[[], float]], arguments: tuple[Any, ...]) -> tuple[float, ...]:
    function = prepare(*arguments)
    with Meter() as meter:
        score = function()
    return meter.seconds, meter.cpu, meter.megabytes, float(score)
