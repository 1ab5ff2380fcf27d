"""Levels above topics that are too many to read: a tree over their centroids.

Built from the bottom up: fine topics are reliable and their centroids few, while the large-scale shape of a layout is
not to be trusted. Finding the topics themselves belongs in ``strategies``.
"""

import math

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.reduction import Labels
from clustering_platform.semantics.tree import Topic

MOST_CHILDREN = 12
_BRANCHES = 8


def level_counts(topics: int, *, levels: int) -> list[int]:
    """Return how many groups of topics each level above them has, the top first; none where a list can be read.

    Up to 12 topics are a list. More are gathered in as few levels as leave about 8 or fewer branches at each, all
    about equally wide: 120 topics in 24 groups in 5.
    """
    if topics <= MOST_CHILDREN or levels < 2:
        return []
    needed = min(levels, math.ceil(math.log(topics) / math.log(_BRANCHES)))
    return [round(topics ** (level / needed)) for level in range(1, needed)]


def linkage_of(centroids: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Ward linkage of centroids of length one: float64[k - 1, 4].

    Of CLINC150's 10 domains, the groups of 120 fine topics show .62 to .65 (adjusted mutual information) at 20 to 40
    groups; average and complete linkage, and centroids of other lengths, show less.
    """
    from scipy.cluster.hierarchy import linkage

    return np.asarray(linkage(centroids, "ward"), dtype=np.float64)


def gather(topics: list[Topic], merges: NDArray[np.float64], *, levels: int) -> list[Topic]:
    """Return the topics put in groups, and these in groups, over at most `levels` levels, the topics among them."""
    from scipy.cluster.hierarchy import fcluster

    counts = level_counts(len(topics), levels=levels)
    cuts = [np.asarray(fcluster(merges, count, "maxclust"), np.int64) for count in counts]
    return _put_in(topics, cuts)


def _put_in(topics: list[Topic], cuts: list[Labels]) -> list[Topic]:
    """Return the topics under the groups of the first cut, which is coarser than the ones that follow."""
    if not cuts:
        return topics
    first, *rest = cuts
    return [
        _group([topics[row] for row in rows], [cut[rows] for cut in rest])
        for rows in (np.flatnonzero(first == label) for label in np.unique(first))
    ]


def _group(topics: list[Topic], cuts: list[Labels]) -> Topic:
    if len(topics) == 1:
        return topics[0]
    inside = _put_in(topics, cuts)
    if len(inside) == 1:
        return inside[0]
    points = np.sort(np.concatenate([topic.points for topic in topics]))
    return Topic(points, "ward", f"{len(topics)} topics, gathered in {len(inside)}", inside)
