"""What is embedded of an item."""

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.item_template import TemplateError, parse_template
from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.item_embeddings import embed_items
from clustering_platform.semantics.templates import readable, render
from clustering_platform.tables import TABLES, conform
from clustering_platform_tests.semantics.fakes import FakeEmbedder


def items_of(*rows: tuple[str | None, dict[str, Any] | None]) -> pa.Table:
    columns = {
        "item_id": [f"i{row}" for row in range(len(rows))],
        "text": pa.array([text for text, _ in rows], pa.string()),
        "created_at": [datetime(2026, 3, 1, 12, 30, tzinfo=UTC)] * len(rows),
        "metadata": pa.array([None if told is None else json.dumps(told) for _, told in rows], pa.string()),
        **{
            name: pa.nulls(len(rows), TABLES["items"].schema().field(name).type)
            for name in ("author_id", "first_vote_at", "file", "file_hash")
        },
        **{name: [False] * len(rows) for name in ("is_meta", "is_seed", "is_listed")},
        "moderation": [0] * len(rows),
    }
    return conform(pa.table(columns), TABLES["items"])


def rendered(template: str, *rows: tuple[str | None, dict[str, Any] | None]) -> list[str | None]:
    texts: list[str | None] = render(items_of(*rows), template)["text"].to_pylist()
    return texts


def test_the_text_alone_is_left_as_it_is() -> None:
    items = items_of(("a bus", None), (None, None))
    assert render(items, "{text}") is items


def test_fields_and_columns_of_the_source_are_filled_in() -> None:
    template = "{metadata[title]}: {text} ({item_id}, {created_at})"
    assert rendered(template, ("a bus", {"title": "Town"})) == ["Town: a bus (i0, 2026-03-01 12:30)"]


def test_what_is_missing_is_empty() -> None:
    rows = [("a bus", {"other": 1}), ("a bus", None), (None, {"title": "Town"}), ("a bus", {"title": None})]
    assert rendered("{metadata[title]}|{text}", *rows) == ["|a bus", "|a bus", "Town|", "|a bus"]


def test_an_item_whose_fields_are_all_blank_has_no_text(cache: EmbeddingCache) -> None:
    rows = [("a bus", {"title": "Town"}), (None, {"title": " "}), (None, None), ("\u200b", None)]
    items = render(items_of(*rows), "Title: {metadata[title]}\nText: {text}")
    assert items["text"].to_pylist() == ["Title: Town\nText: a bus", None, None, None]
    assert embed_items(items, FakeEmbedder(), cache, batch_size=8)["item_id"].to_pylist() == ["i0"]


def test_all_else_of_the_items_stays() -> None:
    items = items_of(("a bus", None))
    changed = render(items, "x {text}")
    assert changed.schema == items.schema
    assert changed.drop_columns("text").equals(items.drop_columns("text"))


def test_the_hash_is_that_of_what_was_embedded(cache: EmbeddingCache) -> None:
    plain = items_of(("x a bus", None), ("a bus", None))
    hashes = embed_items(plain, FakeEmbedder(), cache, batch_size=8)["content_hash"].to_pylist()
    embedder = FakeEmbedder()
    table = embed_items(render(plain.slice(1), "x {text}"), embedder, cache, batch_size=8)
    assert table["content_hash"].to_pylist() == hashes[:1]
    assert embedder.batches == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Town", "Town"),
        (3, "3"),
        (True, "true"),
        (["a", 1, None], "a, 1, "),
        ({"b": 1, "a": "ü"}, '{"a": "ü", "b": 1}'),
    ],
)
def test_values_of_any_kind_become_text(value: object, text: str) -> None:
    assert rendered("{metadata[v]}", (None, {"v": value})) == [text]


def test_names_may_hold_anything_but_brackets_and_braces() -> None:
    assert rendered("{metadata[Titel des Vorschlags 2.0]}", (None, {"Titel des Vorschlags 2.0": "Ja"})) == ["Ja"]


def test_braces_are_written_twice_and_texts_are_never_read_as_templates() -> None:
    assert rendered("{{{text}}}", ("{item_id} {", None)) == ["{{item_id} {}"]


@given(st.text(alphabet="{}[].:!text metadata_id", max_size=30))
def test_a_template_is_understood_or_refused_and_never_anything_else(template: str) -> None:
    try:
        pieces = parse_template(template)
    except TemplateError:
        return
    assert any(not isinstance(piece, str) for piece in pieces)


@given(st.text(max_size=30).filter(lambda text: text.strip()))
def test_literal_text_comes_out_as_it_went_in(literal: str) -> None:
    template = literal.replace("{", "{{").replace("}", "}}") + "{text}"
    assert rendered(template, ("a bus", None)) == [literal + "a bus"]


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{txt}", "unknown field {txt}; did you mean {text}?"),
        (
            "{title}",
            "unknown field {title}; known: {text}, {item_id}, {created_at}; a further column of the source is ",
        ),
        ("{author_id}", "{author_id} is personal and cannot be embedded"),
        ("{text.__class__}", "unknown field {text.__class__}"),
        ("{text!r}", "unknown field {text!r}"),
        ("{text:>99999999}", "unknown field {text:>99999999}"),
        ("{metadata}", "unknown field {metadata}"),
        ("{metadata[]}", "unknown field {metadata[]}"),
        ("{}", "unknown field {}"),
        ("{text", "the brace at position 1 is not part of a field"),
        ("a } {text}", "the brace at position 3 is not part of a field"),
        ("no field", "has no field"),
        ("", "has no field"),
    ],
)
def test_a_template_that_cannot_be_understood_is_refused_with_what_could_be_meant(template: str, fault: str) -> None:
    with pytest.raises(TemplateError) as error:
        parse_template(template)
    assert str(error.value).startswith(fault)


def test_who_names_topics_reads_the_own_text_or_else_what_was_embedded() -> None:
    items = items_of(("a bus", {"title": "Town"}), (None, {"title": "Town"}))
    assert readable(items, "{metadata[title]}: {text}")["text"].to_pylist() == ["a bus", "Town: "]
    assert readable(items, "{text}") is items
