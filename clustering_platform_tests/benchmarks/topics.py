"""Texts to topics: ours, which is not told how many there are, beside k-means with the true number.

The texts are CLINC150 and Banking77 from the shared data, where that is present. The score is the adjusted mutual
information with the labelled intents, every item counted at its deepest topic. Vectors are made before the clock
starts.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from clustering_platform.topics_config import TopicsConfig
from clustering_platform_tests.benchmarks.measure import measure
from clustering_platform_tests.conftest import SHARED_DATA

SETS = {"CLINC150": "clinc150_in.jsonl", "Banking77": "banking77.jsonl"}
ROWS = 3000


def main() -> None:
    """Print a line for each set and method."""
    if not SHARED_DATA.is_dir():
        print(f"topics: no labelled texts at {SHARED_DATA}; nothing to measure")
        return
    for name, file in SETS.items():
        texts, labels = read(SHARED_DATA / "text" / file)
        vectors = embed(texts)
        print(f"set {name}: {len(texts):,} texts, {len(set(labels))} intents")
        print(f"  ours          {measure(ours, vectors, labels, rounds=1)}")
        print(f"  true k-means  {measure(true_kmeans, vectors, labels, rounds=1)}")


def read(path: Path) -> tuple[list[str], list[str]]:
    """Return an even sample of the texts of a file and their labels."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = rows[:: max(1, len(rows) // ROWS)]
    return [row["text"] for row in rows], [row["fine"] for row in rows]


def embed(texts: list[str]) -> pa.Table:
    """Return the table `embeddings` of the texts."""
    from clustering_platform.semantics.embedders.sentence_transformers import SentenceTransformerEmbedder
    from clustering_platform.semantics.embedding_cache import EmbeddingCache
    from clustering_platform.semantics.item_embeddings import embed_items

    items = pa.table({"item_id": [str(number) for number in range(len(texts))], "text": texts})
    with tempfile.TemporaryDirectory() as folder, SentenceTransformerEmbedder() as embedder:
        return embed_items(items, embedder, EmbeddingCache(Path(folder)), batch_size=64)


def ours(vectors: pa.Table, labels: list[str]) -> Callable[[], float]:
    """Return the platform's own tree, ready to start."""
    from sklearn.metrics import adjusted_mutual_info_score

    from clustering_platform.semantics.topic_tables import build_topic_tree

    def compute() -> float:
        item_topics = build_topic_tree(vectors, config=TopicsConfig())["found_item_topics"]
        return float(adjusted_mutual_info_score(labels, item_topics["topic_id"].to_pylist()))

    return compute


def true_kmeans(vectors: pa.Table, labels: list[str]) -> Callable[[], float]:
    """Return k-means that is told the true number of intents, ready to start."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_mutual_info_score

    matrix = np.array(vectors["vector"].to_pylist(), dtype=np.float32)

    def compute() -> float:
        found: Any = KMeans(len(set(labels)), n_init=1, random_state=0).fit_predict(matrix)
        return float(adjusted_mutual_info_score(labels, found))

    return compute


if __name__ == "__main__":
    main()
