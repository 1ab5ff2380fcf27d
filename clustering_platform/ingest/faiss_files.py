"""FAISS indexes: their vectors, read by a process of its own within limits of time and memory.

What the process does belongs in ``faiss_child``, which vectors can be used in ``vectors``.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from clustering_platform.ingest import faiss_child
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.text_files import Stamp, describe_magic, open_regular, unchanged

_SECONDS = 180


def read_index(path: Path, name: str, *, largest: int) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
    """Return the vectors of a flat FAISS index, and the ids of an IndexIDMap.

    Parameters
    ----------
    largest
        Bytes that the file may have.

    Returns
    -------
    vectors : float32[rows, dimension]
    ids : int64[rows], or None

    Raises
    ------
    IngestError
        It is none, is damaged, too large, or of another type.
    """
    stamp = Stamp.of(path)
    if stamp.size > largest:
        raise IngestError(f"{name}: is larger than {largest / 2**30:.0f} GiB; split the dataset")
    with open_regular(path, name) as index:
        if what := describe_magic(index.read(64)):
            raise IngestError(f"{name}: is {what}, not a FAISS index")
    with unchanged(path, name, stamp), open_regular(path, name) as index, tempfile.TemporaryFile() as out:
        _run(index, out, name)
        out.seek(0)
        found = json.loads(out.readline())
        rows, dimension = int(found["rows"]), int(found["dimension"])
        vectors = np.fromfile(out, "<f4", rows * dimension).astype(np.float32, copy=False).reshape(rows, dimension)
        ids = np.fromfile(out, "<i8", rows).astype(np.int64, copy=False) if found["has_ids"] else None
    return vectors, ids


def _run(index: BinaryIO, out: BinaryIO, name: str) -> None:
    command = [sys.executable, "-I", str(Path(faiss_child.__file__))]
    try:
        done = subprocess.run(command, stdin=index, stdout=out, stderr=subprocess.PIPE, timeout=_SECONDS, check=False)  # noqa: S603 - our own program
    except subprocess.TimeoutExpired:
        raise IngestError(f"{name}: reading the index took more than {_SECONDS} seconds") from None
    if done.returncode == faiss_child.REFUSED:
        raise IngestError(f"{name}: {done.stderr.decode(errors='replace')}")
    if done.returncode:
        raise IngestError(f"{name}: the process that read the index died (status {done.returncode}); write it again")
