"""Texts cut to a length: never longer, never through what is seen as one character."""

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.exports.cutting import cut, cut_texts

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
FLAGS = "\U0001f1eb\U0001f1f7\U0001f1e9\U0001f1ea"


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("short", 5, "short"),
        ("longer", 5, "longe"),
        ("ae\u0301", 2, "a"),
        ("a" + FAMILY, 3, "a"),
        (FAMILY + "b", 5, FAMILY),
        ("\U0001f44d\U0001f3fd!", 1, "\U0001f44d"),
        ("a\U0001f44d\U0001f3fd!", 2, "a"),
        ("a\u2764\ufe0f", 2, "a"),
        (FLAGS, 2, FLAGS[:2]),
        (FLAGS, 3, FLAGS[:2]),
        ("a" + FLAGS, 2, "a"),
        ("a\r\n", 2, "a"),
        ("one\u0301" + "\u0301" * 9, 5, "on"),
    ],
)
def test_what_is_one_character_to_a_reader_stays_whole_or_goes(text: str, length: int, expected: str) -> None:
    assert cut(text, length) == expected


def test_a_text_of_nothing_but_marks_is_cut_all_the_same() -> None:
    assert cut("\u0301" * 9, 4) == "\u0301" * 4


@given(
    st.text(alphabet=st.sampled_from("ab\u0301\u200d\U0001f468\U0001f1eb\U0001f3fd\r\n "), max_size=30),
    st.integers(1, 12),
)
def test_the_cut_is_a_beginning_within_the_length(text: str, length: int) -> None:
    made = cut(text, length)
    assert text.startswith(made)
    assert len(made) <= length
    assert made or not text
    assert len(text) > length or made == text


@given(st.lists(st.none() | st.text(max_size=20), max_size=10), st.integers(1, 12))
def test_a_column_is_cut_text_by_text(texts: list[str | None], length: int) -> None:
    found = cut_texts(pa.array(texts, pa.string()), length).to_pylist()
    assert found == [None if text is None else cut(text, length) for text in texts]


def test_marks_are_what_unicode_calls_marks() -> None:
    assert cut("ka" + "\u093e", 2) == "k"
    assert unicodedata.category("\u093e") == "Mc"
