"""Polis exports: the sign of their votes, and whether what was read agrees with what Polis counted.

Nothing here changes what is published, but for the sign.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.dataset_config import SourceConfig
from clustering_platform.ingest.arrays import parse_distinct
from clustering_platform.ingest.columns import normalise
from clustering_platform.ingest.csv_files import CsvFile
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.found import COUNTS, Source
from clustering_platform.ingest.ids import Ids
from clustering_platform.ingest.items import ItemLog
from clustering_platform.ingest.sources import POLIS_MATRIX_FILES, POLIS_SUMMARY_FILE
from clustering_platform.ingest.text_files import TextFile
from clustering_platform.ingest.votes import VoteLog, pair_numbers

_EXPORT_COLUMNS = {"votes": {"comment-id", "voter-id"}, "items": {"comment-id", "comment-body"}}
_ABOUT = {"topic": "title", "conversation-description": "description"}
_PARTICIPANT = "participant"
_CELLS = {"-1": -1, "0": 0, "1": 1, "-1.0": -1, "0.0": 0, "1.0": 1, "": 2}
_NO_VOTE, _NOT_A_VOTE = 2, 3


@dataclass(frozen=True)
class LastVotes:
    """The vote of every voter on every item that counts, to look up.

    Attributes
    ----------
    pairs : int64[votes]
        `pair_numbers`, ascending.
    votes : int8[votes]
    """

    pairs: NDArray[np.int64]
    votes: NDArray[np.int8]

    @classmethod
    def of(cls, log: VoteLog) -> Self:
        """Return the last votes of a log in which nobody votes twice on an item."""
        order = np.argsort(log.pairs)
        return cls(log.pairs[order], log.votes[order])

    def find(self, pairs: NDArray[np.int64]) -> NDArray[np.int8]:
        """Return the votes of some pairs, 2 where there is none: int8[pairs]."""
        if not len(self.pairs):
            return np.full(len(pairs), _NO_VOTE, np.int8)
        places = np.minimum(np.searchsorted(self.pairs, pairs), len(self.pairs) - 1)
        return np.where(self.pairs[places] == pairs, self.votes[places], _NO_VOTE).astype(np.int8)


def find_export(sources: Sequence[Source], config: SourceConfig) -> Path | None:
    """Return the folder of the Polis export among the sources, or None.

    Raises
    ------
    IngestError
        There are several, or ``source.format`` promises one and there is none.
    """
    if config.format == "table":
        return None
    found = [
        source
        for source in sources
        if source.content in _EXPORT_COLUMNS
        and _EXPORT_COLUMNS[source.content] <= {normalise(name) for name in source.reader.columns}
    ]
    folders = sorted({source.reader.path.parent for source in found if source.content == "votes"})
    if not folders or not any(source.content == "items" for source in found):
        if config.format == "polis":
            raise IngestError(
                "source.format is polis, but there are no votes with comment-id and voter-id and comments with "
                "comment-id and comment-body"
            )
        return None
    if len(folders) > 1:
        names = ", ".join(folder.name for folder in folders)
        raise IngestError(f"several Polis exports in one dataset ({names}); make each a dataset of its own")
    return folders[0]


def find_sign(log: VoteLog, items: ItemLog, config: SourceConfig) -> tuple[bool, str | None]:
    """Tell whether numeric votes have agree as -1, and why.

    With ``auto``, the sign with which the votes fit the counts of at least half of the items that can tell.
    """
    straight, turned, total = _count_fitting(log, items)
    if config.vote_sign != "auto":
        is_negative = config.vote_sign == "agree_negative"
        against = straight - turned if is_negative else turned - straight
        doubt = f"; but the counts of {max(straight, turned)} of {total} items say the opposite" if against > 0 else ""
        sign = "-1" if is_negative else "+1"
        return is_negative, f"agree is {sign} in numeric votes, as set by source.vote_sign{doubt}"
    if not total or not log.is_numeric.any():
        return False, None
    if 2 * max(straight, turned) < total:
        return False, (
            f"the counts of items fit neither sign of votes (agree as +1: {straight} of {total}, as -1: {turned}); "
            "agree is taken to be +1, set source.vote_sign to agree_negative if it is not"
        )
    if turned > straight:
        return (
            True,
            f"agree is -1 in this file and was turned to +1: so the votes fit the counts of {turned} of {total} items",
        )
    return False, f"agree is +1 in this file: so the votes fit the counts of {straight} of {total} items"


def _count_fitting(log: VoteLog, items: ItemLog) -> tuple[int, int, int]:
    """Return on how many items the votes fit the source's counts as they are, and turned, and how many can tell.

    All votes count, re-votes included, as in the counts of Polis. Only items that it counted more of one side can tell.
    """
    agrees, disagrees = (np.asarray(pc.fill_null(items.table[name], -1), np.int64) for name in COUNTS)
    is_telling = (agrees >= 0) & (disagrees >= 0) & (agrees != disagrees)
    size = int(max(items.items.max(initial=-1), log.items.max(initial=-1))) + 1
    plus, minus = (np.bincount(log.items[log.votes == vote], minlength=size)[items.items] for vote in (1, -1))
    straight = is_telling & (plus == agrees) & (minus == disagrees)
    turned = is_telling & (plus == disagrees) & (minus == agrees)
    return int(straight.sum()), int(turned.sum()), int(is_telling.sum())


def compare_matrix(folder: Path, config: SourceConfig, last: LastVotes, voters: Ids, items: Ids) -> str | None:
    """Rebuild the matrix of participants and comments that Polis exports; return how many cells differ."""
    path = next((folder / name for name in POLIS_MATRIX_FILES if (folder / name).is_file()), None)
    if path is None:
        return None
    try:
        compared, different = _compare_cells(_open_matrix(path, config), last, voters, items)
    except IngestError as error:
        return f"could not be compared with the votes: {error}"
    return f"{path.name}: {different:,} of {compared:,} votes differ from those read"


def compare_summary(summary: Mapping[str, str], log: VoteLog) -> str | None:
    """Compare the numbers of voters and of comments voted on with those of the summary."""
    read = {"voters": len(np.unique(log.voters)), "comments": len(np.unique(log.items))}
    told = {name: int(summary[name]) for name in read if summary.get(name, "").isdecimal()}
    if not told:
        return None
    parts = [
        f"{count:,} {name}" + ("" if count == read[name] else f" ({read[name]:,} were read)")
        for name, count in told.items()
    ]
    return f"{POLIS_SUMMARY_FILE} counts {' and '.join(parts)}"


def read_summary(folder: Path, config: SourceConfig) -> dict[str, str]:
    """Return the keys and values of the summary of an export; none where it cannot be read."""
    path = folder / POLIS_SUMMARY_FILE
    if not path.is_file():
        return {}
    try:
        lines = TextFile(path, path.name, encoding=config.encoding).first_lines()
        return {row[0].strip(): row[1].strip() for row in csv.reader(lines) if len(row) == 2}
    except (IngestError, csv.Error):
        return {}


def about(summary: Mapping[str, str]) -> dict[str, str]:
    """Return what the summary says about the conversation: `title` and `description`."""
    return {ours: summary[key] for key, ours in _ABOUT.items() if summary.get(key)}


def _open_matrix(path: Path, config: SourceConfig) -> CsvFile:
    text = TextFile(path, path.name, encoding=config.encoding)
    matrix = CsvFile(text, recognises=lambda names: _PARTICIPANT in names)
    if _PARTICIPANT not in matrix.columns:
        raise IngestError(f"{path.name}: has no column {_PARTICIPANT!r}")
    return matrix


def _compare_cells(matrix: CsvFile, last: LastVotes, voters: Ids, items: Ids) -> tuple[int, int]:
    """Return how many votes there are in either, and how many of them are not the same in both."""
    columns = [name for name in matrix.columns if name.isdecimal()]
    numbers = items.find(pa.array(columns, pa.string()))
    told = both = same = 0
    for records in matrix.records([_PARTICIPANT, *columns]):
        rows = voters.find(records.columns[_PARTICIPANT])
        for name, number in zip(columns, numbers, strict=True):
            cells = parse_distinct(records.columns[name], lambda text: _CELLS.get(text, _NOT_A_VOTE))
            read = last.find(pair_numbers(rows, np.full(len(rows), number, np.int32)))
            is_told, is_read = cells != _NO_VOTE, read != _NO_VOTE
            told += int(is_told.sum())
            both += int((is_told & is_read).sum())
            same += int((is_told & (cells == read)).sum())
    either = told + len(last.pairs) - both
    return either, either - same
