"""Cutting a long text into pieces that overlap, at borders between tokens.

Arrays and numbers only; the table `chunks` belongs in ``pieces``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_TOKENS = 16
"""Tokens of a piece; with fewer there is no room for an overlap and for looking for white space."""
LARGEST_OVERLAP = 0.5
_WINDOW = 8


@dataclass(frozen=True)
class Cut:
    """A piece of a text: its characters from `start` to `end`, and how many tokens they are."""

    start: int
    end: int
    tokens: int


def cut_text(text: str, offsets: NDArray[np.int64], *, tokens: int, overlap: float) -> list[Cut]:
    """Cut a text into pieces of at most `tokens` tokens, one piece where it is no longer than that.

    A piece begins `overlap` of its size before the one before it ends. Every border is moved back to where a word
    begins, if one does within an eighth of the size. Every character of the text lies in a piece, and text that is
    added at the end changes no piece but the last.

    Parameters
    ----------
    offsets : int64[tokens, 2]
        Where the tokens of the text begin and end, in characters, as a `Tokenizer` returns it.
    tokens
        Largest number of tokens of a piece, at least 16.
    overlap
        Share of a piece that the next one repeats, at most one half.

    Raises
    ------
    ValueError
        `tokens` or `overlap` is out of range.
    """
    if tokens < FEWEST_TOKENS or not 0 <= overlap <= LARGEST_OVERLAP:
        raise ValueError(f"pieces have at least {FEWEST_TOKENS} tokens and overlap by at most one half")
    count = len(offsets)
    if count <= tokens:
        return [Cut(0, len(text), count)]
    borders = np.maximum.accumulate(np.clip(offsets[:, 0], 0, len(text)))
    borders[0] = 0
    begins = np.append(borders, len(text))
    shared = round(tokens * overlap)
    pieces = []
    first = 0
    while True:
        last = count if first + tokens >= count else _word_start(text, begins, first + tokens, tokens // _WINDOW)
        pieces.append(Cut(int(begins[first]), int(begins[last]), last - first))
        if last == count:
            return [piece for piece in pieces if piece.end > piece.start]
        first = _word_start(text, begins, last - shared, tokens // _WINDOW) if shared else last


def _word_start(text: str, begins: NDArray[np.int64], token: int, window: int) -> int:
    """Return the last of the tokens up to `token` that comes after white space, `token` where none near it does."""
    for candidate in range(token, token - window, -1):
        place = int(begins[candidate])
        if place and text[place - 1].isspace():
            return candidate
    return token
