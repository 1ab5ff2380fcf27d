"""What is embedded, in which order, and what is checked: the `embeddings` table.

The models belong in ``embedders`` and ``image_embedder``, the store of vectors in ``embedding_cache``.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.images import image_hash, read_image
from clustering_platform.semantics.embedders.protocol import Embedder, EmbedsInParts
from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.image_embedder import ImageEmbedder
from clustering_platform.semantics.texts import HASH_LENGTH, content_hash, excerpt, is_blank, normalise
from clustering_platform.tables import TABLES, conform

Progress = Callable[[int, int], None]
Content = TypeVar("Content")


class _Embeds(Protocol[Content]):
    """Turns contents of one kind into vectors: what embedders of texts and of pictures have in common."""

    @property
    def model(self) -> str: ...

    def embed(self, contents: list[Content], /) -> NDArray[np.float32]: ...


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
    return _table(
        [item_id for item_id, _ in rows],
        [content_hash(text) for _, text in rows],
        embedder.model,
        [vectors[text] for _, text in rows],
    )


def embed_pictures(
    items: pa.Table,
    folder: Path,
    embedder: ImageEmbedder,
    cache: EmbeddingCache,
    *,
    batch_size: int,
    progress: Progress | None = None,
) -> pa.Table:
    """Return the `embeddings` table: the vector of the picture of each item that has one.

    Pictures with equal bytes are embedded once, and those that the cache knows not at all.

    Parameters
    ----------
    items
        The `items` table, or their pieces; of it `item_id`, `file` and `file_hash` are read.
    folder
        Where the files lie.
    batch_size
        Pictures in a batch; each batch is stored in the cache as soon as it is done.
    progress
        As in `embed_items`, of distinct pictures.

    Raises
    ------
    ValueError
        The embedder returned something other than one finite vector that is not zero for each picture, or a file is
        not what it was when the items were read; the message names it.
    """
    chosen = items.filter(pc.is_valid(items["file"]))
    item_ids, files, hashes = (chosen[name].to_pylist() for name in ("item_id", "file", "file_hash"))
    named = dict(zip(hashes, files, strict=True))
    vectors = _embed(
        {key: folder / named[key] for key in sorted(named)},
        _Unchanged(embedder, {folder / file: key for key, file in named.items()}),
        cache,
        batch_size=batch_size,
        progress=progress,
        label=lambda key: f"picture {named[key]!r}",
    )
    return _table(item_ids, hashes, embedder.model, [vectors[key] for key in hashes])


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
    item_ids = vectors["item_id"].to_pylist()
    return _table(item_ids, [key[:HASH_LENGTH] for key in hashes], model, list((matrix / lengths).astype(np.float32)))


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
    ordered = sorted(hashes, key=lambda text: (-len(text), text))
    contents = {hashes[text]: text for text in ordered}

    def label(key: str) -> str:
        return f"item {owners[contents[key]]!r}" if owners else repr(excerpt(contents[key], 60))

    known = _embed(contents, embedder, cache, batch_size=batch_size, progress=progress, label=label)
    return {text: known[key] for text, key in hashes.items()}


def _embed(
    contents: Mapping[str, Content],
    embedder: _Embeds[Content],
    cache: EmbeddingCache,
    *,
    batch_size: int,
    progress: Progress | None,
    label: Callable[[str], str],
) -> dict[str, NDArray[np.float32]]:
    """Return the vector of each content by its hash, from the cache where it knows it.

    Parameters
    ----------
    contents
        What is embedded, by its hash, in the order in which it goes to the embedder.
    label
        Returns what to call the content of a hash in messages.
    """
    known = cache.get_many(embedder.model, list(contents))
    missing = [key for key in contents if key not in known]
    report = progress or (lambda done, total: None)
    report(len(contents) - len(missing), len(contents))
    labels = [label(key) for key in missing]
    dimension = len(next(iter(known.values()))) if known else None
    done = len(contents) - len(missing)
    wanted = [contents[key] for key in missing]
    for positions, part in _parts(embedder, wanted, labels, batch_size=batch_size, dimension=dimension):
        vectors = _checked(part, [labels[position] for position in positions], embedder.model)
        made = dict(zip((missing[position] for position in positions), vectors, strict=True))
        cache.put_many(embedder.model, made)
        known |= made | cache.get_many(embedder.model, list(made))  # another process may have stored them first
        done += len(made)
        report(done, len(contents))
    _check_dimensions(known.values(), embedder.model)
    cache.settle(embedder.model, contents)
    return known


def _parts(
    embedder: _Embeds[Content], contents: list[Content], labels: list[str], *, batch_size: int, dimension: int | None
) -> Iterator[tuple[Sequence[int], NDArray[np.float32]]]:
    """Yield positions in `contents` with their vectors, as the embedder is done with them."""
    if isinstance(embedder, EmbedsInParts):
        texts = cast(list[str], contents)  # pictures have no such embedders
        yield from embedder.embed_in_parts(texts, labels=labels, dimension=dimension)
        return
    for start in range(0, len(contents), batch_size):
        batch = contents[start : start + batch_size]
        yield range(start, start + len(batch)), embedder.embed(batch)


@dataclass(frozen=True)
class _Unchanged:
    """An embedder of pictures that embeds none but those whose bytes have the hash they are known by."""

    embedder: ImageEmbedder
    hashes: Mapping[Path, str]

    @property
    def model(self) -> str:
        return self.embedder.model

    def embed(self, files: list[Path]) -> NDArray[np.float32]:
        for file in files:
            if not file.is_file() or image_hash(read_image(file)) != self.hashes[file]:
                raise ValueError(f"{file.name}: is not there any more as it was read; run the job again")
        return self.embedder.embed(files)


def _table(item_ids: list[str], hashes: list[str], model: str, vectors: Sequence[NDArray[np.float32]]) -> pa.Table:
    """Return the table `embeddings`."""
    matrix = np.array(vectors, dtype=np.float32).reshape(len(item_ids), len(vectors[0]) if vectors else 0)
    table = pa.table(
        {
            "item_id": pa.array(item_ids, pa.string()),
            "content_hash": pa.array(hashes, pa.string()),
            "model": pa.array([model] * len(item_ids), pa.string()),
            "vector": list_column(matrix),
        }
    )
    return conform(table, TABLES["embeddings"])


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
            f"{model}: returned an array of shape {vectors.shape} for {len(labels)} contents, the first of which is "
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
