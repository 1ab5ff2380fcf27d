"""Vectors as they stand in a file, row by row, and what is wrong with them.

Opening files belongs in ``vector_files``, whose they are in ``vectors``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.ingest.quarantine import Sieve

LARGEST_VECTORS = 4 * 2**30
"""Bytes of all vectors of a dataset, as 32-bit floats."""
NO_VECTOR = -1

_BLOCK = 2**22


@dataclass(frozen=True)
class VectorRows:
    """The vectors of a file, which may be of different lengths.

    Attributes
    ----------
    lengths : int64[rows]
        How many numbers each row has, -1 where there is no vector.
    values : float32[sum of lengths]
        Their numbers, one row after the other.
    """

    lengths: NDArray[np.int64]
    values: NDArray[np.float32]

    @classmethod
    def of_matrix(cls, matrix: NDArray[np.float32]) -> "VectorRows":
        """Return the rows of an array of shape (rows, dimension)."""
        rows, dimension = matrix.shape
        return cls(np.full(rows, dimension, np.int64), matrix.reshape(-1))

    @classmethod
    def of_lists(cls, lists: Iterable[pa.Array]) -> "VectorRows":
        """Return the rows of Arrow lists of numbers; null within a list becomes NaN."""
        lengths: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        values: list[NDArray[np.float32]] = [np.zeros(0, np.float32)]
        for piece in lists:
            length = pc.fill_null(pc.cast(pc.list_value_length(piece), pa.int64()), NO_VECTOR)
            lengths.append(np.asarray(length, np.int64))
            numbers = pc.cast(pc.list_flatten(piece), pa.float64(), safe=False)
            values.append(as_float32(numbers.to_numpy(zero_copy_only=False)))
        return cls(np.concatenate(lengths), np.concatenate(values))

    def __len__(self) -> int:
        return len(self.lengths)

    def dense(self, dimension: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the places of the rows that have so many numbers, int64[n], and those: float32[n, dimension]."""
        is_right = self.lengths == dimension
        values = self.values if is_right.all() else self.values[np.repeat(is_right, np.maximum(self.lengths, 0))]
        return np.flatnonzero(is_right), values.reshape(-1, dimension)

    def faults(self, dimension: int) -> dict[str, NDArray[np.bool_]]:
        """Return which rows cannot be used, by reason: bool[rows] each; a row has at most one."""
        places, matrix = self.dense(dimension)
        is_finite, is_zero = np.ones(len(matrix), np.bool_), np.zeros(len(matrix), np.bool_)
        step = max(_BLOCK // max(dimension, 1), 1)
        for start in range(0, len(matrix), step):
            block = matrix[start : start + step]
            is_finite[start : start + step] = np.isfinite(block).all(axis=1)
            is_zero[start : start + step] = ~block.any(axis=1)
        bad = {
            "vector_dimension": np.flatnonzero((self.lengths != dimension) & (self.lengths != NO_VECTOR)),
            "vector_not_finite": places[~is_finite],
            "vector_zero": places[is_zero],
        }
        return {reason: _mask(len(self), rows) for reason, rows in bad.items()}


def usual_dimension(found: Sequence[VectorRows]) -> int:
    """Return how many numbers most vectors have; of lengths that are equally frequent, the larger."""
    lengths = np.concatenate([np.zeros(0, np.int64), *(rows.lengths for rows in found)])
    values, counts = np.unique(lengths[lengths > 0], return_counts=True)
    return int(values[len(counts) - 1 - counts[::-1].argmax()]) if len(values) else 1


def refuse_vectors(
    sieve: Sieve, rows: VectorRows, faults: Mapping[str, NDArray[np.bool_]], places: NDArray[np.int64], *, column: str
) -> None:
    """Refuse rows whose vectors cannot be used; rows without one stay.

    Parameters
    ----------
    faults
        What `VectorRows.faults` returned.
    places : int64[rows of the sieve]
        Which rows of the file the sieve is about.
    column
        Name of the column of vectors.
    """
    for reason, bad in faults.items():
        if bad[places].any():
            numbers = pc.cast(pa.array(rows.lengths[places]), pa.string())
            shown = pc.binary_join_element_wise(numbers, "numbers", " ")
            sieve.refuse(bad[places], reason, column=column, values=shown)


def as_float32(values: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return numbers as 32-bit floats; what does not fit becomes infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(values).astype(np.float32, copy=False)


def _mask(size: int, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    mask = np.zeros(size, np.bool_)
    mask[rows] = True
    return mask
