"""JSON Lines files as records: one object a line, numbers kept as they are written.

Encoding and line ends belong in ``text_files``, the meaning of keys in ``columns``.
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa

from clustering_platform.ingest.errors import AccountingError, IngestError
from clustering_platform.ingest.records import (
    CHUNK_CHARACTERS,
    CHUNK_ROWS,
    Malformed,
    Records,
    rest_columns,
    rest_json,
)
from clustering_platform.ingest.text_files import TextFile

PEEKED_LINES = 100
"""Lines from which the columns of a file are taken."""
DEEPEST_NESTING = 20


class BadObjectError(ValueError):
    """What was to be an object cannot be used; its argument is the reason."""


class JsonlFile:
    """A JSON Lines file; its columns are the keys of its first lines.

    Raises
    ------
    IngestError
        It is one JSON array, or there is nothing in it.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, text: TextFile) -> None:
        self._text, self.path = text, text.path
        keys: dict[str, None] = {}
        given = (line for line in text.first_lines() if not line.isspace())
        for number, line in enumerate(itertools.islice(given, PEEKED_LINES)):
            if number == 0 and _is_open_array(line):
                raise IngestError(f"{text.name}: is one JSON array; write one object a line (JSON Lines) instead")
            try:
                keys |= dict.fromkeys(_parse(line))
            except BadObjectError:
                continue
        self.columns = tuple(keys)

    def records(self, wanted: Sequence[str], *, without: frozenset[str] | None = None) -> Iterator[Records]:
        """Yield all rows; see `Reader.records`."""
        scan = self._text.scan()
        number = 0
        with self._text.lines() as file:
            chunk, characters = ObjectRows(wanted, without), 0
            for number, line in enumerate(file, start=1):
                if line.isspace():
                    continue
                chunk.add(number, line)
                characters += len(line)
                if chunk.size >= CHUNK_ROWS or characters >= CHUNK_CHARACTERS:
                    yield chunk.records()
                    chunk, characters = ObjectRows(wanted, without), 0
            yield chunk.records()
        if number != scan.lines:
            raise AccountingError(f"{self._text.name}: {number} of {scan.lines} lines were parsed")


def _is_open_array(line: str) -> bool:
    """Tell whether a line begins an array of objects, rather than being a misplaced value."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line.lstrip().startswith("[")
    return isinstance(value, list) and any(isinstance(inner, dict) for inner in value)


class ObjectRows:
    """Objects on their way into `Records`; see `Reader.records` for `wanted` and `without`."""

    def __init__(self, wanted: Sequence[str], without: frozenset[str] | None) -> None:
        self._without = without
        self._lines: list[int] = []
        self._columns: dict[str, list[str | None]] = {name: [] for name in wanted}
        self._rest: list[str | None] = []
        self._malformed: list[Malformed] = []

    @property
    def size(self) -> int:
        """Number of rows so far."""
        return len(self._lines) + len(self._malformed)

    def add(self, line: int, text: str) -> None:
        """Take in a line of text."""
        try:
            row = _parse(text)
        except BadObjectError as error:
            self.refuse(line, str(error))
        else:
            self.add_object(line, row)

    def add_object(self, line: int, row: Mapping[str, Any]) -> None:
        """Take in an object, its numbers as text."""
        try:
            values = [_scalar(row.get(name)) for name in self._columns]
        except BadObjectError as error:
            self.refuse(line, str(error))
            return
        self._lines.append(line)
        for column, value in zip(self._columns.values(), values, strict=True):
            column.append(value)
        if self._without is not None:
            self._rest.append(rest_json((name, _text(row[name])) for name in rest_columns(row, self._without)))

    def refuse(self, line: int, reason: str) -> None:
        """Take in a row that cannot be used."""
        self._malformed.append(Malformed(line, reason))

    def records(self) -> Records:
        """Return the rows."""
        columns = {name: pa.array(values, pa.string()) for name, values in self._columns.items()}
        return Records(np.array(self._lines, np.int64), columns, self._rest, self._malformed)


def _parse(line: str) -> dict[str, Any]:
    """Return the object in a line, its numbers as text.

    Raises
    ------
    BadObjectError
        With the reason for which the line is refused.
    """
    if "\0" in line:
        raise BadObjectError("nul_byte")
    try:
        row = DECODER.decode(line)
    except RecursionError:
        raise BadObjectError("json_too_deep") from None
    except json.JSONDecodeError:
        raise BadObjectError("json_broken") from None
    if not isinstance(row, dict):
        raise BadObjectError("json_not_object")
    check_value(row, line)
    return row


def check_value(value: Any, text: str) -> None:
    """Raise `BadObjectError` where a value is nested too deeply or holds what is no character; `text` is its JSON."""
    if text.count("[") + text.count("{") > DEEPEST_NESTING and _depth(value) > DEEPEST_NESTING:
        raise BadObjectError("json_too_deep")
    if "\\u" in text:
        _check_characters(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise BadObjectError("json_duplicate_key")
    return row


def _refuse_constant(_: str) -> NoReturn:
    raise BadObjectError("json_not_finite")


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=_refuse_constant)


def _check_characters(value: Any) -> None:
    if isinstance(value, dict | list):
        for inner in (*value, *value.values()) if isinstance(value, dict) else value:
            _check_characters(inner)
    elif isinstance(value, str):
        if "\0" in value:
            raise BadObjectError("nul_byte")
        if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
            raise BadObjectError("json_lone_surrogate")


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth


def _scalar(value: Any) -> str | None:
    if type(value) is str:
        return value
    if isinstance(value, dict | list):
        raise BadObjectError("json_nested")
    return _text(value)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
