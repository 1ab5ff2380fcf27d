"""Cutting texts: laws that hold for any text and any tokens."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics.cutting import Cut, cut_text
from clustering_platform.semantics.tokens import WordTokenizer

WORDS = WordTokenizer()
TEXTS = st.lists(st.sampled_from(["a", "word", "longwordlongword", " ", "  ", "\n", ". ", "汉字", "😀"]), max_size=300)
SIZES = st.integers(16, 60)
OVERLAPS = st.floats(0, 0.5)


def check_cuts(text: str, cuts: list[Cut], tokens: int) -> None:
    """Every character lies in a piece; pieces go forward, are not empty and not too long."""
    assert cuts[0].start == 0
    assert cuts[-1].end == len(text)
    for piece in cuts:
        assert piece.start < piece.end or not text
        assert piece.tokens <= tokens
    for before, after in itertools.pairwise(cuts):
        assert before.start <= after.start <= before.end <= after.end


@given(TEXTS.map("".join), SIZES, OVERLAPS)
def test_every_character_lies_in_a_piece(text: str, tokens: int, overlap: float) -> None:
    offsets = WORDS.token_offsets(text)
    cuts = cut_text(text, offsets, tokens=tokens, overlap=overlap)
    check_cuts(text, cuts, tokens)
    if len(offsets) <= tokens:
        assert cuts == [Cut(0, len(text), len(offsets))]
    else:
        assert len(cuts) > 1
        assert len(cuts) <= 1 + len(offsets) / (tokens / 4)


@given(st.text("ab \n", min_size=1, max_size=120), st.lists(st.integers(-5, 200), max_size=200), SIZES, OVERLAPS)
def test_whatever_a_tokenizer_says_nothing_is_lost(text: str, starts: list[int], tokens: int, overlap: float) -> None:
    offsets = np.array([[start, start + 1] for start in starts], np.int64).reshape(-1, 2)
    check_cuts(text, cut_text(text, offsets, tokens=tokens, overlap=overlap), tokens)


@given(TEXTS.map("".join), TEXTS.map("".join), SIZES, OVERLAPS)
def test_text_that_is_added_changes_no_piece_but_the_last(text: str, added: str, tokens: int, overlap: float) -> None:
    longer = f"{text} {added}"
    before = cut_text(text, WORDS.token_offsets(text), tokens=tokens, overlap=overlap)
    after = cut_text(longer, WORDS.token_offsets(longer), tokens=tokens, overlap=overlap)
    assert after[: len(before) - 1] == before[:-1]


def test_pieces_begin_and_end_where_words_do_and_share_what_was_asked() -> None:
    text = "Some rather ordinary words that follow each other. " * 200
    offsets = WORDS.token_offsets(text)
    cuts = cut_text(text, offsets, tokens=100, overlap=0.15)
    for piece in cuts[1:]:
        assert text[piece.start - 1] == " "
    starts = offsets[:, 0]
    pairs = itertools.pairwise(cuts)
    counts = [int(((starts >= after.start) & (starts < before.end)).sum()) for before, after in pairs]
    assert min(counts) >= 15
    assert max(counts) <= 15 + 100 // 8


def test_without_white_space_pieces_end_at_tokens() -> None:
    text = "汉" * 100
    cuts = cut_text(text, WORDS.token_offsets(text), tokens=40, overlap=0.25)
    assert [(piece.start, piece.end) for piece in cuts] == [(0, 40), (30, 70), (60, 100)]


@pytest.mark.parametrize(("tokens", "overlap"), [(15, 0.1), (512, 0.6), (512, -0.1)])
def test_sizes_that_leave_no_room_are_refused(tokens: int, overlap: float) -> None:
    with pytest.raises(ValueError, match="at least 16 tokens"):
        cut_text("a", WORDS.token_offsets("a"), tokens=tokens, overlap=overlap)
