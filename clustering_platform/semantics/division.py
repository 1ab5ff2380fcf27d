"""Dividing the items of one topic into subtopics.

One division belongs here: density clusters, what becomes of items between them, k-means in their stead, and whether
the division is worth keeping. Dividing again and again belongs in ``tree``.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.reduction import Floats
from clustering_platform.semantics.silhouettes import mean_silhouette, mean_vectors, unit_rows

Labels = NDArray[np.int64]

LEAST_GAIN = 0.05
LEAST_ROOT_GAIN = 0.035
_NEIGHBOURS = 3
_DOMINANT = 0.5
_LEAST_SIMILAR = 5
_KMEANS_FROM = 6
_MOST_CLUSTERS = 12
_MANY = 2000


@dataclass(frozen=True)
class Division:
    """Subtopics 0, 1, ... of the items of a topic; -1 for items that fit none of them."""

    labels: Labels
    method: Literal["hdbscan", "kmeans"]


def divide(
    vectors: Floats, layout: Floats, *, smallest: int, siblings: NDArray[np.float64] | None, seed: int
) -> tuple[Division | None, float]:
    """Divide the items of a topic, if that tells them apart better than leaving them together.

    Density clusters of the layout come first. Where there are none, or they are not worth it, k-means on the vectors
    steps in, if the topic is the root or has room for several subtopics (6 times the smallest size).

    A division is kept when it raises the mean silhouette of the items, seen among the siblings of their topic, by at
    least .05. Measured on CLINC150 and Banking77 with true classes as siblings: dividing what is two or three classes
    gains .10 to .16 in the median; of what is one class, one in six is divided at all, and half of those gain less
    than .05. The silhouette alone does not tell the two apart (medians .26 and .27). The root has no siblings, and
    its silhouette before is 0; there .035 is asked for: statements of real conversations reach .05 to .33, random
    vectors at most .033 (40 of them) or .01 (300).

    Parameters
    ----------
    vectors
        Array of shape (n, d): distinct vectors of length one.
    layout
        Array of shape (n, 5): the same items in few dimensions.
    smallest
        Items that a subtopic must have.
    siblings
        Mean vectors of the topics beside this one; None for the root.
    seed
        Seed of k-means.

    Returns
    -------
    The division, or None where none is worth it, and the best gain that was found (0 where there was nothing to try).
    """
    least = LEAST_ROOT_GAIN if siblings is None else LEAST_GAIN
    best = 0.0
    labels = _by_density(vectors, layout, smallest)
    if labels is not None:
        best = _gain(vectors, labels, siblings)
        if best >= least:
            return Division(labels, "hdbscan"), best
    if siblings is None or len(vectors) >= _KMEANS_FROM * smallest:
        labels = _by_means(vectors, smallest, seed)
        if labels is not None:
            gain = _gain(vectors, labels, siblings)
            if gain >= least:
                return Division(labels, "kmeans"), gain
            best = max(best, gain)
    return None, best


def _gain(vectors: Floats, labels: Labels, siblings: NDArray[np.float64] | None) -> float:
    together = np.where(labels >= 0, 0, -1)
    return mean_silhouette(vectors, labels, siblings) - mean_silhouette(vectors, together, siblings)


def _by_density(vectors: Floats, layout: Floats, smallest: int) -> Labels | None:
    """Cluster by density; a cluster with more than half of the items gives way to its own clusters where it has any.

    HDBSCAN likes to set a few outlying items against all the rest (17 of 316 statements in one measured case).
    """
    labels = _hdbscan(layout, smallest)
    while labels.max() > 0:
        sizes = np.bincount(labels[labels >= 0])
        largest = int(sizes.argmax())
        if sizes[largest] <= _DOMINANT * len(labels):
            break
        inside = np.flatnonzero(labels == largest)
        parts = _hdbscan(layout[inside], smallest)
        if parts.max() < 1:
            break
        labels[inside] = np.where(parts >= 0, parts + len(sizes), -1)
        labels = _renumber(labels)
    return _take_in(vectors, labels) if labels.max() > 0 else None


def _hdbscan(layout: Floats, smallest: int) -> Labels:
    """Return the density clusters; `min_samples` of 3 instead of `smallest` leaves far fewer items between them."""
    from hdbscan import HDBSCAN

    if len(layout) < 2 * smallest:
        return np.full(len(layout), -1, dtype=np.int64)
    clusterer = HDBSCAN(min_cluster_size=smallest, min_samples=min(_NEIGHBOURS, smallest), core_dist_n_jobs=1)
    return np.asarray(clusterer.fit(layout.astype(np.float64)).labels_, dtype=np.int64)


def _take_in(vectors: Floats, labels: Labels) -> Labels:
    """Give each item between the clusters to the most similar one, if it is as similar to it as its own items are.

    As similar: at least the 5th percentile of the cosine similarities of the cluster's items to its centroid.
    """
    similarity = vectors @ unit_rows(mean_vectors(vectors, labels)).T
    limits = np.array(
        [np.percentile(similarity[labels == label, label], _LEAST_SIMILAR) for label in range(similarity.shape[1])]
    )
    nearest = similarity.argmax(axis=1)
    fits = similarity[np.arange(len(labels)), nearest] >= limits[nearest]
    return np.where((labels < 0) & fits, nearest, labels)


def _by_means(vectors: Floats, smallest: int, seed: int) -> Labels | None:
    """Return the k-means clusters of largest silhouette among those whose clusters are all large enough."""
    from sklearn.cluster import KMeans

    best: tuple[float, Labels | None] = (-np.inf, None)
    exact = vectors.astype(np.float64)
    starts = 10 if len(vectors) <= _MANY else 2
    for count in range(2, min(_MOST_CLUSTERS, len(vectors) // smallest) + 1):
        found = KMeans(count, n_init=starts, random_state=seed).fit(exact).labels_
        labels = np.asarray(found, dtype=np.int64)
        if np.bincount(labels, minlength=count).min() >= smallest:
            best = max(best, (mean_silhouette(vectors, labels), labels), key=lambda pair: pair[0])
    return best[1]


def _renumber(labels: Labels) -> Labels:
    used = np.unique(labels[labels >= 0])
    return np.where(labels >= 0, np.searchsorted(used, labels), -1)
