"""Vectors: from the rows of files to one for each item, in the table `item_vectors`.

What makes a vector unusable belongs in ``vector_rows``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.ingest.arrays import successive, take_text
from clustering_platform.ingest.found import Source
from clustering_platform.ingest.ids import Ids, sift_ids
from clustering_platform.ingest.items import ItemLog
from clustering_platform.ingest.quarantine import Quarantine, Sieve
from clustering_platform.ingest.vector_files import ITEM_ID, VectorFile
from clustering_platform.ingest.vector_rows import NO_VECTOR, VectorRows, refuse_vectors
from clustering_platform.tables import TABLES, conform


@dataclass(frozen=True)
class VectorLog:
    """Vectors of items, one for each.

    Attributes
    ----------
    items : int32[rows]
        Numbers of the item ids.
    files : int32[rows]
        Position of the file among the sources.
    matrix : float32[rows, dimension]
    """

    items: NDArray[np.int32]
    files: NDArray[np.int32]
    matrix: NDArray[np.float32]

    @classmethod
    def join(cls, logs: Sequence[Self], *, dimension: int) -> Self:
        """Return several logs one after the other."""
        nothing = np.zeros(0, np.int32)
        return cls(
            np.concatenate([nothing, *(log.items for log in logs)]),
            np.concatenate([nothing, *(log.files for log in logs)]),
            np.concatenate([np.zeros((0, dimension), np.float32), *(log.matrix for log in logs)]),
        )

    def take(self, rows: NDArray[np.bool_]) -> Self:
        """Return some rows (bool[rows])."""
        return type(self)(self.items[rows], self.files[rows], self.matrix[rows])


def read_vectors(
    source: Source, *, file: int, items: Ids, is_open: bool, quarantine: Quarantine, dimension: int
) -> tuple[VectorLog, int]:
    """Read the vectors of a file; what cannot be accepted goes to `quarantine`.

    Parameters
    ----------
    file
        Position of the file among the sources.
    items
        Ids met so far; with `is_open` new ones are added, else vectors of unknown ones are refused.
    dimension
        How many numbers a vector has.

    Returns
    -------
    log
        The vectors that can be used.
    repeated
        How many rows say the same again of an item.

    Raises
    ------
    TypeError
        The source is not one of vectors.
    """
    reader = source.reader
    if not isinstance(reader, VectorFile):
        raise TypeError(f"{source.name} holds no vectors")
    (records,) = source.records(quarantine)
    ids = records.columns[ITEM_ID]
    sieve = Sieve(quarantine, source.name, records.lines)
    sift_ids(sieve, ids, "item", column=ITEM_ID, is_personal=False)
    refuse_vectors(sieve, reader.rows, reader.rows.faults(dimension), records.lines - 1, column="")
    sieve.refuse(reader.rows.lengths == NO_VECTOR, "vector_missing", column="", values=ids)
    if not is_open:
        sieve.refuse(items.find(pc.fill_null(ids, "")) < 0, "item_unknown", column=ITEM_ID, values=ids)
    matrix = _placed(reader.rows, dimension)
    numbers = _numbers(items, ids, sieve.kept)
    earlier, later = successive(np.where(sieve.kept, numbers, -1 - np.arange(len(numbers))))
    is_other = (matrix[earlier] != matrix[later]).any(axis=1)
    ambiguous = np.unique(numbers[earlier[is_other]])
    repeated = earlier[~np.isin(numbers[earlier], ambiguous)]
    sieve.refuse(np.isin(numbers, ambiguous) & sieve.kept, "vector_ambiguous", column=ITEM_ID, values=ids)
    kept = sieve.kept.copy()
    kept[repeated] = False
    rows = np.flatnonzero(kept)
    log = VectorLog(numbers[rows].astype(np.int32), np.full(len(rows), file, np.int32), matrix[rows])
    return log, len(repeated)


def column_vectors(listed: ItemLog, columns: dict[int, VectorRows], *, dimension: int) -> VectorLog:
    """Return the vectors that stand in a column of item files, for the items listed."""
    lines = listed.table["line"].to_numpy()
    logs = []
    for file, rows in columns.items():
        of_file = np.flatnonzero(listed.files == file)
        has_vector = rows.lengths[lines[of_file] - 1] == dimension
        chosen = of_file[has_vector]
        matrix = _placed(rows, dimension)[lines[chosen] - 1]
        logs.append(VectorLog(listed.items[chosen], listed.files[chosen], matrix))
    return VectorLog.join(logs, dimension=dimension)


def vectors_table(log: VectorLog, *, item_ids: pa.Array, item_rows: NDArray[np.int32]) -> pa.Table:
    """Return the table `item_vectors`, in the order of the table `items`.

    Parameters
    ----------
    item_ids : StringArray
        What to call the item of each number.
    item_rows : int32[items]
        Row in the table `items` of the item of each number.
    """
    order = np.argsort(item_rows[log.items])
    matrix = np.ascontiguousarray(log.matrix[order])
    offsets = np.arange(len(matrix) + 1, dtype=np.int32) * np.int32(matrix.shape[1])
    vectors = pa.ListArray.from_arrays(pa.array(offsets), pa.array(matrix.reshape(-1)))
    table = pa.table({"item_id": take_text(item_ids, log.items[order]), "vector": vectors})
    return conform(table, TABLES["item_vectors"])


def _numbers(items: Ids, ids: pa.Array, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the numbers of the items of the rows kept, -1 for the others: int64[rows]."""
    numbers = np.full(len(ids), -1, np.int64)
    numbers[kept] = items.number(ids.filter(pa.array(kept)))
    return numbers


def _placed(rows: VectorRows, dimension: int) -> NDArray[np.float32]:
    """Return all rows of the file, zeros where there is no vector of the dimension: float32[rows, dimension]."""
    places, matrix = rows.dense(dimension)
    if len(places) == len(rows):
        return matrix
    placed = np.zeros((len(rows), dimension), np.float32)
    placed[places] = matrix
    return placed
