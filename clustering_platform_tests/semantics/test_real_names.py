"""Names on real texts: every fourth true class of CLINC150 and of Banking77 as a topic, by twenty of its texts.

All classes and all texts are measured by the benchmark ``names``.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.item_embeddings import embed_texts
from clustering_platform.semantics.phrases import count_words
from clustering_platform.semantics.stopwords import FUNCTION_WORDS, GENERAL_WORDS
from clustering_platform_tests.benchmarks.names import named_classes, right_labels

EVERY, TEXTS = 4, 20
EMPTY_WORDS = FUNCTION_WORDS["en"] | GENERAL_WORDS | {"other", "text", "topic", "various"}


def sample(file: Path) -> dict[str, list[str]]:
    """Return texts by class."""
    texts: dict[str, list[str]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        texts.setdefault(row["fine"], []).append(row["text"])
    return {label: texts[label][:TEXTS] for label in sorted(texts)[::EVERY]}


@pytest.mark.parametrize(
    ("name", "least_by_name", "least_by_both"), [("clinc150_in", 0.76, 0.84), ("banking77", 0.85, 0.95)]
)
def test_names_are_short_distinct_and_nearest_to_the_label_of_their_class(
    shared_data: Path, tmp_path: Path, name: str, least_by_name: float, least_by_both: float
) -> None:
    from clustering_platform.semantics.embedders.sentence_transformers import SentenceTransformerEmbedder

    classes = sample(shared_data / "text" / f"{name}.jsonl")
    texts = [text for own in classes.values() for text in own]
    labels = np.array([label for label, own in classes.items() for _ in own])
    with SentenceTransformerEmbedder() as embedder:
        vectors = embed_texts(texts, embedder, EmbeddingCache(tmp_path), batch_size=64)
        rows = named_classes(texts, labels, np.stack([vectors[text] for text in texts]), tmp_path)
        by_name, by_both = right_labels(rows, list(classes), embedder)
    check_form([row["name"] for row in rows])
    assert by_name >= least_by_name
    assert by_both >= least_by_both


def check_form(names: list[Any]) -> None:
    """Assert what holds for every name of siblings."""
    assert max(Counter(name.casefold() for name in names).values()) == 1
    for name in names:
        words = name.replace(" / ", " ").casefold().split()
        assert 1 <= count_words(name.replace(" / ", " ")) <= 5, name
        assert any(word not in EMPTY_WORDS and not word.isdecimal() for word in words), name
