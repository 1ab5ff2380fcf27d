"""The tables `topic_tree` and `item_topics`, written from the grown tree.

How topics are found belongs in ``tree``.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.dataset_config import TopicsConfig
from clustering_platform.semantics.item_embeddings import list_column, vector_matrix
from clustering_platform.semantics.reduction import Floats, distinct_rows
from clustering_platform.semantics.silhouettes import mean_silhouette, unit_rows
from clustering_platform.semantics.tree import Topic, grow_tree
from clustering_platform.tables import TABLES, conform

_EXEMPLARS = 5


@dataclass(frozen=True)
class _Placed:
    """A topic with its place in the tree; `items` are rows of the embeddings, those of subtopics included."""

    topic: Topic
    path: tuple[str, ...]
    items: NDArray[np.int64]
    own: NDArray[np.bool_]


def build_topic_tree(embeddings: pa.Table, *, config: TopicsConfig) -> tuple[pa.Table, pa.Table]:
    """Return the tables `topic_tree` and `item_topics` for the `embeddings` table.

    Topics are numbered from the root, t0, in preorder; siblings come by size, largest first, then by their first
    item. Sizes count items; the search for topics counts equal texts once. The same input gives the same bytes.
    """
    tree_contract, items_contract = TABLES["topic_tree"], TABLES["item_topics"]
    if embeddings.num_rows == 0:
        return tree_contract.empty(), items_contract.empty()
    vectors = vector_matrix(embeddings["vector"])
    points, point_of = distinct_rows(vectors)
    root = grow_tree(points, smallest=config.min_topic_size, max_depth=config.max_depth, seed=config.seed)
    placed = _number(root, point_of)
    centroids = unit_rows(np.stack([vectors[topic.items].mean(axis=0, dtype=np.float64) for topic in placed]))
    item_ids = np.array(embeddings["item_id"].to_pylist(), dtype=object)
    tree = _tree_table(placed, vectors, points, centroids, item_ids)
    items = _items_table(placed, vectors, centroids, item_ids)
    return conform(tree, tree_contract), conform(items, items_contract)


def _number(root: Topic, point_of: NDArray[np.int64]) -> list[_Placed]:
    """Return the topics in preorder, the root first."""
    placed: list[_Placed] = []
    order = np.argsort(point_of, kind="stable")
    starts = np.searchsorted(point_of[order], np.arange(point_of.max() + 2))

    def items_of(topic: Topic) -> NDArray[np.int64]:
        return np.sort(np.concatenate([order[starts[point] : starts[point + 1]] for point in topic.points]))

    def visit(topic: Topic, above: tuple[str, ...], items: NDArray[np.int64]) -> None:
        path = (*above, f"t{len(placed)}")
        children = sorted(((child, items_of(child)) for child in topic.children), key=lambda c: (-len(c[1]), c[1][0]))
        below = np.concatenate([inside for _, inside in children]) if children else np.empty(0, dtype=np.int64)
        placed.append(_Placed(topic, path, items, ~np.isin(items, below)))
        for child, inside in children:
            visit(child, path, inside)

    visit(root, (), np.arange(len(point_of)))
    return placed


def _tree_table(
    placed: list[_Placed],
    vectors: Floats,
    points: Floats,
    centroids: NDArray[np.float64],
    item_ids: NDArray[np.object_],
) -> pa.Table:
    cohesion, exemplars = [], []
    for topic, centroid in zip(placed, centroids, strict=True):
        similarity = vectors[topic.items] @ centroid
        cohesion.append(min(float(similarity.mean()), 1.0))
        exemplars.append(item_ids[_nearest_distinct(vectors[topic.items], similarity, topic.items)].tolist())
    return pa.table(
        {
            "topic_id": [topic.path[-1] for topic in placed],
            "parent_id": pa.array([topic.path[-2] if len(topic.path) > 1 else None for topic in placed], pa.string()),
            "depth": [len(topic.path) - 1 for topic in placed],
            "path": [list(topic.path) for topic in placed],
            "size": [len(topic.items) for topic in placed],
            "own_size": [int(topic.own.sum()) for topic in placed],
            "method": [topic.topic.method for topic in placed],
            "note": [topic.topic.note for topic in placed],
            "silhouette": pa.array([_silhouette(topic.topic, points) for topic in placed], pa.float64()),
            "cohesion": cohesion,
            "exemplar_ids": exemplars,
            "centroid": list_column(centroids.astype(np.float32)),
        }
    )


def _items_table(
    placed: list[_Placed], vectors: Floats, centroids: NDArray[np.float64], item_ids: NDArray[np.object_]
) -> pa.Table:
    deepest = np.zeros(len(vectors), dtype=np.int64)
    for row, topic in enumerate(placed):
        deepest[topic.items] = row  # preorder: subtopics come later and overwrite
    similarity = np.einsum("ij,ij->i", vectors.astype(np.float64), centroids[deepest])
    return pa.table(
        {
            "item_id": pa.array(item_ids.tolist(), pa.string()),
            "topic_id": [placed[row].path[-1] for row in deepest],
            "depth": [len(placed[row].path) - 1 for row in deepest],
            "path": [list(placed[row].path) for row in deepest],
            "is_residual": [bool(placed[row].topic.children) for row in deepest],
            "similarity": similarity,
        }
    )


def _silhouette(topic: Topic, points: Floats) -> float | None:
    if not topic.children:
        return None
    labels = np.concatenate([np.full(len(child.points), row) for row, child in enumerate(topic.children)])
    return mean_silhouette(points[np.concatenate([child.points for child in topic.children])], labels)


def _nearest_distinct(vectors: Floats, similarity: NDArray[np.float64], items: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the items nearest to the centroid, nearest first; of equal texts the first stands for all."""
    ranked = np.lexsort((items, -similarity))
    chosen: list[int] = []
    seen: set[bytes] = set()
    for row in ranked:
        key = vectors[row].tobytes()
        if key not in seen:
            seen.add(key)
            chosen.append(int(items[row]))
        if len(chosen) == _EXEMPLARS:
            break
    return np.array(chosen, dtype=np.int64)
