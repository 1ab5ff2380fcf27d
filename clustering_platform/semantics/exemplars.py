"""Which items show what a topic is about: the most central ones, and ones that cover it."""

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.reduction import Floats

EXEMPLARS = 5
_CANDIDATES = 300


def central(similarity: NDArray[np.float64], count: int = EXEMPLARS) -> NDArray[np.int64]:
    """Return the rows most similar to the centroid, most similar first; ties by row.

    Parameters
    ----------
    similarity
        Array of shape (m,): cosine similarity of each point of a topic to its centroid.
    """
    return np.lexsort((np.arange(len(similarity)), -similarity))[:count]


def diverse(vectors: Floats, similarity: NDArray[np.float64], count: int = EXEMPLARS) -> NDArray[np.int64]:
    """Return rows that together come near to every point: greedy facility location (Nemhauser et al. 1978).

    At most 300 points are considered, evenly over their similarity to the centroid.

    Parameters
    ----------
    vectors
        Array of shape (m, d): the points of a topic, of length one.
    similarity
        As for `central`.
    """
    ranked = central(similarity, len(similarity))
    considered = ranked[np.unique(np.linspace(0, len(ranked) - 1, min(_CANDIDATES, len(ranked))).astype(np.int64))]
    products = vectors[considered].astype(np.float64) @ vectors[considered].T
    covered = np.full(len(considered), -1.0)
    chosen: list[int] = []
    for _ in range(min(count, len(considered))):
        gains = np.maximum(products, covered).sum(axis=1)
        gains[chosen] = -np.inf
        chosen.append(int(gains.argmax()))
        covered = np.maximum(covered, products[chosen[-1]])
    return considered[chosen]
