"""What a namer sees of each topic: its texts, its place among its siblings, its most telling text.

Phrases and names belong in ``phrases``, ``candidates`` and ``naming``.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.semantics.item_embeddings import vector_matrix
from clustering_platform.semantics.silhouettes import unit_rows
from clustering_platform.semantics.texts import normalise

_NEAREST_SIBLINGS = 5


@dataclass(frozen=True)
class TopicTexts:
    """A topic and its distinct texts.

    Attributes
    ----------
    parent
        Place of the topic above in the list of topics; None for the root.
    texts
        Numbers of its distinct texts, those of its subtopics included, ascending.
    around
        The same of all children of its parent together, itself included.
    sibling_count
        Number of children of its parent, itself included.
    centroid
        Mean vector of its distinct texts, of length one.
    beside
        Centroids of its nearest siblings, at most five, shape (m, d).
    telling
        The text nearest to the centroid, less half of its similarity to the nearest sibling.
    """

    topic_id: str
    parent: int | None
    texts: NDArray[np.int64]
    around: NDArray[np.int64]
    sibling_count: int
    centroid: NDArray[np.float64]
    beside: NDArray[np.float64]
    telling: str


def read_topics(
    items: pa.Table, embeddings: pa.Table, topic_tree: pa.Table, item_topics: pa.Table
) -> tuple[list[str], list[TopicTexts]]:
    """Return the distinct texts and, in the order of `topic_tree`, the topics."""
    texts, vectors, text_of = _distinct_texts(items, embeddings)
    topic_ids, parents = topic_tree["topic_id"].to_pylist(), topic_tree["parent_id"].to_pylist()
    members: dict[str, set[int]] = {topic_id: set() for topic_id in topic_ids}
    for item_id, path in zip(item_topics["item_id"].to_pylist(), item_topics["path"].to_pylist(), strict=True):
        for topic_id in path:
            members[topic_id].add(text_of[item_id])
    rows = {topic_id: row for row, topic_id in enumerate(topic_ids)}
    siblings: dict[str | None, list[int]] = {}
    for row, parent in enumerate(parents):
        siblings.setdefault(parent, []).append(row)
    inside = [np.array(sorted(members[topic_id])) for topic_id in topic_ids]
    centroids = unit_rows(np.stack([vectors[numbers].mean(axis=0, dtype=np.float64) for numbers in inside]))
    topics = []
    for row, (topic_id, parent) in enumerate(zip(topic_ids, parents, strict=True)):
        beside = _nearest(centroids, row, siblings[parent])
        topics.append(
            TopicTexts(
                topic_id=topic_id,
                parent=None if parent is None else rows[parent],
                texts=inside[row],
                around=np.array(sorted(set().union(*(members[topic_ids[sibling]] for sibling in siblings[parent])))),
                sibling_count=len(siblings[parent]),
                centroid=centroids[row],
                beside=beside,
                telling=texts[inside[row][contrast(vectors[inside[row]], centroids[row], beside).argmax()]],
            )
        )
    return texts, topics


def contrast(
    vectors: NDArray[np.floating], centroid: NDArray[np.float64], beside: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the similarity of vectors to a centroid, less half of the largest similarity to those beside it."""
    similarity: NDArray[np.float64] = vectors @ centroid
    return similarity - 0.5 * (vectors @ beside.T).max(axis=1) if len(beside) else similarity


def _distinct_texts(items: pa.Table, embeddings: pa.Table) -> tuple[list[str], NDArray[np.float32], dict[str, int]]:
    """Return the distinct texts, their vectors, and the number of the text of each item."""
    item_ids, hashes = embeddings["item_id"].to_pylist(), embeddings["content_hash"].to_pylist()
    firsts: dict[str, int] = {}
    for row, key in enumerate(hashes):
        firsts.setdefault(key, row)
    numbers = {key: number for number, key in enumerate(firsts)}
    written = dict(zip(items["item_id"].to_pylist(), items["text"].to_pylist(), strict=True))
    texts = [normalise(written[item_ids[row]]) for row in firsts.values()]
    vectors = vector_matrix(embeddings["vector"])[list(firsts.values())]
    return texts, vectors, {item_id: numbers[key] for item_id, key in zip(item_ids, hashes, strict=True)}


def _nearest(centroids: NDArray[np.float64], row: int, siblings: list[int]) -> NDArray[np.float64]:
    others = centroids[[sibling for sibling in siblings if sibling != row]]
    order = np.argsort(-(others @ centroids[row]), kind="stable")
    return others[order[:_NEAREST_SIBLINGS]]
