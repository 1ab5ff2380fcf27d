"""Tokens: where they begin and end, whoever makes them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics.embedders.sentence_transformers import SentenceTransformerEmbedder, packaged_folder
from clustering_platform.semantics.tokens import FastTokenizer, Tokenizer, WordTokenizer, tokenizer_in, tokenizer_of
from clustering_platform_tests.semantics.fakes import FakeEmbedder

TEXTS = st.text(
    st.sampled_from("ab é\n\t.,汉字ガ한😀\u0301\u200b") | st.characters(exclude_categories=["Cs"]), max_size=200
)


def check_offsets(text: str, offsets: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> None:
    assert offsets.shape == (len(offsets), 2)
    assert (offsets[:, 0] <= offsets[:, 1]).all()
    assert (np.diff(offsets[:, 0]) >= 0).all()
    assert not len(offsets) or (offsets.min() >= 0 and offsets.max() <= len(text))


@given(TEXTS)
def test_words_lie_in_the_text_in_order(text: str) -> None:
    offsets = WordTokenizer().token_offsets(text)
    check_offsets(text, offsets)
    covered = {place for start, end in offsets for place in range(start, end)}
    assert all(place in covered for place, character in enumerate(text) if character.isalnum())


def test_long_words_are_several_tokens_and_so_are_characters_of_scripts_without_spaces() -> None:
    text = "internationally 汉字, ok"
    found = [text[start:end] for start, end in WordTokenizer().token_offsets(text)]
    assert found == ["intern", "ationa", "lly", "汉", "字", ",", "ok"]


@pytest.fixture(scope="module")
def packaged_tokenizer() -> Tokenizer:
    return FastTokenizer(packaged_folder())


@given(text=TEXTS)
def test_tokens_of_a_model_lie_in_the_text_in_order(packaged_tokenizer: Tokenizer, text: str) -> None:
    check_offsets(text, packaged_tokenizer.token_offsets(text))


def test_the_packaged_model_reads_256_tokens_two_of_which_are_its_own(packaged_tokenizer: Tokenizer) -> None:
    assert packaged_tokenizer.longest == 254


def test_a_model_that_is_told_to_read_less_has_shorter_pieces() -> None:
    assert FastTokenizer(packaged_folder(), max_tokens=100).longest == 98
    assert FastTokenizer(packaged_folder(), max_tokens=1000).longest == 254
    assert tokenizer_of(SentenceTransformerEmbedder(max_tokens=100)).longest == 98


def test_a_text_is_tokenized_to_its_end_and_the_same_piece_by_piece(packaged_tokenizer: Tokenizer) -> None:
    text = "The unbelievably long story, told again. " * 8_000
    offsets = packaged_tokenizer.token_offsets(text)
    one = packaged_tokenizer.token_offsets(text[:41])
    assert len(offsets) == 8_000 * len(one)
    assert offsets[-1, 1] == len(text) - 1
    assert (offsets[: len(one)] == one).all()


def test_the_tokenizer_of_an_embedder_is_had_without_its_model() -> None:
    embedder = SentenceTransformerEmbedder()
    assert tokenizer_of(embedder).longest == 254
    assert embedder._transformer is None


def test_words_stand_in_where_there_is_no_fast_tokenizer(tmp_path: Path) -> None:
    assert isinstance(tokenizer_of(FakeEmbedder()), WordTokenizer)
    assert isinstance(tokenizer_in(tmp_path), WordTokenizer)
