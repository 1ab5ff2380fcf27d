"""Pieces of items: which there are, what they are called, and what their topics say of documents."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering_platform.semantics.document_topics import find_document_topics, main_topics
from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.pieces import (
    chunk_texts,
    cut_items,
    piece_items,
    piece_size,
    whole_items,
)
from clustering_platform.semantics.pipeline import compute_topics
from clustering_platform.semantics.templates import render
from clustering_platform.semantics.tokens import WordTokenizer
from clustering_platform.tables import TABLES
from clustering_platform.topics_config import ChunksConfig, TopicsConfig
from clustering_platform_tests.semantics.fakes import FAMILIES, FakeEmbedder, items_of, planted_texts

WORDS = WordTokenizer()
SMALL = ChunksConfig(tokens=16, overlap=0.15)


def named(texts: dict[str, str | None]) -> pa.Table:
    return pa.table({"item_id": pa.array(list(texts), pa.string()), "text": pa.array(texts.values(), pa.string())})


def cut(items: pa.Table, config: ChunksConfig = SMALL) -> pa.Table:
    return cut_items(items, tokenizer=WORDS, config=config)


@pytest.mark.parametrize(("tokens", "expected"), [("auto", 200), (100, 100), (300, 200)])
def test_a_piece_has_no_more_tokens_than_the_model_reads(tokens: object, expected: int) -> None:
    assert piece_size(WordTokenizer(200), ChunksConfig(tokens=tokens)) == expected  # type: ignore[arg-type]


def test_a_piece_has_at_most_512_tokens_where_the_model_has_no_limit() -> None:
    assert piece_size(WORDS, ChunksConfig()) == 512


def test_short_texts_are_one_piece_under_their_own_id_and_blank_ones_none() -> None:
    chunks = cut(items_of(["a bus", None, "  ", "rent"]))
    assert chunks.schema.equals(TABLES["chunks"].schema())
    assert chunks.to_pylist() == [
        {"item_id": "i0", "document_id": "i0", "position": 1, "text_start": 0, "text_end": 5, "tokens": None},
        {"item_id": "i3", "document_id": "i3", "position": 1, "text_start": 0, "text_end": 4, "tokens": None},
    ]


def test_nothing_to_embed_makes_an_empty_table() -> None:
    assert cut(items_of([None])).equals(TABLES["chunks"].empty())
    assert whole_items(pa.chunked_array([[]], pa.string())).equals(TABLES["chunks"].empty())


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from(["a", "a#", "a#0001", "a##0001", "b", "b#0002"]),
        st.integers(0, 60).map(lambda count: " ".join(f"word{place}" for place in range(count))),
    )
)
def test_pieces_have_ids_of_their_own_and_give_the_document_back(texts: dict[str, str]) -> None:
    items = named(dict(texts))
    chunks = cut(items)
    ids = chunks["item_id"].to_pylist()
    assert len(ids) == len(set(ids))
    documents: dict[str, list[dict[str, object]]] = {}
    for row, text in zip(chunks.to_pylist(), chunk_texts(items, chunks).to_pylist(), strict=True):
        documents.setdefault(row["document_id"], []).append(row | {"text": text})
        assert row["item_id"] == row["document_id"] or row["item_id"] not in texts
    assert list(documents) == [item_id for item_id, text in texts.items() if text.strip()]
    for item_id, pieces in documents.items():
        text = texts[item_id]
        assert [piece["position"] for piece in pieces] == list(range(1, len(pieces) + 1))
        assert all(piece["text"] == text[piece["text_start"] : piece["text_end"]] for piece in pieces)  # type: ignore[misc]
        covered = {place for piece in pieces for place in range(piece["text_start"], piece["text_end"])}  # type: ignore[call-overload]
        assert covered == set(range(len(text)))
        assert (len(pieces) == 1) == (pieces[0]["item_id"] == item_id)


def test_a_cut_text_is_numbered_and_further_marks_keep_ids_apart() -> None:
    long = "word " * 30
    assert cut(named({"a": long}))["item_id"].to_pylist() == ["a#0001", "a#0002"]
    assert cut(named({"a": long, "a#0002": "short"}))["item_id"].to_pylist() == ["a##0001", "a##0002", "a#0002"]


TITLED = "{metadata[title]}: {text}"


def titled(texts: dict[str, str | None], *titles: str | None) -> pa.Table:
    metadata = [None if title is None else json.dumps({"title": title}) for title in titles]
    return named(texts).append_column("metadata", pa.array(metadata, pa.string()))


def test_a_piece_leaves_room_for_what_the_template_puts_around_it() -> None:
    items = titled({"a": "word " * 30, "b": "word " * 30}, "", "one two three four")
    chunks = cut_items(items, tokenizer=WORDS, config=ChunksConfig(tokens=24, overlap=0), template=TITLED)
    assert [row["tokens"] for row in chunks.to_pylist()] == [23, 7, 19, 11]
    rendered = render(piece_items(items, chunks), TITLED)["text"].to_pylist()
    assert max(len(WORDS.token_offsets(text)) for text in rendered) == 24


def test_no_text_is_cut_that_is_not_embedded_and_none_is_needed() -> None:
    items = titled({"a": "word " * 30, "b": None, "c": "text"}, "Oaks", "Lawns", None)
    chunks = cut_items(items, tokenizer=WORDS, config=SMALL, template="About {metadata[title]}")
    assert chunks.select(["item_id", "text_start", "text_end"]).to_pylist() == [
        {"item_id": "a", "text_start": 0, "text_end": 150},
        {"item_id": "b", "text_start": None, "text_end": None},
    ]
    assert render(piece_items(items, chunks), "About {metadata[title]}")["text"].to_pylist() == [
        "About Oaks",
        "About Lawns",
    ]


def test_pieces_have_what_else_their_item_has() -> None:
    items = named({"a": "word " * 30, "b": "short"}).append_column("title", pa.array(["A", "B"]))
    pieces = piece_items(items, cut(items))
    assert pieces.column_names == items.column_names
    assert pieces["title"].to_pylist() == ["A", "A", "B"]


def test_for_short_texts_everything_is_as_if_there_were_no_pieces(cache: EmbeddingCache) -> None:
    texts: list[str | None] = list(planted_texts(60))
    items = items_of(texts)
    tables = compute_topics(items, embedder=FakeEmbedder(), cache=cache, config=TopicsConfig())
    assert tables["item_topics"]["item_id"].to_pylist() == items["item_id"].to_pylist()
    assert piece_items(items, tables["chunks"]).equals(items)
    topics = tables["document_topics"]
    assert topics["document_id"].to_pylist() == items["item_id"].to_pylist()
    assert topics["topic_id"].to_pylist() == tables["item_topics"]["topic_id"].to_pylist()
    assert set(topics["is_main"].to_pylist()) == {True}


def long_documents(count: int) -> dict[str, str | None]:
    """Return documents of two subjects each, the first of them twice as long."""
    names = list(FAMILIES)
    texts = {}
    for row in range(count):
        sizes = {names[row % 4]: 80, names[(row + 1) % 4]: 40}
        choice = np.random.default_rng(row)
        words = [word for subject, size in sizes.items() for word in choice.choice(FAMILIES[subject].split(), size)]
        texts[f"d{row}.txt"] = " ".join(words)
    return texts


def test_topics_are_made_of_pieces_and_documents_have_several(cache: EmbeddingCache) -> None:
    config = TopicsConfig(chunks=ChunksConfig(tokens=20, overlap=0.0), min_topic_size=8)
    items = named(long_documents(40))
    embedder = FakeEmbedder()
    tables = compute_topics(items, embedder=embedder, cache=cache, config=config)
    pieces = tables["chunks"].num_rows
    assert pieces == tables["embeddings"].num_rows == tables["item_topics"].num_rows > 200
    assert max(len(text.split()) for batch in embedder.batches for text in batch) <= 20
    topics = tables["document_topics"]
    assert topics.schema.equals(TABLES["document_topics"].schema())
    rows = topics.to_pylist()
    assert sum(row["chunks"] for row in rows) == pieces
    for name in items["item_id"].to_pylist():
        of_document = [row for row in rows if row["document_id"] == name]
        assert [row["is_main"] for row in of_document] == [True] + [False] * (len(of_document) - 1)
        assert sum(row["share"] for row in of_document) == pytest.approx(1)
        assert of_document[0]["chunks"] == max(row["chunks"] for row in of_document)
        assert len(of_document) > 1
    assert tables["topic_names"].num_rows == tables["topic_tree"].num_rows > 4


def test_of_topics_with_as_many_pieces_the_main_one_is_the_more_similar_then_the_first() -> None:
    chunks = pa.table({"item_id": ["a#1", "a#2", "b#1", "b#2"], "document_id": ["a", "a", "b", "b"]})
    item_topics = pa.table(
        {
            "item_id": ["b#2", "b#1", "a#2", "a#1"],
            "topic_id": ["t2", "t1", "t2", "t1"],
            "similarity": pa.array([0.5, 0.5, 0.9, 0.5], pa.float32()),
        }
    )
    found = find_document_topics(chunks, item_topics).select(["document_id", "topic_id", "is_main"]).to_pylist()
    assert [(row["document_id"], row["topic_id"]) for row in found if row["is_main"]] == [("a", "t2"), ("b", "t1")]
    assert len(found) == 4
    assert find_document_topics(chunks, item_topics.slice(0, 0)).num_rows == 0


def placed(topics: dict[str, tuple[str, float]]) -> pa.Table:
    """Return rows of `item_topics`, by piece."""
    rows = [{"item_id": piece, "topic_id": topic, "similarity": near} for piece, (topic, near) in topics.items()]
    return pa.Table.from_pylist(rows).append_column("row", pa.array(range(len(rows))))


def chunks_of(*pieces: str) -> pa.Table:
    """Return rows of `chunks` of pieces that are called ``<document>#<position>``."""
    cuts = [piece.partition("#") for piece in pieces]
    positions = pa.array([int(number or 1) for _, _, number in cuts], pa.int32())
    return pa.table({"item_id": pieces, "document_id": [name for name, _, _ in cuts], "position": positions})


def test_an_item_that_is_cut_stands_in_its_main_topic_as_its_most_similar_piece_does() -> None:
    topics = {"b": ("t2", 0.4), "a#3": ("t1", 0.7), "a#2": ("t2", 0.9), "c#1": ("t1", 0.5), "a#1": ("t1", 0.6)}
    main = main_topics(chunks_of("a#1", "a#2", "a#3", "c#1", "c#2", "b"), placed(topics))
    assert main.drop_columns(["similarity"]).to_pylist() == [
        {"item_id": "a", "topic_id": "t1", "row": 1},
        {"item_id": "c", "topic_id": "t1", "row": 3},
        {"item_id": "b", "topic_id": "t2", "row": 0},
    ]


def test_where_no_item_is_cut_nothing_is_worked_out() -> None:
    topics = placed({"a": ("t1", 0.5), "b": ("t2", 0.5)})
    assert main_topics(chunks_of("a", "b"), topics) is topics
    assert main_topics(TABLES["chunks"].empty(), topics) is topics


def test_cut_items_without_topics_have_no_main_one() -> None:
    assert main_topics(chunks_of("a#1", "a#2"), placed({"a#1": ("t1", 0.5)}).slice(0, 0)).num_rows == 0
