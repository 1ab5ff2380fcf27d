"""Vectors written in the formats that are read."""

import io
import struct

import numpy as np
import pyarrow as pa

from clustering_platform_tests.ingest.writers import as_parquet


def as_npy(array: object, *, allow_pickle: bool = False) -> bytes:
    sink = io.BytesIO()
    np.save(sink, np.asarray(array), allow_pickle=allow_pickle)
    return sink.getvalue()


def as_index(vectors: object, *, kind: bytes = b"IxFI", metric: int = 0) -> bytes:
    """Return a flat index as FAISS 1.15 writes it."""
    matrix = np.asarray(vectors, "<f4")
    return _header(kind, *matrix.shape, metric) + struct.pack("<Q", matrix.size) + matrix.tobytes()


def as_id_map(vectors: object, ids: list[int], *, kind: bytes = b"IxMp") -> bytes:
    """Return an IndexIDMap over a flat index."""
    rows, dimension = np.asarray(vectors).shape
    tail = struct.pack("<Q", len(ids)) + np.asarray(ids, "<i8").tobytes()
    return _header(kind, rows, dimension, 0) + as_index(vectors) + tail


def _header(kind: bytes, rows: int, dimension: int, metric: int) -> bytes:
    argument = struct.pack("<f", 3.0) if metric > 1 else b""
    return kind + struct.pack("<iqqq?i", dimension, rows, 1 << 20, 1 << 20, True, metric) + argument


def parquet_of(columns: dict[str, object], vectors: list[list[float] | None], kind: pa.DataType | None = None) -> bytes:
    """Return a Parquet file with a column ``embedding``."""
    return as_parquet(pa.table({**columns, "embedding": pa.array(vectors, kind or pa.list_(pa.float32()))}))
