"""The tree of topics: dividing, dividing again, and gathering topics that are too many to read.

The tables made from it belong in ``topic_tables``, one division in ``division``.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.division import divide
from clustering_platform.semantics.reduction import Floats, umap_layout
from clustering_platform.semantics.silhouettes import mean_vectors, unit_rows

FEWEST_ITEMS = 20
_LAYOUT_DIMENSIONS = 5
_MOST_CHILDREN = 12
_FEWEST_GROUPS = 4


@dataclass(eq=False)
class Topic:
    """A topic and its subtopics; `points` are the rows of the distinct vectors in it and below, ascending."""

    points: NDArray[np.int64]
    method: str = "leaf"
    note: str = ""
    children: list["Topic"] = field(default_factory=list)


@dataclass(frozen=True)
class _Search:
    """What stays the same while a tree is built."""

    vectors: Floats
    layout: Floats
    smallest: int
    max_depth: int
    seed: int


def smallest_topic(points: int) -> int:
    """Return the default smallest size of a topic for a number of distinct texts: n^(3/8), at least 4.

    4 of 50 texts, 8 of 300, 16 of 1,500, 30 of 9,000. Measured on mixtures of 4 to 25 classes in 40 to 300 texts,
    with 12 % of texts that belong to none: mean adjusted mutual information .89, and 4.3, 6.1, 9.0, 12.6 and 17.1
    topics where there were 4, 6, 8, 12 and 25 classes. Six conversations of 31 to 371 statements show 3 to 14 topics.
    """
    return max(4, round(math.pow(points, 0.375)))


def grow_tree(points: Floats, *, smallest: int | None, max_depth: int, seed: int) -> Topic:
    """Return the tree of topics of distinct vectors of length one.

    The vectors are laid out in five dimensions once (UMAP, cosine). The root is divided into topics as fine as the
    smallest size allows; each of them is divided again, in the same layout, where that is worth it. Where a division
    has more than 12 topics they are gathered by Ward linkage of their centroids, in the space of the vectors.

    Measured (adjusted mutual information with the 150 intents and 10 domains of CLINC150, 9,000 texts): leaves .86,
    top level of 12 topics .60; dividing from the top down with larger sizes first gives .80 to .83 and .50. Laying
    out each topic anew before dividing it costs 5 to 7 times as much and changes the leaves by -.01 to +.03 (1,500
    texts of CLINC150 and Banking77).

    Parameters
    ----------
    points
        Array of shape (n, d): distinct rows of length one, n at least 1.
    smallest
        Smallest size of a topic; None: by `smallest_topic`.
    max_depth
        Levels below the root.
    seed
        Seed of UMAP and k-means.
    """
    root = Topic(np.arange(len(points)))
    if len(points) < FEWEST_ITEMS:
        root.note = f"not divided: distinct texts {len(points)}, a division needs {FEWEST_ITEMS}"
        return root
    if max_depth == 0:
        root.note = "not divided: the settings allow no level below the root"
        return root
    layout = umap_layout(points, dimensions=_LAYOUT_DIMENSIONS, spread=0.0, seed=seed)
    search = _Search(points, layout, smallest or smallest_topic(len(points)), max_depth, seed)
    _divide(search, root, depth=0, siblings=None)
    return root


def _divide(search: _Search, topic: Topic, *, depth: int, siblings: NDArray[np.float64] | None) -> None:
    """Give the topic its subtopics, and them theirs, or note why it has none."""
    size, needed = len(topic.points), max(FEWEST_ITEMS, 2 * search.smallest)
    if depth == search.max_depth:
        topic.note = f"not divided: at the largest depth, {search.max_depth}"
        return
    if size < needed:
        topic.note = f"not divided: distinct texts {size}, a division needs {needed}"
        return
    vectors, layout = search.vectors[topic.points], search.layout[topic.points]
    division, gain = divide(vectors, layout, smallest=search.smallest, siblings=siblings, seed=search.seed)
    if division is None:
        topic.note = f"not divided: no division tells its texts apart (gain of silhouette {gain:.3f})"
        return
    means = mean_vectors(vectors, division.labels)
    found = [Topic(topic.points[division.labels == label]) for label in range(len(means))]
    _place(topic, found, unit_rows(means), method=division.method, levels=search.max_depth - depth)
    _divide_found(search, topic, depth, {child: row for row, child in enumerate(found)}, means)


def _divide_found(
    search: _Search, topic: Topic, depth: int, rows: dict[Topic, int], means: NDArray[np.float64]
) -> None:
    """Divide the topics that one division found, at whatever level they were placed; `rows` are theirs in `means`."""
    for child in topic.children:
        if child in rows:
            _divide(search, child, depth=depth + 1, siblings=np.delete(means, rows[child], axis=0))
        else:
            _divide_found(search, child, depth + 1, rows, means)


def _place(topic: Topic, found: list[Topic], centroids: NDArray[np.float64], *, method: str, levels: int) -> None:
    """Put the topics found under `topic`: as its children, or gathered in groups where they are too many."""
    if len(found) <= _MOST_CHILDREN:
        way = "density" if method == "hdbscan" else "k-means, as density found none"
        topic.children, topic.method, topic.note = found, method, f"{len(found)} topics by {way}"
        return
    labels = _ward(centroids)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        members = [found[row] for row in rows]
        if len(members) == 1:
            topic.children.append(members[0])
            continue
        group = Topic(np.sort(np.concatenate([member.points for member in members])))
        if levels > 1:
            _place(group, members, centroids[rows], method=method, levels=levels - 1)
        else:
            group.note = f"{len(members)} topics put together: at the largest depth"
        topic.children.append(group)
    topic.method, topic.note = "ward", f"{len(found)} topics, gathered in {len(topic.children)}"


def _ward(centroids: NDArray[np.float64]) -> NDArray[np.int64]:
    """Gather centroids by Ward linkage: sqrt(2 k) groups, so that both levels are about equally wide."""
    from scipy.cluster.hierarchy import fcluster, linkage

    groups = min(_MOST_CHILDREN, max(_FEWEST_GROUPS, round(math.sqrt(2 * len(centroids)))))
    return np.asarray(fcluster(linkage(centroids, "ward"), groups, "maxclust"), dtype=np.int64)
