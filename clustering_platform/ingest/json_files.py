"""One JSON file as records: an array of objects, or an object of them by id.

Only the metadata of vectors come so; rows of data are read from JSON Lines (``jsonl_files``).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.jsonl_files import DECODER, BadObjectError, ObjectRows, check_value
from clustering_platform.ingest.quarantine import MESSAGES
from clustering_platform.ingest.records import CHUNK_ROWS, Records
from clustering_platform.ingest.text_files import TextFile

LARGEST_JSON = 256 * 2**20
"""Bytes; the whole file is in memory at once."""
KEY = "item_id"


class JsonFile:
    """A JSON array of objects, of ids, or an object whose keys are ids.

    Keys of an object, and values of an array of ids, become the column ``item_id`` of rows that have none.

    Attributes
    ----------
    keys
        Keys of an object, in order; None for an array.

    Raises
    ------
    IngestError
        It is too large, broken, or something else.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, path: Path, name: str, *, encoding: str) -> None:
        self.path, self._name = path, name
        value = _read(path, name, encoding)
        self.keys = list(value) if isinstance(value, dict) else None
        rows = list(value.values()) if isinstance(value, dict) else value
        if not isinstance(rows, list):
            raise IngestError(f"{name}: is neither a JSON array nor an object; write one object for each vector")
        self._rows: list[Any] = [{KEY: row} if isinstance(row, str) else row for row in rows]
        if self.keys is not None:
            self._rows = [_with_key(row, key) for row, key in zip(self._rows, self.keys, strict=True)]
        self.columns = tuple(dict.fromkeys(key for row in self._rows if isinstance(row, dict) for key in row))

    def __len__(self) -> int:
        return len(self._rows)

    def records(self, wanted: Sequence[str], *, without: frozenset[str] | None = None) -> Iterator[Records]:
        """Yield all rows, numbered from 1; see `Reader.records`."""
        for start in range(0, max(len(self._rows), 1), CHUNK_ROWS):
            rows = ObjectRows(wanted, without)
            for number, row in enumerate(self._rows[start : start + CHUNK_ROWS], start=start + 1):
                if isinstance(row, dict):
                    rows.add_object(number, row)
                else:
                    rows.refuse(number, "json_not_object")
            yield rows.records()


def _with_key(row: Any, key: str) -> Any:
    return {KEY: key, **row} if isinstance(row, Mapping) else row


def _read(path: Path, name: str, encoding: str) -> Any:
    text = TextFile(path, name, encoding=encoding)
    if text.stamp.size > LARGEST_JSON:
        raise IngestError(f"{name}: is larger than {LARGEST_JSON // 2**20} MB; split the dataset")
    text.scan()
    with text.lines() as file:
        content = file.read()
    try:
        if "\0" in content:
            raise BadObjectError("nul_byte")
        value = DECODER.decode(content)
        check_value(value, content)
    except json.JSONDecodeError as error:
        raise IngestError(f"{name}: line {error.lineno}, column {error.colno}: is no JSON: {error.msg}") from None
    except RecursionError:
        raise IngestError(f"{name}: {MESSAGES['json_too_deep']}") from None
    except BadObjectError as error:
        raise IngestError(f"{name}: {MESSAGES[str(error)]}") from None
    return value
