"""Takes the vectors out of a FAISS index; run as a process of its own, because a file may be made to do harm.

``python -I faiss_child.py``: the index is standard input, standard output a file. Flat indexes hold their vectors as
plain numbers, so that neither FAISS nor any other library is needed to read them; nothing of the file is trusted, and
nothing is unpickled. What was found goes out as a line of JSON (`rows`, `dimension`, `has_ids`), the vectors as 32-bit
floats and the ids of an IndexIDMap as 64-bit integers; a reason to refuse the file goes to standard error, with exit
status 2.
"""

import contextlib
import json
import os
import struct
import sys
from typing import BinaryIO, NoReturn

REFUSED = 2
_FLAT = {b"IxF2", b"IxFI", b"IxFl"}
_ID_MAPS = {b"IxMp", b"IxM2"}
_HEADER = struct.Struct("<iqqq?i")
_METRICS_WITHOUT_ARGUMENT = (0, 1)
_LARGEST_DIMENSION = 65_536
_BLOCK = 2**20
_MEMORY = 512 * 2**20
_CPU_SECONDS = 120


class _RefusedError(Exception):
    """The index cannot be used; the message says why."""


def main() -> NoReturn:
    """Read the index and exit."""
    _limit()
    try:
        _extract(sys.stdin.buffer, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except _RefusedError as error:
        sys.stderr.write(str(error))
        sys.exit(REFUSED)
    sys.exit(0)


def _limit() -> None:
    """Bound the memory and the processor time of this process where the system can."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _extract(index: BinaryIO, out: BinaryIO) -> None:
    size = os.fstat(index.fileno()).st_size
    kind = _read(index, 4)
    has_ids = kind in _ID_MAPS
    rows, dimension = _header(index, kind) if has_ids else (None, None)
    if has_ids:
        kind = _read(index, 4)
    if kind not in _FLAT:
        raise _RefusedError(_unknown(kind))
    flat_rows, flat_dimension = _header(index, kind)
    if has_ids and (rows, dimension) != (flat_rows, flat_dimension):
        raise _RefusedError("its parts do not agree on the number of vectors; it is damaged")
    numbers = _count(index, flat_rows * flat_dimension, 4, size)
    out.write(json.dumps({"rows": flat_rows, "dimension": flat_dimension, "has_ids": has_ids}).encode() + b"\n")
    _copy(index, out, 4 * numbers)
    if has_ids:
        _copy(index, out, 8 * _count(index, flat_rows, 8, size))
    if index.read(1):
        raise _RefusedError("there is more in it than its header says; it is damaged")


def _header(index: BinaryIO, kind: bytes) -> tuple[int, int]:
    """Return the number of vectors and their dimension."""
    dimension, rows, _, _, _, metric = _HEADER.unpack(_read(index, _HEADER.size))
    if metric not in _METRICS_WITHOUT_ARGUMENT:
        _read(index, 4)
    if not 0 < dimension <= _LARGEST_DIMENSION or rows < 0:
        raise _RefusedError(f"its header ({kind.decode('ascii')}) promises {rows} vectors of dimension {dimension}")
    return rows, dimension


def _count(index: BinaryIO, expected: int, width: int, size: int) -> int:
    """Return how many numbers of `width` bytes follow, if they are those expected and all there."""
    (count,) = struct.unpack("<Q", _read(index, 8))
    if count != expected:
        raise _RefusedError("the number of vectors is not what its header says; it is damaged")
    if count * width > size - index.tell():
        raise _RefusedError("it is incomplete; copy or write it again")
    return int(count)


def _read(index: BinaryIO, size: int) -> bytes:
    found = index.read(size)
    if len(found) < size:
        raise _RefusedError("it is incomplete; copy or write it again")
    return found


def _copy(index: BinaryIO, out: BinaryIO, size: int) -> None:
    while size:
        block = _read(index, min(size, _BLOCK))
        out.write(block)
        size -= len(block)


def _unknown(kind: bytes) -> str:
    if kind[:1] == b"\x80" or kind.startswith((b"PK", b"{", b"[")):
        return "it is no FAISS index"
    name = kind.decode("ascii", errors="replace")
    shown = name if name.isalnum() else "unknown"
    return (
        f"its type ({shown}) is not a flat one: only IndexFlat and IndexIDMap of it hold the vectors as they were; "
        "export those (`index.reconstruct_n`) as .npy with their ids"
    )


if __name__ == "__main__":
    main()
