"""How well topics are told apart: the share of items that are nearest to their own."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.exports.tables import read_batches, read_whole
from clustering_platform.exports.topics import VECTORS, PublishedTopics, TopicTree

_ROWS = 5_000
_PRODUCTS = 4_000_000
_VECTOR = pa.list_(pa.float32())


def topic_strengths(published: PublishedTopics) -> NDArray[np.float64]:
    """Return the strength of each topic: float64[topics], 0 to 1.

    It is the share of its items whose nearest leaf, by the cosine to its centroid, is the topic or lies below it.
    Where there are no vectors it is the cohesion, the mean cosine of its items to its own centroid, or 0 if that is
    negative.
    """
    tree = published.tree
    cohesion = np.clip(np.asarray(tree.table["cohesion"], np.float64), 0, 1)
    if VECTORS not in published.files or not len(tree.leaves):
        return cohesion
    centroids = _matrix(read_whole(published.files["topic_tree"], pa.schema([("centroid", _VECTOR)]))["centroid"])
    hits, items = np.zeros((2, len(cohesion)), np.int64)
    places = published.places
    for batch in read_batches(
        published.files[VECTORS], pa.schema([("item_id", pa.string()), ("vector", _VECTOR)]), rows=_ROWS
    ):
        found = pc.index_in(batch["item_id"], places["item_id"])
        own = np.asarray(places["topic"].take(found.drop_null()), np.int64)
        vectors = _matrix(batch["vector"].filter(found.is_valid()))
        nearest = tree.leaves[nearest_rows(vectors, centroids[tree.leaves])]
        hits += count_by_topic(tree, own, nearest)
        items += count_by_topic(tree, own, own)
    return np.asarray(np.where(items > 0, hits / np.maximum(items, 1), cohesion), np.float64)


def count_by_topic(tree: TopicTree, own: NDArray[np.int64], nearest: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count for each topic the items (int64[items], places) that are in it both by `own` and by `nearest`."""
    counts = np.zeros(len(tree.ids), np.int64)
    for line in tree.lines.T:
        above = line[own]
        counts += np.bincount(above[(above >= 0) & (above == line[nearest])], minlength=len(tree.ids))
    return counts


def nearest_rows(vectors: NDArray[np.float32], centroids: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return for each vector the row of the centroid with the largest product, the first of several: int64[items]."""
    step = max(1, _PRODUCTS // max(len(centroids), 1))
    parts = [np.argmax(vectors[start : start + step] @ centroids.T, axis=1) for start in range(0, len(vectors), step)]
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _matrix(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float32]:
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    flat = np.asarray(values.flatten(), np.float32)
    return flat.reshape(len(values), len(flat) // max(len(values), 1))
