"""Timing and memory of one function in a fresh process."""

import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ROUNDS = 3


@dataclass(frozen=True)
class Measured:
    """Median seconds, CPU seconds and peak memory above that before the call, over a few rounds; and a score."""

    seconds: float
    cpu: float
    megabytes: float
    score: float

    def __str__(self) -> str:
        return f"{self.seconds:8.2f} s {self.cpu:8.2f} CPU s {self.megabytes:8.0f} MB   score {self.score:.3f}"


def measure(function: Callable[..., float], *arguments: Any, rounds: int = ROUNDS) -> Measured:
    """Return the medians of `function(*arguments)`, which returns its score, each round in a process of its own."""
    context = multiprocessing.get_context("spawn")
    results = []
    for _ in range(rounds):
        with context.Pool(1) as pool:
            results.append(pool.apply(_once, (function, arguments)))
    return Measured(*(statistics.median(figures) for figures in zip(*results, strict=True)))


def _once(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[float, float, float, float]:
    prepared = function(*arguments)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    score = prepared()
    seconds, used = time.perf_counter() - wall, time.process_time() - cpu
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
    return seconds, used, grown, float(score)
