"""Tokens: where the units in which a model reads a text begin and end.

Cutting texts by them belongs in ``cutting``.
"""

import json
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

_SEGMENT = 2**17
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]|(?:(?![{_CJK}])\w){{1,6}}|[^\w\s]")
_LIMITS = (("sentence_bert_config.json", "max_seq_length"), ("tokenizer_config.json", "model_max_length"))
_NO_LIMIT = 10**6


class Tokenizer(Protocol):
    """Splits texts as a model does."""

    @property
    def longest(self) -> int | None:
        """Tokens that the model reads of a text; None where that is not known."""

    def token_offsets(self, text: str) -> NDArray[np.int64]:
        """Return where each token begins and ends: int64[tokens, 2], in characters, beginnings ascending."""


class WordTokenizer:
    """Words as tokens, for models whose own tokenizer is not at hand.

    A word of more than six characters counts as several tokens, and so does each Chinese, Japanese or Korean
    character and each mark: so there are about as many tokens as usual tokenizers make, rather more than fewer.
    """

    def __init__(self, longest: int | None = None) -> None:
        self.longest = longest

    def token_offsets(self, text: str) -> NDArray[np.int64]:
        """Return where each token begins and ends: int64[tokens, 2]."""
        return np.array([match.span() for match in _WORD.finditer(text)], np.int64).reshape(-1, 2)


class FastTokenizer:
    """The tokenizer in the folder of a model: its ``tokenizer.json``; nothing else of the model is loaded.

    `max_tokens` is where texts are cut, if before the end of what the model reads.
    """

    def __init__(self, folder: Path, *, max_tokens: int | None = None) -> None:
        self._folder, self._max_tokens = folder, max_tokens

    @cached_property
    def longest(self) -> int | None:
        """Tokens that the model reads of a text, beside those it adds itself; None where its folder does not say."""
        for name, key in _LIMITS:
            limit = _read_json(self._folder / name).get(key)
            if isinstance(limit, int) and 0 < limit < _NO_LIMIT:
                return self._without_its_own(min(limit, self._max_tokens or limit))
        return self._without_its_own(self._max_tokens) if self._max_tokens else None

    def token_offsets(self, text: str) -> NDArray[np.int64]:
        """Return where each token begins and ends: int64[tokens, 2]."""
        found = [np.zeros((0, 2), np.int64)]
        for start, end in _segments(text):
            encoding = self._tokenizer.encode(text[start:end], add_special_tokens=False)
            found.append(np.array(encoding.offsets, np.int64).reshape(-1, 2) + start)
        return np.concatenate(found)

    def _without_its_own(self, tokens: int) -> int:
        return max(tokens - int(self._tokenizer.num_special_tokens_to_add(False)), 1)

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer as Tokens

        tokenizer = Tokens.from_file(str(self._folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer


def tokenizer_in(folder: Path, *, max_tokens: int | None = None) -> Tokenizer:
    """Return the tokenizer of a model in its folder, words as tokens where there is none that is fast."""
    if (folder / "tokenizer.json").is_file():
        return FastTokenizer(folder, max_tokens=max_tokens)
    return WordTokenizer(max_tokens)


def tokenizer_of(embedder: object) -> Tokenizer:
    """Return the tokenizer that an embedder has as its `tokenizer`, words as tokens where it has none."""
    return getattr(embedder, "tokenizer", None) or WordTokenizer()


def _segments(text: str) -> Iterator[tuple[int, int]]:
    """Yield pieces of a text to be tokenized one by one, so that the tokens of a long one need little memory.

    They end after white space where there is any, which no usual tokenizer takes into a token with what follows.
    """
    start = 0
    while start < len(text):
        end = min(start + _SEGMENT, len(text))
        if end < len(text):
            blank = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
            end = blank + 1 if blank > start else end
        yield start, end
        start = end


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}
