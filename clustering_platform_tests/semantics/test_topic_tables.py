"""The tree of topics: laws that hold for any texts, and what planted families become."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering_platform.semantics.item_embeddings import vector_matrix
from clustering_platform.semantics.topic_tables import build_topic_tree
from clustering_platform.tables import TABLES
from clustering_platform.topics_config import TopicsConfig
from clustering_platform_tests.semantics.fakes import FAMILIES, planted_texts

STRATEGIES: list[dict[str, Any]] = [
    {"strategy": "auto"},
    {"strategy": "recursive", "recursive": {"floor": 10}},
    {"strategy": "levels"},
    *(
        {"strategy": "flat", "flat": {"algorithm": algorithm}}
        for algorithm in ("hdbscan", "kmeans", "minibatch", "agglomerative")
    ),
]

Embed = Callable[[list[str | None]], pa.Table]


def tables_of(embed: Embed, texts: list[str], **config: Any) -> tuple[pa.Table, pa.Table]:
    tables = build_topic_tree(embed(list(texts)), config=TopicsConfig(**config))
    return tables["found_topics"], tables["found_item_topics"]


def partition_of(item_topics: pa.Table, texts: list[str]) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for text, topic_id in zip(texts, item_topics["topic_id"].to_pylist(), strict=True):
        groups.setdefault(topic_id, set()).add(text)
    return {frozenset(group) for group in groups.values()}


def check_laws(tree: pa.Table, item_topics: pa.Table, embeddings: pa.Table, max_depth: int) -> None:
    assert tree.schema.equals(TABLES["found_topics"].schema())
    assert item_topics.schema.equals(TABLES["found_item_topics"].schema())
    topics = {row["topic_id"]: row for row in tree.to_pylist()}
    items = item_topics.to_pylist()
    vectors = vector_matrix(embeddings["vector"])
    assert [row["item_id"] for row in items] == embeddings["item_id"].to_pylist()
    assert list(topics) == [f"f{number}" for number in range(len(topics))]
    assert topics["f0"]["size"] == len(items)
    for topic_id, topic in topics.items():
        children = [row for row in topics.values() if row["parent_id"] == topic_id]
        above = topics[topic["parent_id"]]["path"] if topic["parent_id"] else []
        inside = [row for row, item in enumerate(items) if topic_id in item["path"]]
        assert topic["path"] == [*above, topic_id]
        assert topic["depth"] == len(above) <= max_depth
        assert topic["size"] == len(inside) == (sum(child["size"] for child in children) or topic["size"])
        assert topic["noise_size"] == sum(items[row]["is_noise"] for row in inside)
        assert [child["size"] for child in children] == sorted((child["size"] for child in children), reverse=True)
        assert len(children) != 1
        assert (topic["method"] == "leaf") == (not children)
        assert (topic["silhouette"] is None) == (topic_id == "f0")
        assert topic["stability"] is None or 0 <= topic["stability"] <= 1
        assert topic["note"]
        for shown in (topic["exemplar_ids"], topic["diverse_ids"]):
            assert 1 <= len(shown) == len(set(shown)) <= 5
            assert set(shown) <= {items[row]["item_id"] for row in inside}
        centroid = vectors[inside].mean(axis=0)
        np.testing.assert_allclose(topic["centroid"], centroid / np.linalg.norm(centroid), atol=1e-5)
        assert topic["cohesion"] == pytest.approx(float((vectors[inside] @ topic["centroid"]).mean()), abs=1e-5)
    for row, item in enumerate(items):
        topic = topics[item["topic_id"]]
        assert item["path"] == topic["path"]
        assert item["depth"] == topic["depth"]
        assert topic["method"] == "leaf"
        assert 0 <= item["confidence"] <= 1.001
        assert item["similarity"] == pytest.approx(float(vectors[row] @ topic["centroid"]), abs=1e-5)


@settings(max_examples=20)
@given(
    count=st.integers(1, 160),
    families=st.integers(1, 8),
    copies=st.integers(1, 3),
    max_depth=st.integers(0, 4),
    seed=st.integers(0, 3),
    strategy=st.sampled_from(STRATEGIES),
)
def test_every_item_has_one_topic_and_the_numbers_add_up(
    embeddings_of: Embed, count: int, families: int, copies: int, max_depth: int, seed: int, strategy: dict[str, Any]
) -> None:
    texts = planted_texts(count, families=families, seed=seed) * copies
    embeddings = embeddings_of(texts)
    check_laws(
        *tables_of(lambda _: embeddings, texts, max_depth=max_depth, seed=seed, **strategy), embeddings, max_depth
    )


@settings(max_examples=5)
@given(st.randoms(use_true_random=False))
def test_the_order_of_items_does_not_change_the_topics(embeddings_of: Embed, shuffler: object) -> None:
    texts = planted_texts(80)
    shuffled = list(texts)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random of hypothesis
    _, one = tables_of(embeddings_of, texts)
    _, other = tables_of(embeddings_of, shuffled)
    assert partition_of(one, texts) == partition_of(other, shuffled)


@pytest.mark.parametrize("count", [25, 60, 300])
def test_planted_families_become_topics(embeddings_of: Embed, count: int) -> None:
    families = 3 if count == 25 else 6
    texts = planted_texts(count, families=families)
    tree, item_topics = tables_of(embeddings_of, texts)
    leaves = [row["topic_id"] for row in tree.to_pylist() if row["method"] == "leaf"]
    assert families <= len(leaves) <= 15
    family_of: dict[str, list[int]] = {}
    for row, topic_id in enumerate(item_topics["topic_id"].to_pylist()):
        if topic_id in leaves:
            family_of.setdefault(topic_id, []).append(row % families)
    placed = sum(map(len, family_of.values()))
    right = sum(max(found.count(family) for family in range(families)) for found in family_of.values())
    assert placed > 0.9 * count
    assert right > 0.95 * placed


def test_no_items_make_empty_tables(embeddings_of: Embed) -> None:
    tree, item_topics = tables_of(embeddings_of, [])
    assert tree.num_rows == item_topics.num_rows == 0


@pytest.mark.parametrize("count", [1, 2, 19])
def test_below_twenty_texts_there_is_one_topic_and_its_note_says_why(embeddings_of: Embed, count: int) -> None:
    tree, item_topics = tables_of(embeddings_of, planted_texts(count))
    assert tree["topic_id"].to_pylist() == ["f0"]
    assert tree["note"].to_pylist() == [f"not divided: distinct items {count}, a division needs 20"]
    assert item_topics["is_noise"].to_pylist() == [False] * count


def test_repeating_a_text_makes_no_topic(embeddings_of: Embed) -> None:
    tree, item_topics = tables_of(embeddings_of, ["the same text"] * 300)
    assert tree["size"].to_pylist() == [300]
    assert tree["exemplar_ids"].to_pylist() == [["i0"]]
    assert item_topics.num_rows == 300


def test_a_flood_of_copies_does_not_move_the_other_topics(embeddings_of: Embed) -> None:
    texts = planted_texts(60)
    _, calm = tables_of(embeddings_of, texts)
    _, flooded = tables_of(embeddings_of, texts + texts[:1] * 500)
    assert partition_of(calm, texts) == partition_of(flooded.slice(0, 60), texts)


def test_many_topics_are_gathered_so_that_no_level_is_too_wide(embeddings_of: Embed) -> None:
    words = [f"word{number}" for number in range(160)]
    texts = [
        " ".join(words[4 * family + (shift + step) % 4] for step in range(3)) + f" extra{shift}{family % 7}{copy}"
        for family in range(40)
        for shift in range(4)
        for copy in range(3)
    ]
    tree, _ = tables_of(embeddings_of, texts)
    rows = tree.to_pylist()
    widths = [sum(row["parent_id"] == topic["topic_id"] for row in rows) for topic in rows]
    assert sum(row["method"] == "leaf" for row in rows) > 20
    assert max(widths) <= 12
    assert rows[0]["method"] == "ward"
    flat, _ = tables_of(embeddings_of, texts, max_depth=1)
    assert flat["depth"].to_pylist() == [0] + [1] * (flat.num_rows - 1)


def test_each_depth_is_told_of_as_a_partition_of_all_items(embeddings_of: Embed) -> None:
    texts = planted_texts(120, families=8)
    tables = build_topic_tree(embeddings_of([*texts, *texts[:30]]), config=TopicsConfig())
    topics = tables["found_topics"].to_pylist()
    for level in tables["topic_levels"].to_pylist():
        depth = level["depth"]
        sizes = [row["size"] for row in topics if row["depth"] == depth or (row["depth"] < depth and _is_leaf(row))]
        assert sum(sizes) == 150
        assert (level["topics"], level["largest"], level["smallest"]) == (len(sizes), max(sizes), min(sizes))
        assert level["noise_share"] == pytest.approx(topics[0]["noise_size"] / 150)
        assert (level["silhouette"] is None) == (level["davies_bouldin"] is None) == (depth == 0)
    assert tables["topic_levels"]["depth"].to_pylist() == list(range(max(row["depth"] for row in topics) + 1))
    assert [row["is_chosen"] for row in tables["topic_scales"].to_pylist()].count(True) == 1


def _is_leaf(topic: dict[str, Any]) -> bool:
    return bool(topic["method"] == "leaf")


def test_the_smallest_size_and_the_depth_can_be_set(embeddings_of: Embed) -> None:
    texts = planted_texts(120, families=6)
    tree, _ = tables_of(embeddings_of, texts, min_topic_size=15)
    assert min(tree["size"].to_pylist()) >= 15
    only_root, _ = tables_of(embeddings_of, texts, max_depth=0)
    assert only_root.num_rows == 1


def test_two_runs_and_two_processes_give_the_same_bytes(embeddings_of: Embed) -> None:
    texts = planted_texts(90, families=len(FAMILIES))
    first, second = tables_of(embeddings_of, texts), tables_of(embeddings_of, texts)
    assert digest(*first) == digest(*second)
    code = (
        "import tempfile, pathlib\n"
        "from clustering_platform.semantics.embedding_cache import EmbeddingCache\n"
        "from clustering_platform.semantics.item_embeddings import embed_items\n"
        "from clustering_platform_tests.semantics.fakes import FAMILIES, FakeEmbedder, items_of, planted_texts\n"
        "from clustering_platform_tests.semantics.test_topic_tables import digest, tables_of\n"
        "cache = EmbeddingCache(pathlib.Path(tempfile.mkdtemp()))\n"
        "embed = lambda texts: embed_items(items_of(texts), FakeEmbedder(), cache, batch_size=64)\n"
        "print(digest(*tables_of(embed, planted_texts(90, families=len(FAMILIES)))))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert other.stdout.strip() == digest(*first)


def digest(*tables: pa.Table) -> str:
    """Return a hash over the bytes of tables as they would be written."""
    result = hashlib.sha256()
    for table in tables:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        result.update(sink.getvalue())
    return result.hexdigest()
