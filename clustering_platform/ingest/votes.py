"""Votes: from records to the log of votes of a dataset.

The sign of numeric votes is found out in ``polis``, times are read in ``times``, ids in ``ids``; the tables made of a
log belong in ``log_tables``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.dataset_config import SourceConfig
from clustering_platform.ingest.arrays import chosen, parse_distinct, successive
from clustering_platform.ingest.found import Source
from clustering_platform.ingest.ids import Ids, sift_ids
from clustering_platform.ingest.quarantine import Quarantine, Sieve
from clustering_platform.ingest.records import Records
from clustering_platform.ingest.times import MISSING, NAIVE, UNREADABLE, Times, read_times, resolve

WORDS = {"agree": 1, "pass": 0, "disagree": -1, "buena": 1, "neutral": 0, "mala": -1}
VOTER_TYPES = ("user", "session")

_NUMERIC_VOTE = re.compile(r"([+-]?)([01])(?:\.0*)?")
_MISSING, _UNKNOWN = 2, 3
_VOTER_TYPES = {"": 0, "user": 0, "session": 1}


@dataclass(frozen=True)
class VoteLog:
    """Votes in the order of the source, as arrays of one length.

    Attributes
    ----------
    voters, items : int32[votes]
        Numbers of their ids.
    votes : int8[votes]
        1, 0 or -1, as in the file.
    is_numeric : bool[votes]
        Whether the vote was written as a number, whose sign may have to be turned, rather than as a word.
    is_session : bool[votes]
        Whether the voter is a session rather than a user.
    times : int64[votes]
        Microseconds since 1970 (UTC).
    files : int32[votes]
        Position of the file among the sources.
    """

    voters: NDArray[np.int32]
    items: NDArray[np.int32]
    votes: NDArray[np.int8]
    is_numeric: NDArray[np.bool_]
    is_session: NDArray[np.bool_]
    times: NDArray[np.int64]
    files: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.votes)

    @property
    def pairs(self) -> NDArray[np.int64]:
        """One number for each pair of voter and item: int64[votes]."""
        return pair_numbers(self.voters, self.items)

    @classmethod
    def join(cls, logs: Sequence[Self]) -> Self:
        """Return several logs, at least one, one after the other."""
        return cls(*(np.concatenate([getattr(log, name) for log in logs]) for name in _ARRAYS))

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        """Return the votes of some rows."""
        return type(self)(*(getattr(self, name)[rows] for name in _ARRAYS))

    def turned(self) -> Self:
        """Return the log with agreement and disagreement of numeric votes exchanged."""
        return replace(self, votes=np.where(self.is_numeric, -self.votes, self.votes).astype(np.int8))


_ARRAYS = tuple(VoteLog.__dataclass_fields__)
NO_VOTES = VoteLog(*(np.zeros(0, kind) for kind in (np.int32, np.int32, np.int8, bool, bool, np.int64, np.int32)))


def pair_numbers(voters: NDArray[np.int32], items: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return one number for each pair of a voter's and an item's number: int64[pairs]."""
    return voters.astype(np.int64) << 32 | items.astype(np.int64)


@dataclass(frozen=True)
class Order:
    """A log in order of time.

    Attributes
    ----------
    rows : int64[votes]
        Rows of the log by time; ties in the order of the source.
    is_superseded : bool[votes]
        In that order: the same voter voted on the same item again later.
    is_changed : bool[votes]
        Superseded by a vote with another value.
    is_tie : bool[votes]
        Changed by a vote of the same time.
    """

    rows: NDArray[np.int64]
    is_superseded: NDArray[np.bool_]
    is_changed: NDArray[np.bool_]
    is_tie: NDArray[np.bool_]


def in_order(log: VoteLog) -> Order:
    """Bring a log into order of time and find the votes that later ones replace."""
    rows = np.argsort(log.times, kind="stable").astype(np.int64)
    earlier, later = successive(log.pairs[rows])
    votes, times = log.votes[rows], log.times[rows]
    is_changed = votes[earlier] != votes[later]
    is_tie = is_changed & (times[earlier] == times[later])
    return Order(rows, *(chosen(len(rows), which) for which in (earlier, earlier[is_changed], earlier[is_tie])))


