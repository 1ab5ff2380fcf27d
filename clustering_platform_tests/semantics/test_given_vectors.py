"""Topics of vectors made elsewhere, with texts and without."""

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.item_embeddings import given_embeddings, list_column, vector_matrix
from clustering_platform.semantics.pipeline import compute_topics
from clustering_platform.tables import TABLES
from clustering_platform.topics_config import TopicsConfig
from clustering_platform_tests.semantics.fakes import FAMILIES, FakeEmbedder, items_of, planted_texts


class Unused(FakeEmbedder):
    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        raise AssertionError("no embedder may be called")


def vectors_of(rows: NDArray[np.floating], *, keep: slice = slice(None)) -> pa.Table:
    ids = [f"i{row}" for row in range(len(rows))][keep]
    return pa.table({"item_id": pa.array(ids, pa.string()), "vector": list_column(rows[keep].astype(np.float32))})


def planted_vectors(count: int, *, families: int, dimension: int = 12) -> NDArray[np.float64]:
    choice = np.random.default_rng(7)
    centres = choice.normal(size=(families, dimension)) * 5
    return centres[np.arange(count) % families] + choice.normal(size=(count, dimension))


def test_given_vectors_are_scaled_to_length_one_and_keep_their_order() -> None:
    table = given_embeddings(items_of(["a", "b"]), vectors_of(np.array([[3.0, 4.0], [1e-30, 0.0]])))
    assert table.schema.equals(TABLES["embeddings"].schema())
    assert vector_matrix(table["vector"]).tolist() == [[np.float32(0.6), np.float32(0.8)], [1, 0]]


def test_items_that_take_no_part_and_vectors_of_none_are_left_out() -> None:
    table = given_embeddings(items_of(["a", "b", "c"]).slice(1), vectors_of(np.eye(3), keep=slice(0, 2)))
    assert table["item_id"].to_pylist() == ["i1"]
    assert given_embeddings(items_of(["a"]), vectors_of(np.zeros((0, 3)))).num_rows == 0


def test_the_model_says_which_vectors_they_are() -> None:
    items = items_of(["a", "b"])
    one, same, other = (given_embeddings(items, vectors_of(np.eye(2) + add)) for add in (0, 0, 1))
    assert one.equals(same)
    assert one["model"][0].as_py().startswith("given@")
    assert one["model"][0] != other["model"][0]


@pytest.mark.parametrize("text", [None, "", "  "])
def test_without_texts_topics_have_numbers_for_names_and_no_embedder_is_called(
    cache: EmbeddingCache, text: str | None
) -> None:
    vectors = vectors_of(planted_vectors(120, families=4))
    items = items_of([text] * 120)
    tables = compute_topics(items, embedder=Unused(), cache=cache, config=TopicsConfig(), item_vectors=vectors)
    assert tables["item_topics"].num_rows == 120
    assert tables["topic_tree"].num_rows >= 5
    names = tables["topic_names"].to_pylist()
    assert [row["name"] for row in names] == [f"Topic {row['topic_id'][1:]}" for row in names]
    assert {row["summary"] for row in names} == {""}


def test_texts_of_given_vectors_are_named_in_a_space_of_their_own(cache: EmbeddingCache) -> None:
    texts: list[str | None] = list(planted_texts(400, families=4))
    texts[3] = None
    embedder = FakeEmbedder()
    tables = compute_topics(
        items_of(texts),
        embedder=embedder,
        cache=cache,
        config=TopicsConfig(),
        item_vectors=vectors_of(planted_vectors(400, families=4)),
    )
    leaves = [row for row in tables["topic_tree"].to_pylist() if row["method"] == "leaf"]
    names = dict(zip(*(tables["topic_names"][name].to_pylist() for name in ("topic_id", "name")), strict=True))
    words = {family: set(text.split()) for family, text in FAMILIES.items()}
    first = [names[row["topic_id"]].lower().split()[0] for row in leaves]
    assert {family for word in first for family in words if word in words[family]} == set(list(FAMILIES)[:4])
    asked = {text for batch in embedder.batches for text in batch}
    assert len(asked & set(texts)) <= 30 * len(leaves), "only a sample of the texts is embedded for naming"
