"""The strategy `levels`: three levels of density clusters with stated sizes, in one layout."""

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.density import density_clusters
from clustering_platform.semantics.tree import Space, Topic, Tree, why_undivided


def sizes(points: int, level: int) -> tuple[int, int] | None:
    """Return `min_cluster_size` and `min_samples` for a topic divided into topics of level 1, 2 or 3.

    Level 1: max(50, n // 100) and 10. Level 2: max(15, n // 10) and 5, from 30 points. Level 3: min(50, max(5,
    n // 5)) and 3, from 15 points. None where there are too few points.
    """
    match level:
        case 1:
            return max(50, points // 100), 10
        case 2:
            return (max(15, points // 10), 5) if points >= 30 else None
        case _:
            return (min(50, max(5, points // 5)), 3) if points >= 15 else None


def grow(space: Space, *, max_depth: int) -> Tree:
    """Return the tree of at most three levels; points between clusters are sent home before the next level."""
    root = Topic(np.arange(len(space)))
    membership = np.zeros(len(space))
    if why := why_undivided(space, max_depth):
        root.note = why
        return Tree(root)
    unfinished = [root]
    for level in range(1, min(3, max_depth) + 1):
        unfinished = [child for topic in unfinished for child in _divide(space, topic, level, membership)]
    return Tree(root, membership=membership)


def _divide(space: Space, topic: Topic, level: int, membership: NDArray[np.float64]) -> list[Topic]:
    rule = sizes(len(topic.points), level)
    if rule is None:
        topic.note = f"not divided: {len(topic.points)} distinct items are too few for level {level}"
        return []
    smallest, neighbours = rule
    found = density_clusters(
        space.points[topic.points], space.layout[topic.points], smallest=smallest, neighbours=neighbours
    )
    if found is None:
        topic.note = f"not divided: no clusters of {smallest} or more"
        return []
    membership[topic.points] = found.membership
    topic.left_out = topic.points[found.is_noise]
    topic.children = [Topic(topic.points[found.labels == label]) for label in range(found.labels.max() + 1)]
    topic.method, topic.note = "hdbscan", f"{len(topic.children)} topics of {smallest} or more"
    return topic.children