def read_votes(
    source: Source,
    *,
    file: int,
    voters: Ids,
    items: Ids,
    quarantine: Quarantine,
    config: SourceConfig,
    now: datetime,
) -> VoteLog:
    """Read the votes of a file; what cannot be accepted goes to `quarantine`, what was noticed to the source.

    Parameters
    ----------
    file
        Position of the file among the sources.
    voters, items
        Ids met so far; new ones are added.
    now
        Votes may lie no more than a few minutes after it.

    Raises
    ------
    IngestError
        The file cannot be understood.
    """
    chunk_reader = _ChunkReader(source, file, voters, items, quarantine, config)
    chunks = [chunk_reader.read(records) for records in source.records(quarantine)]
    log = VoteLog.join([NO_VOTES, *(chunk.log for chunk in chunks)])
    times = Times.join([chunk.times for chunk in chunks])
    resolved = resolve(times, unit=config.time_unit, now=now)
    sieve = Sieve(quarantine, source.name, np.concatenate([np.zeros(0, np.int64), *(chunk.lines for chunk in chunks)]))
    for reason, rows in resolved.faults.items():
        if rows.any():
            sieve.refuse(rows, reason, column=source.columns["voted_at"], values=times.text())
    source.note_count(int((times.kind[sieve.kept] == NAIVE).sum()), "times without a zone, read as UTC")
    if resolved.unit:
        source.note(f"times are numbers, in {resolved.unit}")
    return replace(log, times=resolved.microseconds).take(sieve.kept)


def parse_votes(column: pa.Array, extra: Mapping[str, int]) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Return votes, and which were written as numbers.

    Parameters
    ----------
    column : StringArray[rows]
    extra
        Words for votes beside those always known.

    Returns
    -------
    votes : int8[rows]
        1, 0, -1; 2 where there is none, 3 where it is none that is known.
    is_numeric : bool[rows]
    """
    words = WORDS | {word.strip().casefold(): vote for word, vote in extra.items()}

    def parse(text: str) -> int:
        number = _NUMERIC_VOTE.fullmatch(text)
        return words.get(text, int(number[1] + number[2]) if number else _UNKNOWN if text else _MISSING)

    is_numeric = parse_distinct(column, lambda text: text not in words and bool(_NUMERIC_VOTE.fullmatch(text)))
    return parse_distinct(column, parse).astype(np.int8), is_numeric.astype(np.bool_)


@dataclass(frozen=True)
class _Chunk:
    """Votes whose times are not understood yet."""

    lines: NDArray[np.int64]
    log: VoteLog
    times: Times


@dataclass(frozen=True)
class _ChunkReader:
    source: Source
    file: int
    voters: Ids
    items: Ids
    quarantine: Quarantine
    config: SourceConfig

    def read(self, records: Records) -> _Chunk:
        """Read all but the unit of the times, and refuse rows that are bad already."""
        absent = pa.nulls(len(records.lines), pa.string())
        columns = {"voter_type": absent} | {ours: records.columns[name] for ours, name in self.source.columns.items()}
        votes, is_numeric = parse_votes(columns["vote"], self.config.vote_values)
        types = parse_distinct(columns["voter_type"], lambda text: _VOTER_TYPES.get(text, _UNKNOWN))
        times = read_times(columns["voted_at"])
        kept = self._sift(records.lines, columns, votes, types, times)
        mask, n_kept = pa.array(kept), int(kept.sum())
        log = VoteLog(
            voters=self.voters.number(columns["voter_id"].filter(mask)),
            items=self.items.number(columns["item_id"].filter(mask)),
            votes=votes[kept],
            is_numeric=is_numeric[kept],
            is_session=types[kept] == 1,
            times=np.zeros(n_kept, np.int64),
            files=np.full(n_kept, self.file, np.int32),
        )
        return _Chunk(records.lines[kept], log, times.take(kept))

    def _sift(
        self,
        lines: NDArray[np.int64],
        columns: Mapping[str, pa.Array],
        votes: NDArray[np.int8],
        types: NDArray[np.int64],
        times: Times,
    ) -> NDArray[np.bool_]:
        """Refuse bad rows; return which are good: bool[rows]."""
        names = self.source.columns
        sieve = Sieve(self.quarantine, self.source.name, lines)
        sift_ids(sieve, columns["voter_id"], "voter", column=names["voter_id"], is_personal=True)
        sift_ids(sieve, columns["item_id"], "item", column=names["item_id"], is_personal=False)
        for ours, reason, rows in (
            ("vote", "vote_missing", votes == _MISSING),
            ("vote", "vote_out_of_range", votes == _UNKNOWN),
            ("voter_type", "voter_type_unknown", types == _UNKNOWN),
            ("voted_at", "timestamp_missing", times.kind == MISSING),
            ("voted_at", "timestamp_unreadable", times.kind == UNREADABLE),
        ):
            sieve.refuse(rows, reason, column=names.get(ours, ""), values=columns[ours])
        return sieve.kept
