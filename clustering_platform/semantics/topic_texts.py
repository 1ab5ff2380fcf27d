"""What a namer sees of each topic: its texts, its place among its siblings, its most telling text.

Phrases and names belong in ``phrases``, ``candidates`` and ``naming``.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.semantics.item_embeddings import vector_matrix
from clustering_platform.semantics.path_labels import Labels, topic_labels
from clustering_platform.semantics.silhouettes import unit_rows
from clustering_platform.semantics.texts import is_blank, normalise

_NEAREST_SIBLINGS = 5
_SAMPLED = 30


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
    labels
        Names of folders in which its items lie, for a topic without text.
    telling
        The text nearest to the centroid, less half of its similarity to the nearest sibling; empty where the topic has
        no text.
    """

    topic_id: str
    parent: int | None
    texts: NDArray[np.int64]
    around: NDArray[np.int64]
    sibling_count: int
    centroid: NDArray[np.float64]
    beside: NDArray[np.float64]
    telling: str
    labels: Labels


def read_topics(
    items: pa.Table,
    embeddings: pa.Table,
    topic_tree: pa.Table,
    item_topics: pa.Table,
    *,
    model: str,
    embed: Callable[[list[str]], dict[str, NDArray[np.float32]]],
) -> tuple[list[str], list[TopicTexts]]:
    """Return the distinct texts and, in the order of `topic_tree`, the topics.

    Parameters
    ----------
    model
        Model of the vectors that phrases are compared with.
    embed
        Returns vectors of that model by text; called where the embeddings are of another one.
    """
    texts, text_of = _distinct_texts(items, embeddings)
    if embeddings["model"][0].as_py() == model:
        vectors = _known_vectors(embeddings, text_of, len(texts))
    else:
        vectors = _sampled_vectors(texts, text_of, item_topics, embed)
    topic_ids, parents = topic_tree["topic_id"].to_pylist(), topic_tree["parent_id"].to_pylist()
    members: dict[str, set[int]] = {topic_id: set() for topic_id in topic_ids}
    for item_id, path in zip(item_topics["item_id"].to_pylist(), item_topics["path"].to_pylist(), strict=True):
        for topic_id in path if item_id in text_of else ():
            members[topic_id].add(text_of[item_id])
    rows = {topic_id: row for row, topic_id in enumerate(topic_ids)}
    siblings: dict[str | None, list[int]] = {}
    for row, parent in enumerate(parents):
        siblings.setdefault(parent, []).append(row)
    paths = item_topics["path"].to_pylist()
    labels = topic_labels(_files(items), item_topics["item_id"].to_pylist(), paths)
    inside = [_sorted(members[topic_id]) for topic_id in topic_ids]
    centroids = unit_rows(np.stack([_mean(vectors[numbers]) for numbers in inside]))
    topics = []
    for row, (topic_id, parent) in enumerate(zip(topic_ids, parents, strict=True)):
        beside = _nearest(centroids, row, siblings[parent])
        topics.append(
            TopicTexts(
                topic_id=topic_id,
                parent=None if parent is None else rows[parent],
                texts=inside[row],
                around=_sorted(set().union(*(members[topic_ids[sibling]] for sibling in siblings[parent]))),
                sibling_count=len(siblings[parent]),
                centroid=centroids[row],
                beside=beside,
                telling=_telling(texts, inside[row], vectors, centroids[row], beside),
                labels=labels[topic_id],
            )
        )
    return texts, topics


def contrast(
    vectors: NDArray[np.floating], centroid: NDArray[np.float64], beside: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the similarity of vectors to a centroid, less half of the largest similarity to those beside it."""
    similarity: NDArray[np.float64] = vectors @ centroid
    return similarity - 0.5 * (vectors @ beside.T).max(axis=1) if len(beside) else similarity


def _distinct_texts(items: pa.Table, embeddings: pa.Table) -> tuple[list[str], dict[str, int]]:
    """Return the distinct texts of the items that were embedded, and the number of the text of each that has one."""
    written = dict(zip(items["item_id"].to_pylist(), items["text"].to_pylist(), strict=True))
    numbers: dict[str, int] = {}
    text_of = {}
    for item_id in embeddings["item_id"].to_pylist():
        text = written.get(item_id)
        if text is not None and not is_blank(text):
            text_of[item_id] = numbers.setdefault(normalise(text), len(numbers))
    return list(numbers), text_of


def _known_vectors(embeddings: pa.Table, text_of: dict[str, int], count: int) -> NDArray[np.float32]:
    """Return the vector of each text, from the first item that has it: float32[texts, d]."""
    firsts: dict[int, int] = {}
    for row, item_id in enumerate(embeddings["item_id"].to_pylist()):
        firsts.setdefault(text_of[item_id], row)
    return vector_matrix(embeddings["vector"])[[firsts[number] for number in range(count)]]


def _sampled_vectors(
    texts: list[str],
    text_of: dict[str, int],
    item_topics: pa.Table,
    embed: Callable[[list[str]], dict[str, NDArray[np.float32]]],
) -> NDArray[np.float32]:
    """Return vectors of the texts most like their deepest topic, 30 of each, and zeros for the others: [texts, d]."""
    item_ids, topic_ids = item_topics["item_id"].to_pylist(), item_topics["topic_id"].to_pylist()
    taken: Counter[str] = Counter()
    chosen: dict[int, None] = {}
    for row in np.argsort(-item_topics["similarity"].to_numpy(), kind="stable"):
        number = text_of.get(item_ids[row])
        if number is not None and taken[topic_ids[row]] < _SAMPLED:
            taken[topic_ids[row]] += 1
            chosen[number] = None
    vectors = embed([texts[number] for number in chosen])
    dimension = len(next(iter(vectors.values()), (0,)))
    matrix = np.zeros((len(texts), dimension), np.float32)
    for number in chosen:
        matrix[number] = vectors[texts[number]]
    return matrix


def _files(items: pa.Table) -> dict[str, str | None]:
    """Return the file of each item, where items have such."""
    if "file" not in items.column_names:
        return {}
    return dict(zip(items["item_id"].to_pylist(), items["file"].to_pylist(), strict=True))


def _telling(
    texts: list[str],
    inside: NDArray[np.int64],
    vectors: NDArray[np.float32],
    centroid: NDArray[np.float64],
    beside: NDArray[np.float64],
) -> str:
    """Return the most telling text among those that have a vector, the empty string where there is none."""
    numbers = inside[vectors[inside].any(axis=1)]
    return texts[numbers[contrast(vectors[numbers], centroid, beside).argmax()]] if len(numbers) else ""


def _mean(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean vector, zeros where there is none."""
    mean: NDArray[np.float64] = vectors.sum(axis=0, dtype=np.float64) / max(len(vectors), 1)
    return mean


def _sorted(numbers: set[int]) -> NDArray[np.int64]:
    return np.array(sorted(numbers), dtype=np.int64)


def _nearest(centroids: NDArray[np.float64], row: int, siblings: list[int]) -> NDArray[np.float64]:
    others = centroids[[sibling for sibling in siblings if sibling != row]]
    order = np.argsort(-(others @ centroids[row]), kind="stable")
    return others[order[:_NEAREST_SIBLINGS]]
