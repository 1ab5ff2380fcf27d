"""The strategy `recursive`: density clusters, and density clusters within each of them again."""

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.choosing import sampled_silhouette
from clustering_platform.semantics.density import Clusters, density_clusters
from clustering_platform.semantics.neighbours import nearest_neighbours
from clustering_platform.semantics.reduction import Floats, Labels, graph_layout, neighbour_count, on_one_thread
from clustering_platform.semantics.silhouettes import mean_silhouette, mean_vectors
from clustering_platform.semantics.tree import FEWEST_ITEMS, Space, Topic, Tree, why_undivided
from clustering_platform.topics_config import RecursiveConfig

_NEIGHBOURS = 3
_KMEANS_FROM = 6
_MOST_CLUSTERS = 12


def smallest_cluster(points: int, depth: int, settings: RecursiveConfig) -> int:
    """Return `min_cluster_size` for a topic: max(max(10, 50 / 2^depth), points x share x decay^depth)."""
    floor = max(10.0, settings.floor / 2**depth)
    smallest: float = max(floor, points * settings.share * settings.decay**depth)
    return round(smallest)


def grow(space: Space, *, settings: RecursiveConfig, max_depth: int) -> Tree:
    """Return the tree that dividing again and again gives.

    A topic is divided by HDBSCAN; where that finds nothing, by k-means, if there is room for six of the smallest
    topics. Points between the clusters are sent home before anything is divided further. A division is kept when its
    silhouette in the layout is `settings.least_silhouette` at least and it raises the silhouette of the vectors, seen
    among the siblings of the topic, by `settings.least_gain`.

    Measured on CLINC150 (9,000 requests): sending noise home before dividing raises the agreement of the leaves with
    the intents from .69 to .80; laying out each topic anew takes five to seven times as long and gains nothing.
    """
    root = Topic(np.arange(len(space)))
    membership = np.zeros(len(space))
    if why := why_undivided(space, max_depth):
        root.note = why
    else:
        _Search(space, settings, max_depth, membership).divide(root, space.layout, depth=0, siblings=None)
    return Tree(root, membership=membership)


class _Search:
    def __init__(
        self, space: Space, settings: RecursiveConfig, max_depth: int, membership: NDArray[np.float64]
    ) -> None:
        self._space, self._settings, self._max_depth, self._membership = space, settings, max_depth, membership

    def divide(self, topic: Topic, layout: Floats, *, depth: int, siblings: NDArray[np.float64] | None) -> None:
        """Give the topic its subtopics, and them theirs, or note why it has none; `layout` is that of its points."""
        smallest = smallest_cluster(len(topic.points), depth, self._settings)
        topic.note = self._why_not(topic, depth, smallest)
        if topic.note:
            return
        vectors = self._space.points[topic.points]
        clusters, method = self._clusters(vectors, layout, smallest)
        if clusters is None:
            topic.note = f"not divided: no clusters of {smallest} or more"
            return
        width = sampled_silhouette(layout, clusters.labels, seed=self._space.seed)
        gain = _gain(vectors, clusters.labels, siblings)
        if width < self._settings.least_silhouette or gain < self._settings.least_gain:
            topic.note = f"not divided: too little is told apart (silhouette {width:.3f}, gain {gain:.3f})"
            return
        self._membership[topic.points] = clusters.membership
        topic.left_out = topic.points[clusters.is_noise]
        means = mean_vectors(vectors, clusters.labels)
        topic.method = method
        topic.note = f"{len(means)} topics of {smallest} or more (silhouette {width:.3f}, gain {gain:.3f})"
        for label in range(len(means)):
            inside = np.flatnonzero(clusters.labels == label)
            child = Topic(topic.points[inside])
            topic.children.append(child)
            around = np.delete(means, label, axis=0)
            self.divide(child, self._layout(child, layout[inside], depth), depth=depth + 1, siblings=around)

    def _why_not(self, topic: Topic, depth: int, smallest: int) -> str:
        size, needed = len(topic.points), max(FEWEST_ITEMS, 2 * smallest)
        if depth == self._max_depth:
            return f"not divided: at the largest depth, {self._max_depth}"
        return f"not divided: distinct items {size}, a division needs {needed}" if size < needed else ""

    def _clusters(self, vectors: Floats, layout: Floats, smallest: int) -> tuple[Clusters | None, str]:
        found = density_clusters(vectors, layout, smallest=smallest, neighbours=_NEIGHBOURS)
        if found is None and len(vectors) >= _KMEANS_FROM * smallest:
            return _by_means(layout, smallest=smallest, seed=self._space.seed), "kmeans"
        return found, "hdbscan"

    def _layout(self, child: Topic, inherited: Floats, depth: int) -> Floats:
        is_last = depth + 1 >= self._max_depth
        if not self._settings.lays_out_anew or is_last or len(child.points) < FEWEST_ITEMS:
            return inherited
        points = self._space.points[child.points]
        near = nearest_neighbours(points, neighbour_count(len(points)) - 1, seed=self._space.seed)
        return graph_layout(points, near, seed=self._space.seed)


def _gain(vectors: Floats, labels: Labels, siblings: NDArray[np.float64] | None) -> float:
    together = np.zeros_like(labels)
    return mean_silhouette(vectors, labels, siblings) - mean_silhouette(vectors, together, siblings)


def _by_means(layout: Floats, *, smallest: int, seed: int) -> Clusters | None:
    """Return the k-means clusters of largest silhouette among those whose clusters are all large enough."""
    from sklearn.cluster import KMeans

    exact = layout.astype(np.float64)
    best: tuple[float, Labels | None] = (-1.0, None)
    for count in range(2, min(_MOST_CLUSTERS, len(exact) // smallest) + 1):
        with on_one_thread():
            labels = np.asarray(KMeans(count, n_init=2, random_state=seed).fit(exact).labels_, dtype=np.int64)
        if np.bincount(labels, minlength=count).min() >= smallest:
            width = sampled_silhouette(layout, labels, seed=seed)
            best = max(best, (width, labels), key=lambda pair: pair[0])
    if best[1] is None:
        return None
    return Clusters(best[1], np.zeros(len(exact), np.bool_), np.ones(len(exact)))
