"""Names of topics."""

from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering_platform.semantics.stopwords import FUNCTION_WORDS, GENERAL_WORDS
from clustering_platform.tables import TABLES
from clustering_platform_tests.semantics.fakes import FAMILIES, planted_texts

Compute = Callable[..., dict[str, pa.Table]]


def check_names(tables: dict[str, pa.Table], texts: list[str], most_words: int) -> None:
    names = tables["topic_names"]
    assert names.schema.equals(TABLES["topic_names"].schema())
    assert names["topic_id"].equals(tables["topic_tree"]["topic_id"])
    siblings: dict[str | None, list[str]] = {}
    for parent, row in zip(tables["topic_tree"]["parent_id"].to_pylist(), names.to_pylist(), strict=True):
        siblings.setdefault(parent, []).append(row["name"].casefold())
        words = row["name"].replace(" / ", " ").replace(",", "").split()
        assert 1 <= len(words) <= most_words
        assert any(word.casefold() not in FUNCTION_WORDS["en"] | GENERAL_WORDS and not word.isdigit() for word in words)
        assert row["summary"] in texts
        assert len(row["keywords"]) == len(set(row["keywords"])) <= 8
    for group in siblings.values():
        assert len(group) == len(set(group))


@settings(max_examples=12)
@given(count=st.integers(1, 120), families=st.integers(1, 8), most_words=st.integers(1, 7), seed=st.integers(0, 3))
def test_names_are_short_telling_and_distinct_among_siblings(
    topics_of: Compute, count: int, families: int, most_words: int, seed: int
) -> None:
    texts = planted_texts(count, families=families, seed=seed)
    check_names(topics_of(texts, name_words=most_words), texts, most_words)


def test_topics_are_named_by_words_of_their_family(topics_of: Compute) -> None:
    tables = topics_of(planted_texts(150, families=5))
    named = set()
    for topic, name in zip(tables["topic_tree"].to_pylist(), tables["topic_names"].to_pylist(), strict=True):
        if topic["method"] == "leaf":
            first = name["name"].lower().split()[0]
            named |= {family for family, words in FAMILIES.items() if first in words.split()}
    assert len(named) == 5


def test_no_items_have_no_names(topics_of: Compute) -> None:
    assert topics_of([None, " "])["topic_names"].num_rows == 0


def test_equal_texts_are_named_by_their_words(topics_of: Compute) -> None:
    tables = topics_of(["Please   plant more trees\nalong the streets, thank you"] * 30)
    assert tables["topic_names"]["name"].to_pylist() == ["Please plant more trees along…"]
    assert tables["topic_names"]["summary"].to_pylist() == ["Please plant more trees along the streets, thank you"]


@pytest.mark.parametrize(("text", "name"), [("1406155523802", "Topic 0"), ("?", "Topic 0"), ("Foo!", "Foo")])
def test_a_topic_with_nothing_to_name_it_still_has_a_name(topics_of: Compute, text: str, name: str) -> None:
    assert topics_of([text])["topic_names"]["name"].to_pylist() == [name]


def test_a_long_item_is_cut_at_a_word_in_the_summary(topics_of: Compute) -> None:
    summary = topics_of(["garden " * 100])["topic_names"]["summary"][0].as_py()
    assert len(summary) <= 300
    assert summary.endswith("garden…")


def test_repeating_a_text_changes_no_name(topics_of: Compute) -> None:
    texts = planted_texts(60)
    once, often = topics_of(texts), topics_of(texts + texts[:1] * 50)
    assert set(once["topic_names"]["name"].to_pylist()[1:]) == set(often["topic_names"]["name"].to_pylist()[1:])


def test_the_same_texts_get_the_same_names(topics_of: Compute) -> None:
    texts = planted_texts(90)
    assert topics_of(texts)["topic_names"].equals(topics_of(texts)["topic_names"])
