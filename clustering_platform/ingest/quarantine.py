"""The quarantine: rows that were refused, why, and what of them may be shown.

What makes a row bad is decided in ``votes`` and ``items``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.ingest.arrays import take_text
from clustering_platform.ingest.escaping import escaped
from clustering_platform.ingest.records import LONGEST_ID, LONGEST_TEXT, Malformed
from clustering_platform.tables import TABLES, conform

SHOWN_CHARACTERS = 200
SHORTEST_TELLING = 4
"""Characters; shorter values are shown even if they happen to be the id of a voter too."""

MESSAGES = {
    "author_id_unusable": f"author ids have no control characters and at most {LONGEST_ID} bytes",
    "bad_quote": "a quote stands where none may; put the value in quotes and double the quotes within it",
    "boolean_unknown": "neither true nor false; write true, false, 1, 0, or nothing for false",
    "column_count": "more or fewer values than the header has columns; put values that hold the separator in quotes",
    "document_too_large": "a document has at most 16 MB; split it",
    "field_too_long": f"longer than {LONGEST_TEXT // 1024} kB; shorten or split it",
    "file_empty": "there is nothing in the file; fill it or take it out of the folder",
    "file_not_text": "not a text file that can be read; save it as UTF-8 text",
    "image_damaged": "the picture is incomplete or damaged; copy or export it again",
    "image_too_large": "a picture has at most 100 million pixels and 256 MB; make it smaller",
    "image_unknown": "no picture that can be read, whatever its name says; save it as JPEG, PNG or WebP",
    "item_id_missing": "no item id",
    "item_id_unusable": f"item ids have no control characters and at most {LONGEST_ID} bytes",
    "item_unknown": "no item of this dataset has that id; correct it, add the item, or leave the row out",
    "json_broken": "the line is no complete JSON object",
    "json_duplicate_key": "the object has a key twice",
    "json_lone_surrogate": "half of a surrogate pair, which is no character",
    "json_nested": "a list or an object where one value is expected",
    "json_not_finite": "NaN and Infinity are no JSON; write null or leave the key out",
    "json_not_object": "the line is no JSON object",
    "json_too_deep": "nested too deeply",
    "label_missing": "no label; leave out items of which nothing is known",
    "label_unusable": f"labels have no control characters and at most {LONGEST_ID} bytes",
    "moderation_unknown": "moderation is -1 rejected, 0 not moderated or 1 accepted",
    "not_decodable": "a byte that does not fit the encoding; save the file as UTF-8, or set source.encoding",
    "nul_byte": "a NUL byte; export the file again",
    "timestamp_future": "in the future; correct the clock or the value",
    "timestamp_implausible": "not a time since 1990; correct it, or set source.time_unit in dataset.yaml",
    "timestamp_missing": "no time",
    "timestamp_unit": "in another unit than most times of the file; use one unit for a whole file",
    "timestamp_unreadable": "not a time; write ISO 8601 or a number of (milli)seconds since 1970",
    "truth_is_itself": "names the item itself; name the other item, or nothing",
    "truth_unknown": "the item that it is paired with is none of this dataset; correct the id, or add the item",
    "vector_ambiguous": "the id stands here more than once, with different vectors; keep one of them",
    "vector_dimension": "not as many numbers as the other vectors have",
    "vector_missing": "no vector",
    "vector_not_finite": "NaN, infinite, or a number too large for 32 bits",
    "vector_zero": "all numbers are zero: the vector points nowhere",
    "vote_missing": "no vote; a vote that was not cast is left out, a pass is 0",
    "vote_out_of_range": "not a vote; write -1, 0 or 1, or name the word under source.vote_values in dataset.yaml",
    "voter_id_missing": "no voter id",
    "voter_id_unusable": f"voter ids have no control characters and at most {LONGEST_ID} bytes",
    "voter_type_unknown": "voter_type is user or session",
}
"""Reason to what is wrong and what to do."""


@dataclass(frozen=True)
class _Part:
    """Rows of a file that are refused for one reason."""

    file: str
    reason: str
    column: str
    lines: NDArray[np.int64]
    values: pa.Array


@dataclass
class Quarantine:
    """Collects refused rows of all files.

    `shows_people` says whether values of columns that name people may be kept.
    """

    shows_people: bool
    _parts: list[_Part] = field(default_factory=list)

    def add(
        self, file: str, lines: NDArray[np.int64], reason: str, *, column: str = "", values: pa.Array | None = None
    ) -> None:
        """Take in rows of a file that are refused for one reason.

        Parameters
        ----------
        lines : int64[rows]
        values : StringArray[rows]
            What stands in `column`; None withholds it.
        """
        kept = pa.nulls(len(lines), pa.large_string()) if values is None else _shown(values)
        self._parts.append(_Part(file, reason, column, lines, kept))

    def add_malformed(self, file: str, rows: Sequence[Malformed]) -> None:
        """Take in rows that a reader could not read; nothing of them is kept."""
        for reason in sorted({row.reason for row in rows}):
            found = [row for row in rows if row.reason == reason]
            details = pa.array([row.details for row in found], pa.string())
            self.add(file, np.array([row.line for row in found], np.int64), reason, values=details)

    def table(self, *, people: pa.Array) -> pa.Table:
        """Return the table `quarantine`, in order of file and line.

        Parameters
        ----------
        people : StringArray
            Ids of known voters and authors: they are withheld in whatever column they ended up.
        """
        contract = TABLES["quarantine"]
        if not self._parts:
            return contract.empty()
        parts = sorted(self._parts, key=lambda part: part.file)
        lines = np.concatenate([part.lines for part in parts])
        part_of = np.repeat(np.arange(len(parts)), [len(part.lines) for part in parts])
        files = np.unique([part.file for part in parts], return_inverse=True)[1][part_of]
        order = np.lexsort((lines, files))
        texts = {
            "file": [part.file for part in parts],
            "column": [part.column for part in parts],
            "reason": [part.reason for part in parts],
            "message": [MESSAGES[part.reason] for part in parts],
        }
        columns = {name: take_text(pa.array(values), part_of[order]) for name, values in texts.items()}
        values = take_text(self._without_people(pa.concat_arrays([part.values for part in parts]), people), order)
        return conform(pa.table({**columns, "line": lines[order], "value": values}), contract)

    def _without_people(self, values: pa.Array, people: pa.Array) -> pa.Array:
        if self.shows_people:
            return values
        is_person = pc.is_in(values, value_set=people.cast(values.type))
        return pc.if_else(pc.and_(is_person, pc.greater_equal(pc.utf8_length(values), SHORTEST_TELLING)), None, values)


class Sieve:
    """The rows of one chunk of a file that are still good."""

    def __init__(self, quarantine: Quarantine, file: str, lines: NDArray[np.int64]) -> None:
        self._quarantine, self._file, self._lines = quarantine, file, lines
        self.kept: NDArray[np.bool_] = np.ones(len(lines), np.bool_)

    def refuse(
        self, rows: NDArray[np.bool_], reason: str, *, column: str, values: pa.Array, is_personal: bool = False
    ) -> None:
        """Refuse those of `rows` (bool[rows]) that are still good."""
        bad = rows & self.kept
        if not bad.any():
            return
        hidden = is_personal and not self._quarantine.shows_people
        shown = None if hidden else values.filter(pa.array(bad))
        self._quarantine.add(self._file, self._lines[bad], reason, column=column, values=shown)
        self.kept &= ~rows


def _shown(values: pa.Array) -> pa.Array:
    """Return values cut to what is shown, control and format characters escaped: LargeStringArray[rows]."""
    cut = pc.utf8_slice_codeunits(values, 0, SHOWN_CHARACTERS)
    if pc.any(pc.match_substring_regex(cut, r"\pC")).as_py():
        cut = pa.array([value and escaped(value, SHOWN_CHARACTERS) for value in cut.to_pylist()], pa.string())
    return cut.cast(pa.large_string())
