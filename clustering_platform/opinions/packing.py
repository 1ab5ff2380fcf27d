"""Rows of different lengths packed as bytes: how the vote matrix is stored.

A row is the bytes of its numbers, little-endian, one after the other. Nothing is copied where it can be avoided.
"""

import sys
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

_LONGEST = 2**31 - 1  # bytes in one piece of a binary column


def pack(values: NDArray[Any], starts: NDArray[np.int64]) -> pa.ChunkedArray:
    """Return the rows ``values[starts[i]:starts[i + 1]]`` as a binary column, in one piece up to 2 GiB."""
    values = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"), copy=False))
    ends, first = starts * values.itemsize, 0
    pieces: list[pa.Array] = []
    while first < starts.size - 1 or not pieces:
        stop = int(np.searchsorted(ends, ends[first] + _LONGEST, side="right")) - 1
        offsets = (ends[first : stop + 1] - ends[first]).astype(np.int32)
        content = pa.py_buffer(values[starts[first] : starts[stop]])
        pieces.append(pa.BinaryArray.from_buffers(pa.binary(), stop - first, [None, pa.py_buffer(offsets), content]))
        first = stop
    return pa.chunked_array(pieces)


def unpack(column: pa.ChunkedArray, kind: DTypeLike) -> NDArray[Any]:
    """Return the numbers of all rows of a binary column, one row after the other."""
    pieces = [piece for piece in (unpack_piece(piece, kind) for piece in column.chunks) if piece.size]
    if len(pieces) == 1:
        return pieces[0]
    return np.concatenate(pieces) if pieces else np.empty(0, kind)


def unpack_piece(piece: pa.Array, kind: DTypeLike) -> NDArray[Any]:
    """Return the numbers of all rows of one piece of a binary column, without copying them."""
    _, offsets, content = piece.buffers()
    first, last = 0, 0
    if len(piece):
        first, last = np.frombuffer(offsets, np.int32)[[piece.offset, piece.offset + len(piece)]].tolist()
    numbers = np.frombuffer(content or b"", np.uint8)[first:last].view(np.dtype(kind).newbyteorder("<"))
    return numbers if sys.byteorder == "little" else numbers.astype(kind)
