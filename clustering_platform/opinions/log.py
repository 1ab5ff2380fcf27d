"""The log of votes as the other modules read it: in order of time, piece by piece, never as a whole.

A stored table (``store.reading``) is such a log; a table in memory becomes one here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, Protocol

import numpy as np
import pyarrow as pa

from clustering_platform.store.digests import digest
from clustering_platform.store.reading import rows_below
from clustering_platform.tables import TABLES

_BATCH = 65_536


class Rows(Protocol):
    """A table that is read piece by piece."""

    @property
    def num_rows(self) -> int:
        """Number of rows."""

    def batches(self, columns: Sequence[str], start: int, stop: int) -> Iterator[pa.RecordBatch]:
        """Yield some columns of the rows from `start` up to `stop`, a batch at a time."""


class Log(Rows, Protocol):
    """The table `votes`, rows in order of `sequence` and of time."""

    def search(self, column: str, value: datetime) -> int:
        """Return how many rows come before the first one with `value` or more in an ascending column of times."""

    def digest(self, stop: int) -> str:
        """Return the digest of the first `stop` rows."""


@dataclass(frozen=True)
class InMemory:
    """A table in memory, or a log."""

    table: pa.Table

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return int(self.table.num_rows)

    def batches(self, columns: Sequence[str], start: int, stop: int) -> Iterator[pa.RecordBatch]:
        """Yield some columns of the rows from `start` up to `stop`, a batch at a time."""
        yield from self.table.select(list(columns)).slice(start, max(stop - start, 0)).to_batches(_BATCH)

    def search(self, column: str, value: datetime) -> int:
        """Return how many rows come before the first one with `value` or more in an ascending column of times."""
        return rows_below(self.table[column], value)

    def digest(self, stop: int) -> str:
        """Return the digest of the first `stop` rows."""
        return digest(self.table, TABLES["votes"].digested, stop=stop)


def as_log(votes: pa.Table | Log) -> Log:
    """Return votes as a log; a table in memory may have its rows in any order."""
    if not isinstance(votes, pa.Table):
        return votes
    sequence = votes["sequence"].to_numpy()
    in_order = bool(np.all(sequence[1:] > sequence[:-1]))
    return InMemory(votes if in_order else votes.take(np.argsort(sequence, kind="stable")))


def rows_until(log: Log, day: date) -> int:
    """Return how many rows of a log lie before the end of a day (UTC)."""
    return log.search("voted_at", end_of(day))


def rows_within(log: Log, *, day: date, window: Literal["all"] | int) -> range:
    """Return the rows of the votes that count for a day: all up to its end, or those of the last `window` days."""
    start = 0 if window == "all" else log.search("voted_at", end_of(day - timedelta(days=window)))
    return range(start, rows_until(log, day))


def time_of(log: Log, row: int) -> datetime:
    """Return when the vote of a row was cast."""
    (batch,) = log.batches(["voted_at"], row, row + 1)
    moment: datetime = batch["voted_at"][0].as_py()
    return moment


def end_of(day: date) -> datetime:
    """Return the first moment that is no longer in a day (UTC)."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)
