"""Which texts are embedded, in which order, and what is checked: the `embeddings` table.

The models belong in ``embedding``, the store of vectors in ``embedding_cache``.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.semantics.embedding import Embedder
from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.texts import HASH_LENGTH, content_hash, excerpt, is_blank, normalise
from clustering_platform.tables import TABLES, conform

Progress = Callable[[int, int], None]


def embed_items(
    items: pa.Table,
    embedder: Embedder,
    cache: EmbeddingCache,
    *,
    batch_size: int,
    progress: Progress | None = None,
) -> pa.Table:
    """Return the `embeddings` table: the vector of each item that has text.

    Texts are compared after normalisation (Unicode form C, no white space around), and equal ones are embedded once.
    What the cache knows is not embedded again; when it knows everything the model is not loaded. Missing texts go to
    the embedder longest first, so that a run that was killed goes on with the very batches it would have made.

    Parameters
    ----------
    items
        Items, or their pieces; of them `item_id` and `text` are read.
    batch_size
        Texts in a batch; each batch is stored in the cache as soon as it is done.
    progress
        Called with the number of distinct texts done and their total: once at the start and after every batch.

    Raises
    ------
    ValueError
        The embedder returned something other than one finite vector that is not zero for each text; the message
        names the item.
    """
    rows = [
        (item_id, normalise(text))
        for item_id, text in zip(items["item_id"].to_pylist(), items["text"].to_pylist(), strict=True)
        if not is_blank(text)
    ]
    owners = {text: item_id for item_id, text in reversed(rows)}
    vectors = embed_texts(list(owners), embedder, cache, batch_size=batch_size, progress=progress, owners=owners)
    dimension = len(next(iter(vectors.values()), ()))
    matrix = np.array([vectors[text] for _, text in rows], dtype=np.float32).reshape(len(rows), dimension)
    table = pa.table(
        {
            "item_id": pa.array([item_id for item_id, _ in rows], pa.string()),
            "content_hash": pa.array([content_hash(text) for _, text in rows], pa.string()),
            "model": pa.array([embedder.model] * len(rows), pa.string()),
            "vector": list_column(matrix),
        }
    )
    return conform(table, TABLES["embeddings"])


def given_embeddings(items: pa.Table, item_vectors: pa.Table) -> pa.Table:
    """Return the `embeddings` table of vectors made elsewhere: of each item that has one, scaled to length one.

    Their model is called ``given@`` and a hash of them all, and the hash of an item's content is that of its vector.

    Parameters
    ----------
    items
        The items that take part; of them `item_id` is read.
    item_vectors
        The `item_vectors` table.
    """
    vectors = item_vectors.filter(pc.is_in(item_vectors["item_id"], items["item_id"]))
    matrix = vector_matrix(vectors["vector"])
    lengths = np.linalg.norm(matrix.astype(np.float64), axis=1, keepdims=True)
    hashes = [hashlib.sha256(row).hexdigest() for row in np.ascontiguousarray(matrix, dtype="<f4")]
    model = f"given@{hashlib.sha256(''.join(hashes).encode()).hexdigest()[:12]}"
    table = pa.table(
        {
            "item_id": vectors["item_id"],
            "content_hash": pa.array([key[:HASH_LENGTH] for key in hashes], pa.string()),
            "model": pa.array([model] * len(hashes), pa.string()),
            "vector": list_column((matrix / lengths).astype(np.float32)),
        }
    )
    return conform(table, TABLES["embeddings"])


def embed_texts(
    texts: Sequence[str],
    embedder: Embedder,
    cache: EmbeddingCache,
    *,
    batch_size: int,
    progress: Progress | None = None,
    owners: Mapping[str, str] | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Return the vector of each distinct text, from the cache where it knows it.

    `owners` names the item of each text for error messages.
    """
    hashes = {text: content_hash(text) for text in dict.fromkeys(texts)}
    known = cache.get_many(embedder.model, list(hashes.values()))
    missing = sorted((text for text, key in hashes.items() if key not in known), key=lambda text: (-len(text), text))
    report = progress or (lambda done, total: None)
    report(len(hashes) - len(missing), len(hashes))
    for start in range(0, len(missing), batch_size):
        batch = missing[start : start + batch_size]
        labels = [f"item {owners[text]!r}" if owners else repr(excerpt(text, 60)) for text in batch]
        vectors = _checked(embedder.embed(batch), labels, embedder.model)
        keys = [hashes[text] for text in batch]
        cache.put_many(embedder.model, dict(zip(keys, vectors, strict=True)))
        known.update(cache.get_many(embedder.model, keys))  # another process may have stored them first
        report(len(hashes) - len(missing) + start + len(batch), len(hashes))
    _check_dimensions(known.values(), embedder.model)
    return {text: known[key] for text, key in hashes.items()}


def vector_matrix(column: pa.ChunkedArray) -> NDArray[np.float32]:
    """Return a column of vectors of one length as an array of shape (rows, dimension)."""
    values = column.combine_chunks()
    flat = values.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, dtype=np.float32).reshape(len(values), len(flat) // max(len(values), 1))


def list_column(matrix: NDArray[np.float32]) -> pa.Array:
    """Return the rows of an array as an Arrow list column."""
    rows, width = matrix.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * width
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(matrix.reshape(-1)))


def _checked(vectors: NDArray[np.float32], labels: list[str], model: str) -> NDArray[np.float32]:
    """Return the vectors with length one, or raise `ValueError` with the label of the first that is faulty."""
    vectors = np.asarray(vectors, dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(labels) or vectors.shape[1] == 0:
        raise ValueError(
            f"{model}: returned an array of shape {vectors.shape} for {len(labels)} texts, the first of which is "
            f"{labels[0]}; expected one row for each"
        )
    lengths = np.linalg.norm(vectors, axis=1)
    faulty = np.flatnonzero(~np.isfinite(lengths) | (lengths == 0))
    if len(faulty):
        what = "zero" if lengths[faulty[0]] == 0 else "not finite"
        raise ValueError(f"{model}: the vector of {labels[faulty[0]]} is {what}")
    return np.asarray(vectors / lengths[:, None], dtype=np.float32)


def _check_dimensions(vectors: Iterable[NDArray[np.float32]], model: str) -> None:
    dimensions = {len(vector) for vector in vectors}
    if len(dimensions) > 1:
        raise ValueError(f"{model}: vectors of different dimensions {sorted(dimensions)} under one model name")
