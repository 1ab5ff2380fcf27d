"""Names of topics: do they say what the topic is about, and how long does a language model take to give them.

The topics are the true classes of CLINC150 and Banking77, so that only the names are judged. What the parts measure
stands in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.semantics.embedders.protocol import Embedder
from clustering_platform_tests.benchmarks.topic_sets import NAMES, SETS, TEXTS, read_set, vector_file

_CONCURRENCY = 8
_LATENCY = 0.2


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures of each part."""
    parser = argparse.ArgumentParser(prog="names", description=__doc__)
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--vectors", type=Path, help="folder in which the vectors of each set are kept from run to run")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.vectors or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for part in chosen.parts.split(","):
            print(f"{part}:", flush=True)
            PARTS[part](folder)


def offline(folder: Path) -> None:
    """Print how often a name is nearest to the label of its class, among all labels."""
    from clustering_platform.semantics.embedders.sentence_transformers import SentenceTransformerEmbedder

    if not TEXTS.is_dir():
        print(f"  no labelled texts at {TEXTS}")
        return
    for key, file_name in SETS.items():
        rows = [json.loads(line) for line in (TEXTS / f"{file_name}.jsonl").read_text(encoding="utf-8").splitlines()]
        texts, labels = [row["text"] for row in rows], np.array([row["fine"] for row in rows])
        vectors = read_set(vector_file(file_name, folder)).vectors
        started = time.process_time()
        names, seconds = named_classes(texts, labels, vectors, folder), time.process_time() - started
        classes = sorted(set(labels))
        with SentenceTransformerEmbedder() as embedder:
            by_name, by_both = right_labels(names, classes, embedder)
        distinct = len({row["name"].casefold() for row in names}) / len(names)
        words = np.mean([len(row["name"].replace(" / ", " ").split()) for row in names])
        print(
            f"  {NAMES[key]}: of {len(classes)} labels the right one is nearest to {by_name:.3f} of the "
            f"names, to {by_both:.3f} with summaries; {words:.1f} words; {distinct:.1%} distinct; "
            f"{seconds:.1f} CPU s",
            flush=True,
        )
        for row, label in list(zip(names, classes, strict=True))[:: len(classes) // 8]:
            print(f"    {_readable(label)!s:32} {row['name']}")


def named_classes(
    texts: list[str], labels: NDArray[np.str_], vectors: NDArray[np.float32], folder: Path
) -> list[dict[str, Any]]:
    """Return the rows of `proposed_names` of the classes, in alphabetical order, as siblings under one root."""
    from clustering_platform.semantics.embedders.sentence_transformers import SentenceTransformerEmbedder
    from clustering_platform.semantics.embedding_cache import EmbeddingCache
    from clustering_platform.semantics.item_embeddings import list_column
    from clustering_platform.semantics.naming import name_topics
    from clustering_platform.topics_config import TopicsConfig

    ids = [str(number) for number in range(len(texts))]
    classes = sorted(set(labels))
    topic_of = {label: f"t{number}" for number, label in enumerate(classes, 1)}
    own = [topic_of[label] for label in labels]
    centroids = [vectors.mean(axis=0), *(vectors[labels == label].mean(axis=0) for label in classes)]
    tree = pa.table(
        {
            "topic_id": ["t0", *topic_of.values()],
            "parent_id": [None, *["t0"] * len(classes)],
            "centroid": list_column(np.array([one / np.linalg.norm(one) for one in centroids], np.float32)),
        }
    )
    items = pa.table({"item_id": ids, "text": texts})
    with SentenceTransformerEmbedder() as embedder:
        embeddings = pa.table({"item_id": ids, "model": [embedder.model] * len(ids), "vector": list_column(vectors)})
        placed = pa.table(
            {"item_id": ids, "topic_id": own, "path": [["t0", topic] for topic in own], "similarity": np.ones(len(ids))}
        )
        cache = EmbeddingCache(folder / "embeddings")
        table = name_topics(items, embeddings, tree, placed, embedder=embedder, cache=cache, config=TopicsConfig())
    rows: list[dict[str, Any]] = table.to_pylist()[1:]
    return rows


def right_labels(rows: Sequence[dict[str, Any]], labels: Sequence[str], embedder: Embedder) -> tuple[float, float]:
    """Return for how many names, without and with their summaries, the label of their class is the nearest of all."""
    truth = embedder.embed([_readable(label) for label in labels])
    short = embedder.embed([row["name"] for row in rows])
    long = embedder.embed([f"{row['name']}. {row['summary']}" for row in rows])
    return _right(short, truth), _right(long, truth)


def service(folder: Path) -> None:
    """Print how long a service that takes its time needs to name 500 topics, beside the least it can take."""
    from clustering_platform.names_config import NamesConfig
    from clustering_platform.naming.answer_cache import AnswerCache
    from clustering_platform.naming.asking import Asker
    from clustering_platform.naming.chat import Chat
    from clustering_platform.naming.topics import Naming
    from clustering_platform_tests.naming.server import ChatServer
    from clustering_platform_tests.naming.trees import tree

    with ChatServer(pause=_LATENCY) as server, tempfile.TemporaryDirectory() as fresh:
        config = NamesConfig(provider="openai", base_url=server.base_url, concurrency=_CONCURRENCY)
        topics = tree(*[12] * 38, 5)
        cache = AnswerCache(Path(fresh) / "answers.sqlite")
        for what in ("first", "again"):
            calls = len(server.requests)
            with Chat(config) as chat:
                started = time.perf_counter()
                Naming(topics, Asker(chat, cache, None), most_words=5, concurrency=_CONCURRENCY).run()
                seconds = time.perf_counter() - started
            calls = len(server.requests) - calls
            least = calls * _LATENCY / _CONCURRENCY
            times = f", {seconds / least:.2f} times calls x latency / concurrency" if calls else ""
            print(f"  {len(topics)} topics, {what}: {calls} calls in {seconds:.1f} s{times}", flush=True)


def _readable(label: str) -> str:
    return str(label).replace("_", " ")


def _right(found: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    return float(np.mean((found @ truth.T).argmax(axis=1) == np.arange(len(truth))))


PARTS = {"offline": offline, "service": service}

if __name__ == "__main__":
    main()
