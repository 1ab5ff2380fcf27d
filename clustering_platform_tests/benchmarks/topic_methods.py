"""Ways from vectors to topics, each measured in a process of its own: ours, and others that people use.

A method first runs on a part of the vectors, so that all that is imported or compiled when needed is there, and then on
all of them, from the file on disk to labels in memory. Points that a method calls noise are sent to the most similar
cluster (cosine to its centroid) before anything is scored, within the time measured.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.topics_config import TopicsConfig
from clustering_platform_tests.benchmarks.measure import Meter
from clustering_platform_tests.benchmarks.topic_sets import Labelled, as_embeddings, read_set

WARM_UP = 17_000
"""Beyond 16,384 points neighbours are found in another way, which has to be compiled too."""

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Found:
    """What a method found: labels of one or more levels, the finest first, and what it took.

    `levels` is int64[levels, n]. `megabytes` is what the process held at most above what it held when the method
    began, `peak` all of it. `noise` is the share of points that the method left out.
    """

    levels: Labels
    noise: float
    seconds: float
    cpu: float
    megabytes: float
    peak: float

    @property
    def labels(self) -> Labels:
        """The finest labels."""
        return self.levels[0]

    @property
    def topics(self) -> int:
        """Number of topics of the finest level."""
        return len(np.unique(self.labels))


Method = Callable[[Labelled], tuple[list[Labels], float]]


def run_method(name: str, file: Path) -> Found:
    """Run a method on the vectors of a file."""
    method = METHODS[name]
    method(some_rows(read_set(file)))
    with Meter() as meter:
        levels, noise = method(read_set(file))
    return Found(np.array(levels), noise, meter.seconds, meter.cpu, meter.megabytes, meter.peak)


def some_rows(data: Labelled) -> Labelled:
    """Return the rows to warm up with: all up to twice the size of the warm-up, else an even sample."""
    step = max(1, len(data) // WARM_UP)
    return Labelled(data.vectors[::step], data.fine[::step], data.coarse[::step])


def ours(data: Labelled) -> tuple[list[Labels], float]:
    """Find the platform's own tree, told nothing."""
    items = build_tree(data.vectors)["found_item_topics"]
    return cuts(items), float(np.mean(items["is_noise"].to_pylist()))


def build_tree(vectors: NDArray[np.float32], ids: Any = None) -> dict[str, pa.Table]:
    """Return the tables of the tree, with the default settings."""
    from clustering_platform.semantics.topic_tables import build_topic_tree

    return build_topic_tree(as_embeddings(vectors, ids), config=TopicsConfig())


def cuts(item_topics: pa.Table) -> list[Labels]:
    """Return the labels at each depth of a tree, the leaves first, the root left out."""
    paths = item_topics["path"].to_pylist()
    deepest = max(map(len, paths)) - 1
    return [
        np.unique([path[min(depth, len(path) - 1)] for path in paths], return_inverse=True)[1].astype(np.int64)
        for depth in range(deepest, 0, -1)
    ] or [np.zeros(len(paths), np.int64)]


def umap_hdbscan(data: Labelled) -> tuple[list[Labels], float]:
    """UMAP to five dimensions, HDBSCAN with a smallest cluster of a four-hundredth of the points, at least 15."""
    from hdbscan import HDBSCAN
    from umap import UMAP

    layout = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=42, n_jobs=1)
    smallest = max(15, len(data) // 400)
    clusterer = HDBSCAN(min_cluster_size=smallest, min_samples=10, core_dist_n_jobs=1)
    return _filled(data, [clusterer.fit_predict(layout.fit_transform(data.vectors))])


def evoc(data: Labelled) -> tuple[list[Labels], float]:
    """EVoC with its own settings and a seed: the layer it prefers first, then the others."""
    from evoc import EVoC

    clusterer = EVoC(random_state=42)
    chosen = clusterer.fit_predict(data.vectors)
    return _filled(data, [chosen, *(layer for layer in clusterer.cluster_layers_ if not np.array_equal(layer, chosen))])


def kmeans(data: Labelled) -> tuple[list[Labels], float]:
    """K-means, told the true number of classes."""
    from sklearn.cluster import KMeans

    return [KMeans(len(set(data.fine)), n_init=1, random_state=0).fit_predict(data.vectors).astype(np.int64)], 0.0


def minibatch(data: Labelled) -> tuple[list[Labels], float]:
    """K-means in batches, told the true number of classes."""
    from sklearn.cluster import MiniBatchKMeans

    clusterer = MiniBatchKMeans(len(set(data.fine)), n_init=3, random_state=0)
    return [clusterer.fit_predict(data.vectors).astype(np.int64)], 0.0


def _filled(data: Labelled, levels: list[Any]) -> tuple[list[Labels], float]:
    from clustering_platform.semantics.density import send_home

    noise = float((np.asarray(levels[0]) < 0).mean())
    return [send_home(data.vectors, np.asarray(level, np.int64)) for level in levels if level.max() >= 0], noise


METHODS: dict[str, Method] = {
    "ours": ours,
    "umap+hdbscan": umap_hdbscan,
    "evoc": evoc,
    "k-means, true k": kmeans,
    "minibatch, true k": minibatch,
}
NEEDS = {"evoc": "evoc"}


def is_installed(name: str) -> bool:
    """Say whether the library that a method needs is there."""
    return name not in NEEDS or importlib.util.find_spec(NEEDS[name]) is not None


def content(tables: dict[str, pa.Table]) -> str:
    """Return a hash of all that is in tables, to the last bit."""
    digest = hashlib.sha256()
    for name in sorted(tables):
        digest.update(name.encode())
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, tables[name].schema) as writer:
            writer.write_table(tables[name].combine_chunks())
        digest.update(sink.getvalue())
    return digest.hexdigest()[:16]
