"""Small operations on columns that several modules of this package need."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_PIECE = 2**21
"""Rows; with ids of at most 512 bytes they stay below the 2 GiB that one array of text can hold."""


def parse_distinct(column: pa.Array, parse: Callable[[str], int]) -> NDArray[np.int64]:
    """Return what `parse` makes of each value (StringArray[rows]), called once for each distinct one: int64[rows].

    It gets values in lower case and without surrounding space, and null as the empty string.
    """
    encoded = pc.fill_null(column, "").dictionary_encode()
    parsed = np.array([parse(value.strip().casefold()) for value in encoded.dictionary.to_pylist()], np.int64)
    return parsed[np.asarray(encoded.indices, np.int64)]


def successive(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of all values that come again, and for each the position where it comes next."""
    by_key = np.argsort(keys, kind="stable").astype(np.int64)
    earlier, later = by_key[:-1], by_key[1:]
    is_same = keys[earlier] == keys[later]
    return earlier[is_same], later[is_same]


def take_text(values: pa.Array, places: NDArray[np.integer[Any]]) -> pa.ChunkedArray:
    """Return the texts at some places, in pieces that no array of text is too small for."""
    pieces = range(0, max(len(places), 1), _PIECE)
    return pa.chunked_array(
        [values.take(pa.array(places[start : start + _PIECE])).cast(pa.string()) for start in pieces], pa.string()
    )


def chosen(size: int, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return bool[size] that is True at `rows`."""
    mask = np.zeros(size, np.bool_)
    mask[rows] = True
    return mask
