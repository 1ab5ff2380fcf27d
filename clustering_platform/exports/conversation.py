"""The committed tables of one day of a dataset, and the numbers by which Polis calls its people and comments."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.datasets import Dataset
from clustering_platform.exports.tables import find_commit
from clustering_platform.semantics.document_topics import main_topics
from clustering_platform.store.commits import Commits
from clustering_platform.store.errors import StoreError
from clustering_platform.store.files import Files, StoredFile
from clustering_platform.tables import TABLES

DAY_TABLES = (
    "vote_matrix",
    "voted_items",
    "opinion_space",
    "base_clusters",
    "groups",
    "voter_groups",
    "voting_patterns",
    "representative_items",
    "consensus_items",
    "item_statistics",
    "opinion_snapshot",
)
DATASET_TABLES = ("items", "votes", "topic_tree", "item_topics", "chunks")
_SOURCES = ("items", "votes")
_PLAIN = r"^(0|[1-9][0-9]{0,14})$"
"""Whole numbers that are written in one way only and that JSON holds exactly."""


@dataclass(frozen=True)
class Numbering:
    """Distinct ids and the numbers that stand for them: int64[ids]. `is_plain`: the ids are those numbers."""

    ids: pa.Array
    numbers: NDArray[np.int64]
    is_plain: bool

    @classmethod
    def of(cls, *ids: pa.Array | pa.ChunkedArray) -> "Numbering":
        """Return ids numbered in the order in which they come, or as they are if all of them are whole numbers."""
        parts = [part.cast(pa.string()) for part in ids]
        every = pc.unique(pa.chunked_array([chunk for part in parts for chunk in _chunks(part)], pa.string()))
        every = every.drop_null()
        is_plain = pc.all(pc.match_substring_regex(every, _PLAIN), min_count=0).as_py()
        numbers = np.asarray(every.cast(pa.int64())) if is_plain else np.arange(len(every), dtype=np.int64)
        return cls(every, numbers, is_plain)

    def find(self, ids: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
        """Return the numbers of ids, -1 for null and for unknown ones: int64[ids]."""
        places = np.asarray(pc.fill_null(pc.index_in(ids, self.ids, skip_nulls=True), -1), np.int64)
        return np.append(self.numbers, -1)[places]


@dataclass(frozen=True)
class Conversation:
    """One day of a dataset.

    Attributes
    ----------
    tick
        What counts its versions: the number of the commit.
    tables
        By name; those of topics are empty where there are none. `item_topics` holds the main topic of each item.
    """

    title: str
    description: str
    day: date
    tick: int
    tables: Mapping[str, pa.Table]

    @cached_property
    def people(self) -> Numbering:
        """Voters in order of their first vote, then authors of items who did not vote."""
        return Numbering.of(self.tables["voter_groups"]["voter_id"], self.tables["items"]["author_id"])

    @cached_property
    def comments(self) -> Numbering:
        """Items in order of their first vote, then those without a vote."""
        return Numbering.of(self.tables["voted_items"]["item_id"], self.tables["items"]["item_id"])

    @cached_property
    def voted(self) -> NDArray[np.int64]:
        """Numbers of the items that have votes, ascending: int64[items]."""
        return np.sort(self.comments.find(self.tables["voted_items"]["item_id"]))

    @cached_property
    def votes(self) -> pa.Table:
        """The log of votes from the first to the last that count on this day, re-votes included."""
        snapshot, votes = self.tables["opinion_snapshot"], self.tables["votes"]
        first, last = (snapshot[name][0] for name in ("first_vote_at", "last_vote_at"))
        if not last.is_valid:
            return votes.slice(0, 0)
        times = votes["voted_at"]
        inside = pc.and_(pc.greater_equal(times, first), pc.less_equal(times, last))
        return votes if pc.all(inside).as_py() else votes.filter(inside)

    @cached_property
    def vote_numbers(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of the item and of the voter of each vote of the log: int64[votes] each."""
        return self.comments.find(self.votes["item_id"]), self.people.find(self.votes["voter_id"])

    @property
    def last_vote_ms(self) -> int:
        """Time of the last vote in milliseconds since 1970, 0 where there is none."""
        last = self.tables["opinion_snapshot"]["last_vote_at"][0].as_py()
        return milliseconds(last) if last else 0


def milliseconds(time: datetime) -> int:
    """Return a time as whole milliseconds since 1970."""
    whole = time.astimezone(UTC)
    return int(whole.replace(microsecond=0).timestamp()) * 1000 + whole.microsecond // 1000


def read_conversation(commits: Commits, dataset: Dataset, day: date | None) -> Conversation:
    """Read the newest commit of a day, by default of the newest day.

    Items and votes are those from which the day was made, with the topics committed beside them. Where they are
    gone, the newest are taken.

    Raises
    ------
    ExportError
        The day is not published.
    StoreError
        A file of the commit is gone.
    """
    commit = find_commit(commits, dataset.name, day)
    files = {name: commits.committed_file(commit, name) for name in DAY_TABLES}
    files |= _sources(commits, dataset.name, files["vote_matrix"].inputs)
    tables = {name: TABLES[name].empty() for name in DATASET_TABLES}
    tables |= {name: commits.files.read(file) for name, file in files.items()}
    tables["item_topics"] = main_topics(tables["chunks"], tables["item_topics"])
    config = dataset.config
    return Conversation(
        title=dataset.title,
        description=config.description or "",
        day=commit.day or date.min,
        tick=commit.sequence,
        tables=tables,
    )


def _sources(commits: Commits, dataset: str, inputs: Mapping[str, str]) -> dict[str, StoredFile]:
    """Return the files of the dataset as a whole that belong to a day whose votes were made from `inputs`."""
    wanted = {name: inputs.get(name) for name in _SOURCES}
    log = [one for one in commits.log(dataset) if one.day is None and set(_SOURCES) <= set(one.tables)]
    exact = [one for one in log if all(one.tables[name].content == wanted[name] for name in _SOURCES)]
    found = {}
    for commit in (exact or log)[:1]:
        found = {name: commits.committed_file(commit, name) for name in DATASET_TABLES if name in commit.tables}
    if not exact:
        found |= _uncommitted(commits.files, dataset, wanted)
    if not set(_SOURCES) <= set(found):
        raise StoreError(f"items and votes of {dataset!r} are not there any more; run: clustering run {dataset}")
    return found


def _uncommitted(files: Files, dataset: str, wanted: Mapping[str, str | None]) -> dict[str, StoredFile]:
    """Return the files with the wanted content that no commit names, if all are there: topics may have failed."""
    found = {
        name: file
        for name in wanted
        for path in sorted(files.folder(name, dataset, None).glob("*.parquet"))
        if (file := files.describe(path)).content == wanted[name]
    }
    return found if len(found) == len(wanted) else {}


def _chunks(column: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]
