"""Documents: text files that are one item each.

Cutting long ones into pieces belongs in ``semantics``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from clustering_platform.ingest.errors import EmptyFileError, IngestError, UndecodableError
from clustering_platform.ingest.records import Malformed, Records
from clustering_platform.ingest.text_files import Stamp, TextFile

DOCUMENT_SUFFIXES = (".txt", ".md")
LARGEST_DOCUMENT = 16 * 2**20
"""Bytes of a document."""


class DocumentFile:
    """A text file as a single row: its name within the dataset as ``item_id`` and its content as ``text``.

    Nothing is opened before the row is read, and a file that cannot be used is a row that is refused: one bad document
    does not hold up the others.
    """

    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __init__(self, path: Path, name: str, *, encoding: str) -> None:
        self.path, self._name, self._encoding = path, name, encoding

    def records(self, wanted: Sequence[str], *, without: frozenset[str] | None = None) -> Iterator[Records]:
        """Yield the row, with the size of the file as its metadata."""
        size = Stamp.of(self.path).size
        text, fault = self._read(size)
        if fault:
            yield Records(np.zeros(0, np.int64), {}, [], [fault])
        else:
            yield single_record({"item_id": self._name, "text": text}, {"bytes": size})

    def _read(self, size: int) -> tuple[str, Malformed | None]:
        if size > LARGEST_DOCUMENT:
            return "", Malformed(1, "document_too_large", f"{size:,} bytes")
        try:
            with TextFile(self.path, self._name, encoding=self._encoding).lines() as lines:
                text = lines.read()
        except EmptyFileError:
            return "", Malformed(1, "file_empty")
        except UndecodableError as error:
            return "", Malformed(error.line, "not_decodable", error.where)
        except IngestError as error:
            return "", Malformed(1, "file_not_text", str(error).removeprefix(f"{self._name}: "))
        if "\0" in text:
            before = text[: text.index("\0")]
            column = len(before) - before.rfind("\n")
            return "", Malformed(before.count("\n") + 1, "nul_byte", f"column {column}")
        return (text, None) if text.strip() else ("", Malformed(1, "file_empty"))


def single_record(values: Mapping[str, str], metadata: Mapping[str, object]) -> Records:
    """Return the only row of a file."""
    columns = {name: pa.array([value], pa.string()) for name, value in values.items()}
    return Records(np.ones(1, np.int64), columns, [json.dumps(metadata, sort_keys=True, ensure_ascii=False)], [])
