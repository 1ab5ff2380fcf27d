"""Items: from records to the table of items.

Comparing their counts of votes with the votes belongs in ``polis``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.dataset_config import SourceConfig
from clustering_platform.ingest.arrays import chosen, parse_distinct, successive, take_text
from clustering_platform.ingest.found import COUNTS, Source
from clustering_platform.ingest.ids import Ids, sift_ids, unusable
from clustering_platform.ingest.quarantine import Quarantine, Sieve
from clustering_platform.ingest.records import LONGEST_TEXT, Records
from clustering_platform.ingest.times import MISSING, NAIVE, Times, read_times, resolve
from clustering_platform.ingest.vector_rows import VectorRows, refuse_vectors
from clustering_platform.tables import TABLES, arrow_type, conform

_UNKNOWN = 9
_SIGNED = {"": 0, "-1": -1, "0": 0, "1": 1, "+1": 1, "-1.0": -1, "0.0": 0, "1.0": 1}
_BOOLEAN = {"": 0, "0": 0, "f": 0, "n": 0, "no": 0, "false": 0, "1": 1, "t": 1, "y": 1, "yes": 1, "true": 1}
_FLAGS = {"moderation": _SIGNED, "is_meta": _BOOLEAN, "is_seed": _BOOLEAN}
_COUNT = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class ItemLog:
    """Rows of item files in the order of the source.

    Attributes
    ----------
    items : int32[rows]
        Numbers of the item ids.
    files : int32[rows]
        Position of the file among the sources.
    table : Table[rows]
        ``text``, ``created_at``, ``author`` (number of the author's id, null where there is none), ``moderation``,
        ``is_meta``, ``is_seed``, ``metadata``, the votes as counted by the source in ``agrees`` and ``disagrees``
        (null where it does not say), the ``line`` of the file, and ``file`` and ``file_hash`` of a picture.
    """

    items: NDArray[np.int32]
    files: NDArray[np.int32]
    table: pa.Table

    @classmethod
    def join(cls, logs: Sequence[Self]) -> Self:
        """Return several logs, at least one, one after the other."""
        return cls(
            np.concatenate([log.items for log in logs]),
            np.concatenate([log.files for log in logs]),
            pa.concat_tables([log.table for log in logs]),
        )

    def take(self, rows: NDArray[np.bool_]) -> Self:
        """Return some rows (bool[rows])."""
        return type(self)(self.items[rows], self.files[rows], self.table.filter(pa.array(rows)))


SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("created_at", pa.timestamp("us", "UTC")),
        ("author", pa.int32()),
        ("moderation", pa.int8()),
        ("is_meta", pa.bool_()),
        ("is_seed", pa.bool_()),
        ("metadata", pa.string()),
        ("agrees", pa.int32()),
        ("disagrees", pa.int32()),
        ("line", pa.int64()),
        ("file", pa.string()),
        ("file_hash", pa.string()),
    ]
)
NO_ITEMS = ItemLog(np.zeros(0, np.int32), np.zeros(0, np.int32), SCHEMA.empty_table())


def find_replaced(log: ItemLog) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows a later row of the same item replaces, and which of them have another text: bool[rows] each."""
    earlier, later = successive(log.items.astype(np.int64))
    texts = log.table["text"]
    is_changed = np.asarray(pc.not_equal(texts.take(pa.array(earlier)), texts.take(pa.array(later))), np.bool_)
    return chosen(len(log.items), earlier), chosen(len(log.items), earlier[is_changed])


def items_table(
    listed: ItemLog, unlisted: NDArray[np.int32], *, people: pa.Array, item_ids: pa.Array, first_votes: pa.Array
) -> pa.Table:
    """Return the table `items`: those of the item files, then those that only votes or vectors name.

    Parameters
    ----------
    unlisted : int32[items]
        Numbers of those that no item file lists.
    people, item_ids : StringArray
        What to call the authors and items of each number.
    first_votes : TimestampArray
        When the item of each number was first voted on.
    """
    contract = TABLES["items"]
    table = listed.table.append_column("item_id", take_text(item_ids, listed.items))
    table = table.append_column("author_id", people.take(table["author"].combine_chunks()))
    table = table.append_column("is_listed", pa.repeat(True, len(table))).drop_columns(["author", "line", *COUNTS])
    table = table.append_column("first_vote_at", first_votes.take(pa.array(listed.items)))
    nothing = {"moderation": 0, "is_meta": False, "is_seed": False, "is_listed": False}
    told = {"item_id": take_text(item_ids, unlisted), "first_vote_at": first_votes.take(pa.array(unlisted))}
    rest = told | {
        column.name: pa.repeat(pa.scalar(nothing.get(column.name), arrow_type(column.type)), len(unlisted))
        for column in contract.columns
        if column.name not in told
    }
    return conform(pa.concat_tables([conform(table, contract), conform(pa.table(rest), contract)]), contract)


def read_items(
    source: Source,
    *,
    file: int,
    items: Ids,
    people: Ids,
    quarantine: Quarantine,
    config: SourceConfig,
    now: datetime,
    vectors: VectorRows | None = None,
    dimension: int = 1,
) -> ItemLog:
    """Read the items of a file; what cannot be accepted goes to `quarantine`, what was noticed to the source.

    An empty text is a text. A time of writing that cannot be read is left out.

    Parameters
    ----------
    file
        Position of the file among the sources.
    items, people
        Ids met so far; new ones are added.
    vectors
        Vectors that stand in a column of the file; rows in which they cannot be used are refused.
    dimension
        How many numbers a vector has.

    Raises
    ------
    IngestError
        The file cannot be understood.
    """
    faults = vectors.faults(dimension) if vectors else {}
    reader = _ChunkReader(source, items, people, quarantine, config.vectors.column or "", vectors, faults)
    chunks = [reader.read(records) for records in source.records(quarantine)]
    times = Times.join([chunk.times for chunk in chunks])
    resolved = resolve(times, unit=config.time_unit, now=now)
    is_bad = ~resolved.is_good
    source.note_count(int((is_bad & (times.kind != MISSING)).sum()), "times of writing that cannot be read, left out")
    source.note_count(int((~is_bad & (times.kind == NAIVE)).sum()), "times without a zone, read as UTC")
    table = pa.concat_tables([SCHEMA.empty_table(), *(chunk.table for chunk in chunks)])
    created_at = pa.array(resolved.microseconds, pa.timestamp("us", "UTC"), mask=is_bad)
    table = table.set_column(SCHEMA.get_field_index("created_at"), SCHEMA.field("created_at"), created_at)
    numbers = np.concatenate([np.zeros(0, np.int32), *(chunk.items for chunk in chunks)])
    return ItemLog(numbers, np.full(len(numbers), file, np.int32), table)


@dataclass(frozen=True)
class _Chunk:
    """Items whose times are not understood yet: `created_at` is null throughout."""

    items: NDArray[np.int32]
    table: pa.Table
    times: Times


@dataclass(frozen=True)
class _ChunkReader:
    source: Source
    items: Ids
    people: Ids
    quarantine: Quarantine
    vector_column: str
    vectors: VectorRows | None
    vector_faults: Mapping[str, NDArray[np.bool_]]

    def read(self, records: Records) -> _Chunk:
        """Read all but the unit of the times, and refuse rows that are bad."""
        absent = pa.nulls(len(records.lines), pa.string())
        given = {ours: records.columns[name] for ours, name in (self.source.columns | self.source.counts).items()}
        columns = dict.fromkeys((*SCHEMA.names, "author_id"), absent) | given
        if records.rest:
            columns["metadata"] = pa.array(records.rest, pa.string())
        flags = {name: _parse_flag(columns[name], known) for name, known in _FLAGS.items()}
        kept = self._sift(records.lines, columns, flags)
        table = pa.table(
            {
                "text": pc.fill_null(columns["text"], ""),
                "created_at": pa.nulls(len(absent), SCHEMA.field("created_at").type),
                "author": self._numbers(columns["author_id"], kept),
                **flags,
                "metadata": columns["metadata"],
                **{name: _parse_counts(columns[name]) for name in COUNTS},
                "line": records.lines,
                "file": columns["file"],
                "file_hash": absent,
            }
        ).filter(pa.array(kept))
        numbers = self.items.number(columns["item_id"].filter(pa.array(kept)))
        return _Chunk(numbers, table.cast(SCHEMA), read_times(columns["created_at"]).take(kept))

    def _sift(
        self, lines: NDArray[np.int64], columns: Mapping[str, pa.Array], flags: Mapping[str, NDArray[np.int8]]
    ) -> NDArray[np.bool_]:
        """Refuse bad rows; return which are good: bool[rows]."""
        names = self.source.columns
        sieve = Sieve(self.quarantine, self.source.name, lines)
        sift_ids(sieve, columns["item_id"], "item", column=names["item_id"], is_personal=False)
        author = columns["author_id"]
        is_bad = unusable(author)
        sieve.refuse(is_bad, "author_id_unusable", column=names.get("author_id", ""), values=author, is_personal=True)
        has_nul = np.asarray(pc.fill_null(pc.match_substring(columns["text"], "\0"), False), np.bool_)
        for ours, reason, rows in (
            ("text", "field_too_long", _too_long(columns["text"])),
            ("text", "nul_byte", has_nul),
            ("metadata", "field_too_long", _too_long(columns["metadata"])),
            ("moderation", "moderation_unknown", flags["moderation"] == _UNKNOWN),
            ("is_meta", "boolean_unknown", flags["is_meta"] == _UNKNOWN),
            ("is_seed", "boolean_unknown", flags["is_seed"] == _UNKNOWN),
        ):
            is_personal = ours == "metadata"
            sieve.refuse(rows, reason, column=names.get(ours, ""), values=columns[ours], is_personal=is_personal)
        if self.vectors:
            refuse_vectors(sieve, self.vectors, self.vector_faults, lines - 1, column=self.vector_column)
        return sieve.kept

    def _numbers(self, author: pa.Array, kept: NDArray[np.bool_]) -> pa.Array:
        """Return the numbers of authors, null where there is none or the row is refused."""
        is_given = kept & np.asarray(pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(author), ""), False))
        numbers = np.zeros(len(author), np.int32)
        numbers[is_given] = self.people.number(author.filter(pa.array(is_given)))
        return pa.array(numbers, mask=~is_given)


def _parse_flag(column: pa.Array, known: Mapping[str, int]) -> NDArray[np.int8]:
    return parse_distinct(column, lambda text: known.get(text, _UNKNOWN)).astype(np.int8)


def _parse_counts(column: pa.Array) -> pa.Array:
    counts = parse_distinct(column, lambda text: int(text) if _COUNT.fullmatch(text) else -1)
    return pa.array(counts.astype(np.int32), mask=counts < 0)


def _too_long(column: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(pc.greater(pc.binary_length(column), LONGEST_TEXT), False), np.bool_)
