"""Which texts are embedded, in which order, and what is refused."""

import numpy as np
import pytest
from numpy.typing import NDArray

from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.item_embeddings import embed_items, vector_matrix
from clustering_platform_tests.semantics.fakes import FakeEmbedder, items_of, planted_texts


class Returning(FakeEmbedder):
    """An embedder that spoils what it returns."""

    def __init__(self, spoil: str) -> None:
        super().__init__()
        self.spoil = spoil

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        vectors = super().embed(texts)
        match self.spoil:
            case "nan":
                vectors[-1, 0] = np.nan
            case "infinite":
                vectors[-1, 0] = np.inf
            case "zero":
                vectors[-1] = 0
            case "short":
                vectors = vectors[:-1]
            case "flat":
                vectors = vectors[0]
        return vectors


def test_items_without_text_are_left_out(cache: EmbeddingCache) -> None:
    table = embed_items(items_of(["a bus", None, "  ", "\u200b", "rent"]), FakeEmbedder(), cache, batch_size=8)
    assert table["item_id"].to_pylist() == ["i0", "i4"]


def test_no_items_make_an_empty_table(cache: EmbeddingCache) -> None:
    embedder = FakeEmbedder()
    assert embed_items(items_of([None]), embedder, cache, batch_size=8).num_rows == 0
    assert embedder.batches == []


def test_equal_texts_are_embedded_once_and_share_a_vector(cache: EmbeddingCache) -> None:
    embedder = FakeEmbedder()
    table = embed_items(items_of(["caf\u00e9 bus", " cafe\u0301 bus\n", "rent"]), embedder, cache, batch_size=8)
    assert sum(map(len, embedder.batches)) == 2
    vectors = vector_matrix(table["vector"])
    assert vectors[0].tobytes() == vectors[1].tobytes()
    assert len(set(table["content_hash"].to_pylist())) == 2


def test_what_is_cached_is_not_embedded_again(cache: EmbeddingCache) -> None:
    texts = planted_texts(30)
    first = embed_items(items_of(texts[:20]), FakeEmbedder(), cache, batch_size=7)
    embedder = FakeEmbedder()
    second = embed_items(items_of(texts), embedder, cache, batch_size=7)
    assert sum(map(len, embedder.batches)) == len(set(texts)) - len(set(texts[:20]))
    assert second.slice(0, 20).equals(first)


def test_the_order_of_items_changes_no_vector(cache: EmbeddingCache) -> None:
    texts = planted_texts(40)
    forward, backward = FakeEmbedder(), FakeEmbedder()
    embed_items(items_of(texts), forward, cache, batch_size=7)
    other = EmbeddingCache(cache.file.parent / "other")
    embed_items(items_of(texts[::-1]), backward, other, batch_size=7)
    assert forward.batches == backward.batches


def test_a_run_that_was_stopped_goes_on_with_the_same_batches(cache: EmbeddingCache) -> None:
    class Stopping(FakeEmbedder):
        def embed(self, texts: list[str]) -> NDArray[np.float32]:
            if len(self.batches) == 2:
                raise KeyboardInterrupt
            return super().embed(texts)

    texts = planted_texts(40)
    whole = FakeEmbedder()
    embed_items(items_of(texts), whole, EmbeddingCache(cache.file.parent / "other"), batch_size=7)
    with pytest.raises(KeyboardInterrupt):
        embed_items(items_of(texts), Stopping(), cache, batch_size=7)
    rest = FakeEmbedder()
    embed_items(items_of(texts), rest, cache, batch_size=7)
    assert rest.batches == whole.batches[2:]


def test_progress_counts_distinct_texts_from_the_cached_ones_to_all(cache: EmbeddingCache) -> None:
    embed_items(items_of(["one", "two"]), FakeEmbedder(), cache, batch_size=2)
    seen: list[tuple[int, int]] = []
    texts = ["one", "two", "three", "four", "five", "five"]
    embed_items(items_of(texts), FakeEmbedder(), cache, batch_size=2, progress=lambda *counts: seen.append(counts))
    assert seen == [(2, 5), (4, 5), (5, 5)]


@pytest.mark.parametrize(("spoil", "message"), [("nan", "not finite"), ("infinite", "not finite"), ("zero", "zero")])
def test_a_faulty_vector_is_refused_with_the_name_of_its_item(cache: EmbeddingCache, spoil: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"fake@1: the vector of item 'i1' is {message}"):
        embed_items(items_of(["a long text", "short"]), Returning(spoil), cache, batch_size=8)
    assert cache.get_many("fake@1", ["any"]) == {}


@pytest.mark.parametrize("spoil", ["short", "flat"])
def test_anything_but_one_row_for_each_text_is_refused(cache: EmbeddingCache, spoil: str) -> None:
    with pytest.raises(ValueError, match=r"shape .* for 2 contents, the first of which is item 'i0'"):
        embed_items(items_of(["a long text", "short"]), Returning(spoil), cache, batch_size=8)


def test_vectors_of_different_dimensions_under_one_model_are_refused(cache: EmbeddingCache) -> None:
    embed_items(items_of(["one"]), FakeEmbedder(8), cache, batch_size=8)
    with pytest.raises(ValueError, match=r"different dimensions \[8, 9\]"):
        embed_items(items_of(["one", "two"]), FakeEmbedder(9), cache, batch_size=8)
