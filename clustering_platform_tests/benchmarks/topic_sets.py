"""The labelled texts that topics are measured on, as vectors on disk, and vectors made to look like those of texts.

Every process of a benchmark reads its vectors from a file, so that no process carries the embedder's memory.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform_tests.conftest import SHARED_DATA

TEXTS = SHARED_DATA / "text"
SETS = {"clinc": "clinc150_in", "banking": "banking77"}
OUT_OF_SCOPE = "clinc150_oos"
NAMES = {"clinc": "CLINC150", "banking": "Banking77"}
_DIMENSIONS = 384
_ITEMS_OF_A_CLUSTER = 150
_CLUSTERS_OF_A_DOMAIN = 10
_LOCAL = 12


@dataclass(frozen=True)
class Labelled:
    """Vectors of length one (float32[n, d]) with the fine and the coarse label of each."""

    vectors: NDArray[np.float32]
    fine: NDArray[np.str_]
    coarse: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.vectors)


def vector_file(name: str, folder: Path) -> Path:
    """Return the file `name`.npz with the vectors of a set, made with MiniLM where it is not in the folder yet."""
    file = folder / f"{name}.npz"
    if not file.is_file():
        rows = [json.loads(line) for line in (TEXTS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        labels = {kind: np.array([row.get(kind, "") for row in rows]) for kind in ("fine", "coarse")}
        np.savez(file, v=_embed([row["text"] for row in rows], folder / "embeddings"), **labels)
    return file


def read_set(file: Path, rows: Sequence[int] | NDArray[np.int64] | None = None) -> Labelled:
    """Return a set, or some rows of it."""
    with np.load(file) as stored:
        found = Labelled(stored["v"], stored["fine"], stored["coarse"])
    return found if rows is None else Labelled(found.vectors[rows], found.fine[rows], found.coarse[rows])


def as_embeddings(vectors: NDArray[np.float32], ids: Sequence[int] | NDArray[np.int64] | None = None) -> pa.Table:
    """Return the columns of the table `embeddings` that the tree is made from; the id of an item is its number."""
    from clustering_platform.semantics.item_embeddings import list_column

    numbers = [str(number) for number in (range(len(vectors)) if ids is None else ids)]
    return pa.table({"item_id": numbers, "content_hash": numbers, "vector": list_column(vectors)})


def _embed(texts: list[str], cache: Path) -> NDArray[np.float32]:
    from clustering_platform.semantics.embedders.sentence_transformers import SentenceTransformerEmbedder
    from clustering_platform.semantics.embedding_cache import EmbeddingCache
    from clustering_platform.semantics.item_embeddings import embed_items, vector_matrix

    items = pa.table({"item_id": [str(number) for number in range(len(texts))], "text": texts})
    with SentenceTransformerEmbedder() as embedder:
        return vector_matrix(embed_items(items, embedder, EmbeddingCache(cache), batch_size=64)["vector"])


def made_file(count: int, folder: Path, *, seed: int) -> Path:
    """Return a file of `count` made vectors, the cluster of each as its fine label, its domain as the coarse one."""
    file = folder / f"made-{count}-{seed}.npz"
    vectors, clusters, domains = made_vectors(count, seed=seed)
    np.savez(file, v=vectors, fine=clusters.astype(str), coarse=domains.astype(str))
    return file


def made_vectors(count: int, *, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Return vectors of length one that lie as those of texts do: float32[count, 384], int64[count], int64[count].

    There is a cluster to 150 vectors; sizes are log-normal (the largest tenth holds a quarter of all), ten clusters
    make a domain. A vector is its cluster's centre, a part of twelve directions of its domain, and a part of its own.
    Two vectors of a cluster have a cosine of about .5, of a domain .2, of different ones .05; one to its 15 nearest of
    25,000 about .7. Sentences: .5, .15, .07 and .75 in CLINC150; .6, -, .19 and .84 in Banking77.
    """
    random = np.random.default_rng(seed)
    clusters = max(2, count // _ITEMS_OF_A_CLUSTER)
    domains = max(1, clusters // _CLUSTERS_OF_A_DOMAIN)
    shares = random.lognormal(sigma=0.7, size=clusters)
    cluster = random.choice(clusters, count, p=shares / shares.sum())
    domain_of = np.arange(clusters) % domains
    common = _unit(random.normal(size=(1, _DIMENSIONS)))
    middles = _unit(random.normal(size=(domains, _DIMENSIONS)))
    own = _unit(random.normal(size=(clusters, _DIMENSIONS)))
    centres = _unit(np.sqrt(0.1) * common + np.sqrt(0.3) * middles[domain_of] + np.sqrt(0.6) * own)
    directions = random.normal(size=(domains, _LOCAL, _DIMENSIONS)) / np.sqrt(_DIMENSIONS)
    vectors = np.empty((count, _DIMENSIONS), np.float32)
    for number in range(clusters):
        rows = np.flatnonzero(cluster == number)
        local = _unit(random.normal(size=(len(rows), _LOCAL)) @ directions[domain_of[number]])
        alone = _unit(random.normal(size=(len(rows), _DIMENSIONS)))
        spread = random.beta(6, 6, size=(len(rows), 1))  # how far out: .5 on average
        vectors[rows] = _unit(
            np.sqrt(1 - spread) * centres[number] + np.sqrt(0.6 * spread) * local + np.sqrt(0.4 * spread) * alone
        )
    return vectors, cluster, domain_of[cluster]


def _unit(rows: Any) -> Any:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
