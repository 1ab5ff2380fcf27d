"""The strategy `flat`: one clustering, one level."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering_platform.config_section import SettingError
from clustering_platform.semantics.choosing import choose_count
from clustering_platform.semantics.density import density_clusters
from clustering_platform.semantics.reduction import Labels, on_one_thread
from clustering_platform.semantics.tree import Space, Topic, Tree, smallest_topic, why_undivided
from clustering_platform.topics_config import FlatConfig

_NEIGHBOURS = 10
_PAIR_BYTES = 16


@dataclass(frozen=True)
class _Found:
    labels: Labels
    left_out: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    membership: NDArray[np.float64] | None = None
    merges: NDArray[np.float64] | None = None
    scales: list[dict[str, Any]] = field(default_factory=list)


def grow(space: Space, *, settings: FlatConfig, smallest: int | None, max_depth: int) -> Tree:
    """Return a tree of one level: the clusters of one algorithm in the layout.

    Raises
    ------
    ValueError
        The algorithm would need more memory than the settings allow.
    """
    root = Topic(np.arange(len(space)))
    if why := why_undivided(space, max_depth):
        root.note = why
        return Tree(root)
    found = _cluster(space, settings, smallest or smallest_topic(len(space)))
    if found is None:
        root.note = f"not divided: {settings.algorithm} finds no clusters"
        return Tree(root)
    root.children = [Topic(np.flatnonzero(found.labels == label)) for label in range(found.labels.max() + 1)]
    root.method, root.left_out = settings.algorithm, found.left_out
    root.note = f"{len(root.children)} topics by {settings.algorithm}"
    return Tree(root, found.membership, found.merges, root.children, scales=found.scales)


def _cluster(space: Space, settings: FlatConfig, smallest: int) -> _Found | None:
    match settings.algorithm:
        case "hdbscan":
            clusters = density_clusters(space.points, space.layout, smallest=smallest, neighbours=_NEIGHBOURS)
            if clusters is None:
                return None
            return _Found(clusters.labels, np.flatnonzero(clusters.is_noise), clusters.membership)
        case "agglomerative":
            return _agglomerate(space, settings)
        case _:
            return _by_means(space, settings)


def _by_means(space: Space, settings: FlatConfig) -> _Found:
    from sklearn.cluster import KMeans, MiniBatchKMeans

    kind = KMeans if settings.algorithm == "kmeans" else MiniBatchKMeans
    layout = space.layout.astype(np.float64)

    def fit(count: int) -> Any:
        with on_one_thread():
            return kind(count, n_init=3, random_state=space.seed).fit(layout, sample_weight=space.weights)

    def clusters(count: int) -> tuple[Labels, float]:
        fitted = fit(count)
        return np.asarray(fitted.labels_, np.int64), float(fitted.inertia_)

    count, scales = _count(space, settings, clusters)
    fitted = fit(count)
    labels = np.unique(fitted.labels_, return_inverse=True)[1].astype(np.int64)
    return _Found(labels, membership=_nearness(fitted.transform(layout)), scales=scales)


def _nearness(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much nearer the nearest centre is than the next: 1 - d1 / d2, float64[n]."""
    if distance.shape[1] < 2:
        return np.ones(len(distance))
    nearest = np.partition(distance, 1, axis=1)[:, :2]
    return 1 - nearest[:, 0] / np.maximum(nearest[:, 1], 1e-12)


def _agglomerate(space: Space, settings: FlatConfig) -> _Found:
    from scipy.cluster.hierarchy import fcluster, linkage

    needed = len(space) * (len(space) - 1) // 2 * _PAIR_BYTES // 2**20
    if needed > settings.max_memory_mb:
        raise SettingError(
            f"topics.flat.algorithm: agglomerative clustering of {len(space):,} distinct items needs {needed:,} MB, "
            f"topics.flat.max_memory_mb allows {settings.max_memory_mb:,}; choose kmeans, minibatch or hdbscan, or the "
            "strategy auto"
        )
    layout = space.layout.astype(np.float64)
    merges = np.asarray(linkage(layout, settings.linkage), np.float64)

    def clusters(count: int) -> tuple[Labels, float]:
        labels = np.unique(fcluster(merges, count, "maxclust"), return_inverse=True)[1].astype(np.int64)
        centres = np.stack([np.bincount(labels, axis) for axis in layout.T], axis=1) / np.bincount(labels)[:, None]
        return labels, float(((layout - centres[labels]) ** 2).sum())

    count, scales = _count(space, settings, clusters)
    labels = clusters(count)[0]
    return _Found(labels, merges=_top(merges, labels), scales=scales)


def _count(space: Space, settings: FlatConfig, clusters: Any) -> tuple[int, list[dict[str, Any]]]:
    if settings.clusters is not None:
        return min(settings.clusters, len(space)), []
    most = min(settings.max_clusters, len(space) // 2)
    return choose_count(space.layout, clusters, most=most, seed=space.seed)


def _top(merges: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    """Return the merges above the clusters, whose numbers are those of `labels`: float64[k - 1, 4]."""
    points, count = len(labels), int(labels.max()) + 1
    cluster_of = np.empty(points + len(merges), np.int64)
    cluster_of[:points] = labels
    top = merges[len(merges) - (count - 1) :].copy() if count > 1 else merges[:0].copy()
    for row, (first, _, _, _) in enumerate(merges[: len(merges) - len(top)]):
        cluster_of[points + row] = cluster_of[int(first)]
    for row in range(len(top)):
        top[row, :2] = [cluster_of[int(node)] for node in top[row, :2]]
        cluster_of[points + len(merges) - len(top) + row] = count + row
    return top
