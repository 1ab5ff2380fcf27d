"""How many tokens a text has, without the tokenizer of the model, and how to cut it.

The count is an estimate on the safe side for prose. A letter run costs a token for every four letters begun, digits
one for every two, a run of white space longer than one space one, any other ASCII character one, and a character
beyond ASCII one less than its UTF-8 bytes (Cyrillic 1, Chinese 2, emoji 3). Tokenizers that start from bytes, such as
OpenAI's, never make more tokens than there are UTF-8 bytes, so a text of that few bytes is never cut. Long random
letters may have more tokens than estimated; an endpoint that refuses them is asked again with half of the text.
"""

import re

import numpy as np
from numpy.typing import NDArray

_TOKEN = re.compile(r"[A-Za-z]{1,4}|[0-9]{1,2}|[ \t-\r]{2,}|([^\x00-\x7f])|[^ ]")


def count_tokens(text: str) -> int:
    """Return the estimated number of tokens of a text, one at least."""
    count = len(_TOKEN.findall(text))
    if not text.isascii():
        count += sum(_more_than_one(character) for character in text if character > "\u07ff")
    return max(count, 1)


def cut_to_tokens(text: str, limit: int) -> str:
    """Return the longest start of a text that is estimated at no more than `limit` tokens, at least one character."""
    if len(text.encode()) <= limit:
        return text
    spent = 0
    for token in _TOKEN.finditer(text):
        spent += 1 + (_more_than_one(token.group(1)) if token.group(1) else 0)
        if spent > limit:
            return text[: token.start()].rstrip() or text[:1]
    return text


class EstimatedTokenizer:
    """Estimated tokens as units in which long texts are cut into pieces; `longest` is what the model reads."""

    def __init__(self, longest: int) -> None:
        self.longest = longest

    def token_offsets(self, text: str) -> NDArray[np.int64]:
        """Return where each token begins and ends: int64[tokens, 2]; a character of several is there that often."""
        spans = [
            token.span()
            for token in _TOKEN.finditer(text)
            for _ in range(1 + (_more_than_one(token.group(1)) if token.group(1) else 0))
        ]
        return np.array(spans, np.int64).reshape(-1, 2)


def half_of(text: str) -> str:
    """Return the first half of a text, at least one character."""
    return text[: len(text) // 2].rstrip() or text[:1]


def _more_than_one(character: str) -> int:
    """Return the tokens of a character beyond ASCII, less one: UTF-8 bytes - 1, and one at least."""
    return max(len(character.encode()) - 2, 0)
