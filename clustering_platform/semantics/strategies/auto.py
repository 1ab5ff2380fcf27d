"""The strategy `auto`: topics that ways of clustering agree on, gathered from the bottom up."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.consensus import Candidate, best_candidate, candidates
from clustering_platform.semantics.gathering import gather, linkage_of
from clustering_platform.semantics.neighbours import Neighbours
from clustering_platform.semantics.reduction import Floats, Labels
from clustering_platform.semantics.silhouettes import mean_silhouette, mean_vectors, unit_rows
from clustering_platform.semantics.tree import Space, Topic, Tree, smallest_topic, why_undivided

LEAST_SILHOUETTE = 0.035
_DENSITY_NEIGHBOURS = 15
_DEVIATIONS = 1.645


def grow(space: Space, *, resolution: float | None, smallest: int | None, max_depth: int) -> Tree:
    """Return the tree of topics without being told their number.

    Topics are the consensus of ``consensus``; those smaller than `smallest` are put into the most similar other one.
    Where the topics do not tell the points apart (mean silhouette under .035: random vectors stay below) there is one
    topic only. Points that are unlike all others are noise; they stay in their topic.

    Parameters
    ----------
    resolution
        Larger finds more and smaller topics; None: by the number of points.
    smallest
        Smallest size of a topic; None: by the number of points.
    max_depth
        Levels below the root.
    """
    root = Topic(np.arange(len(space)))
    if why := why_undivided(space, max_depth):
        root.note = why
        return Tree(root)
    smallest = smallest or smallest_topic(len(space))
    tried = list(candidates(space.points, space.neighbours, resolution=resolution, seed=space.seed))
    found = best_candidate(tried)
    labels = take_in_small(space.points, found.labels, smallest=smallest)
    silhouette = mean_silhouette(space.points, labels)
    if silhouette < LEAST_SILHOUETTE:
        root.note = f"not divided: no division tells its items apart (silhouette {silhouette:.3f})"
        return Tree(root)
    centroids = unit_rows(mean_vectors(space.points, labels))
    topics = [Topic(np.flatnonzero(labels == label)) for label in range(len(centroids))]
    merges = linkage_of(centroids)
    root.children = gather(topics, merges, levels=max_depth)
    root.method, root.left_out = "consensus", np.flatnonzero(is_unlike(space.neighbours))
    root.note = f"{len(topics)} topics by consensus (silhouette {silhouette:.3f})"
    if len(root.children) < len(topics):
        root.method, root.note = "ward", f"{root.note}, gathered in {len(root.children)}"
    return Tree(root, merges=merges, leaves=topics, partitions=found.partitions, scales=_scales(tried, found))


def _scales(tried: list[Candidate], chosen: Candidate) -> list[dict[str, Any]]:
    """Return the rows of the table `topic_scales`."""
    return [
        {
            "width": one.width,
            "resolution": one.resolution,
            "topics": one.topics,
            "silhouette": one.silhouette,
            "is_chosen": one is chosen,
        }
        for one in tried
    ]


def take_in_small(points: Floats, labels: Labels, *, smallest: int) -> Labels:
    """Put the smallest topic into the one of most similar centroid until none is too small; renumbered from 0.

    Measured on 52 sets of 56 to 815 sentences (CLINC150, Banking77): mean adjusted mutual information .782, where each
    point of a small topic going to the most similar large one gives .768.
    """
    labels, sizes = labels.copy(), np.bincount(labels)
    sums = mean_vectors(points, labels) * sizes[:, None]
    while (left := np.flatnonzero(sizes)).size > 1 and sizes[left].min() < smallest:
        small = left[sizes[left].argmin()]
        others = left[left != small]
        home = others[(unit_rows(sums[others]) @ sums[small]).argmax()]
        sums[home] += sums[small]
        sizes[home], sizes[small] = sizes[home] + sizes[small], 0
        labels[labels == small] = home
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def is_unlike(neighbours: Neighbours) -> NDArray[np.bool_]:
    """Return which points are unlike all others: bool[n].

    Their mean similarity to the 15 nearest is further below the median than 1.645 robust standard deviations; of
    normally distributed ones that are 5 %. Measured on CLINC150 with its 1,200 requests that belong to no class: flags
    78 % of these and 3.8 % of the others (similarity itself: area under the curve .966).
    """
    similarity = neighbour_similarity(neighbours)
    middle = np.median(similarity)
    deviation = 1.4826 * np.median(np.abs(similarity - middle))
    return np.asarray(similarity < middle - _DEVIATIONS * deviation)


def neighbour_similarity(neighbours: Neighbours) -> NDArray[np.float64]:
    """Return the mean cosine similarity of each point to its 15 nearest neighbours: float64[n]."""
    nearest = neighbours.nearest(_DENSITY_NEIGHBOURS).similarity
    return nearest.mean(axis=1, dtype=np.float64) if nearest.shape[1] else np.zeros(len(nearest))
