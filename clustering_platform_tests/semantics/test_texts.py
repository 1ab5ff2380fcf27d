"""Texts as they are embedded and shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics.texts import content_hash, excerpt, is_blank, normalise


def test_equal_texts_in_different_encodings_have_one_hash() -> None:
    assert content_hash(normalise("  caf\u00e9\n")) == content_hash(normalise("cafe\u0301"))


@pytest.mark.parametrize("text", [None, "", " \n\t", "\u200b\ufeff", "\u00a0\u2003"])
def test_texts_with_nothing_to_read_are_blank(text: str | None) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", "?", "\U0001f44d", "\u7684"])
def test_anything_visible_is_not_blank(text: str) -> None:
    assert not is_blank(text)


@given(st.text(), st.integers(5, 60))
def test_an_excerpt_is_one_line_of_at_most_the_length(text: str, length: int) -> None:
    cut = excerpt(text, length)
    assert len(cut) <= length
    assert "\n" not in cut
    assert "\r" not in cut


def test_an_excerpt_ends_at_a_word() -> None:
    assert excerpt("Buses should run\nall night long", 20) == "Buses should run…"
    assert excerpt("Buses should run\nall night long", 40) == "Buses should run all night long"


def test_an_excerpt_has_no_marks_that_turn_the_direction_of_writing() -> None:
    assert excerpt("safe\u202egpj.exe", 50) == "safegpj.exe"
