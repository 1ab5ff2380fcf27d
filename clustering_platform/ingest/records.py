"""Records: what every reader yields, whatever the format of its file.

Text and line numbers only. What a value means belongs in ``votes`` and ``items``.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.ingest.columns import is_personal

CHUNK_ROWS = 50_000
CHUNK_CHARACTERS = 32 * 2**20
LONGEST_TEXT = 64 * 1024
"""Bytes of a value."""
LONGEST_ID = 512
"""Bytes of an id."""


@dataclass(frozen=True)
class Malformed:
    """A row that has no form: where it starts and why. What it holds is not kept: anything may stand anywhere.

    `details` say more of where and what, but nothing that stands in the row.
    """

    line: int
    reason: str
    details: str | None = None


@dataclass(frozen=True)
class Records:
    """Some rows of a file.

    Attributes
    ----------
    lines : int64[rows]
        Line on which each row starts, from 1; in Parquet files the number of the row.
    columns : dict of pa.StringArray[rows]
        Values by name of the column in the file; null where there is none.
    rest : list of (str or None), length rows
        The further columns as a JSON object; empty where they were not asked for.
    malformed
        Rows that are not among the others.
    """

    lines: NDArray[np.int64]
    columns: dict[str, pa.Array]
    rest: list[str | None]
    malformed: list[Malformed]

    @property
    def read(self) -> int:
        """Number of rows, malformed ones included."""
        return len(self.lines) + len(self.malformed)


class Reader(Protocol):
    """A file whose columns are known and whose rows can be read."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns, as in the file."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noticed about its form."""

    def records(self, wanted: Sequence[str], *, without: frozenset[str] | None = None) -> Iterator[Records]:
        """Yield all rows: the columns `wanted`, and as `rest` all others but those in `without` (None: no rest).

        Raises
        ------
        IngestError
            The file cannot be understood.
        AccountingError
            Not every line of the file was read.
        """


def rest_columns(columns: Iterable[str], without: frozenset[str] | None) -> list[str]:
    """Return the columns that go into `Records.rest`; those that hold ids of people never do."""
    if without is None:
        return []
    return [name for name in columns if name and name not in without and not is_personal(name)]


def rest_json(values: Iterable[tuple[str, str | None]]) -> str | None:
    """Return names and values as a JSON object with sorted keys, None if no value is given."""
    given = {name: value for name, value in values if value}
    return json.dumps(given, sort_keys=True, ensure_ascii=False) if given else None
