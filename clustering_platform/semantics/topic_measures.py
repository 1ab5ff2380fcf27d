"""What is measured of topics: stability, thresholds, and the quality of each depth of the tree."""

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.reduction import Floats, Labels
from clustering_platform.semantics.silhouettes import mean_vectors, silhouettes

_LEAST_SIMILAR = 5
_TEMPERATURE = 0.05
_BLOCK = 8192


def stability(is_in: NDArray[np.bool_], leaves: Labels, partitions: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how well each topic is found by other ways of clustering: float64[topics], 0 to 1.

    Mean, over partitions, of the Jaccard similarity of the topic with the union of those clusters that lie mostly in
    it; so a partition may be finer than the topic, but not coarser (after the clusterwise stability of Hennig 2007).

    Parameters
    ----------
    is_in
        Array of shape (topics, leaves): which leaf topics each topic consists of.
    leaves
        Array of shape (n,): leaf topic of each point.
    partitions
        Array of shape (p, n).
    """
    found = np.zeros(len(is_in))
    count = is_in.shape[1]
    for labels in partitions:
        clusters = int(labels.max()) + 1
        table = np.bincount(leaves * clusters + labels, minlength=count * clusters).reshape(count, clusters)
        inside = is_in.astype(np.int64) @ table
        sizes = table.sum(axis=0)
        is_mostly = 2 * inside > sizes
        shared = (inside * is_mostly).sum(axis=1)
        union = inside.sum(axis=1) + (is_mostly * sizes).sum(axis=1) - shared
        found += shared / union
    return np.asarray(found / len(partitions))


def threshold(vectors: Floats) -> float:
    """Return the similarity to the centroid under which a new item does not belong to a topic.

    The 5th percentile of what the points of the topic reach, each compared with the centroid of the others. Of 30 % of
    CLINC150 held out it refuses 7 %, of requests that belong to no class 87 %.

    Parameters
    ----------
    vectors
        Array of shape (m, d): the points of the topic, of length one.
    """
    if len(vectors) < 2:
        return 1.0
    total = vectors.sum(axis=0, dtype=np.float64)
    towards = vectors @ total
    others = np.sqrt(np.maximum(total @ total - 2 * towards + 1, 1e-12))
    return float(np.clip(np.percentile((towards - 1) / others, _LEAST_SIMILAR), -1, 1))


def confidence(vectors: Floats, centroids: NDArray[np.float64], chosen: Labels) -> NDArray[np.float64]:
    """Return how sure it is that each vector belongs to the chosen centroid: float64[n], 0 to 1.

    The softmax of the cosine similarities at a temperature of .05. It tells right from wrong assignments of CLINC150
    with an area under the curve of .77, the similarity alone with .73.
    """
    sure = np.empty(len(vectors))
    for start in range(0, len(vectors), _BLOCK):
        block = slice(start, start + _BLOCK)
        weights = np.exp((vectors[block] @ centroids.T - 1) / _TEMPERATURE)
        sure[block] = weights[np.arange(len(weights)), chosen[block]] / weights.sum(axis=1)
    return sure


def quality(vectors: Floats, labels: Labels) -> dict[str, float | None]:
    """Return figures of one partition: mean silhouette (cosine), Davies-Bouldin index (Euclidean), mean similarity.

    The last is the mean cosine similarity of points to the mean of their topic. The first two are None where there is
    one topic only.
    """
    means = mean_vectors(vectors, labels)
    lengths = np.linalg.norm(means, axis=1)
    inner = np.einsum("ij,ij->i", vectors, means[labels]) / np.maximum(lengths[labels], 1e-12)
    if len(means) < 2:
        return {"silhouette": None, "davies_bouldin": None, "cohesion": float(inner.mean())}
    return {
        "silhouette": float(silhouettes(vectors, labels).mean()),
        "davies_bouldin": _davies_bouldin(vectors, labels, means),
        "cohesion": float(inner.mean()),
    }


def _davies_bouldin(vectors: Floats, labels: Labels, means: NDArray[np.float64]) -> float:
    """Return the index of Davies and Bouldin (1979): mean over clusters of the worst (s_i + s_j) / d_ij."""
    from scipy.spatial.distance import cdist

    away = np.linalg.norm(vectors - means[labels], axis=1)
    spread = np.bincount(labels, away) / np.bincount(labels)
    apart = cdist(means, means)
    np.fill_diagonal(apart, np.inf)
    return float(((spread[:, None] + spread) / np.maximum(apart, 1e-12)).max(axis=1).mean())
