"""Texts cut to a length without breaking what is seen as one character."""

import re
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

_JOINER = "\u200d"
_MODIFIERS = re.compile("[\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_REGIONAL = re.compile("[\U0001f1e6-\U0001f1ff]")


def cut_texts(texts: pa.Array, length: int) -> pa.Array:
    """Return texts of at most `length` characters (code points): StringArray, null for null."""
    is_long = pc.greater(pc.utf8_length(texts), length)
    if not pc.any(is_long).as_py():
        return texts
    is_long = pc.fill_null(is_long, False)
    starts = pc.utf8_slice_codeunits(texts.filter(is_long), 0, length + 1).to_pylist()
    return pc.replace_with_mask(texts, is_long, pa.array([cut(text, length) for text in starts], pa.string()))


def cut(text: str, length: int) -> str:
    """Return the start of a text, at most `length` characters; accents, emoji and flags stay whole or go.

    Marks, variation selectors, skin tones and what a zero-width joiner joins belong to what they follow, flags are
    pairs of letters: the part of Unicode's rules for clusters of characters (UAX 29) that matters to a reader.
    """
    if len(text) <= length:
        return text
    end = length
    while end > 0 and not _may_break(text, end):
        end -= 1
    return text[: end or length]


def _may_break(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place]
    if before == _JOINER or _MODIFIERS.match(after) or unicodedata.category(after)[0] == "M":
        return False
    if before == "\r" and after == "\n":
        return False
    if _REGIONAL.match(before) and _REGIONAL.match(after):
        letters = len(text[:place]) - len(_trimmed(text[:place]))
        return letters % 2 == 0
    return True


def _trimmed(text: str) -> str:
    """Return the text without the letters of flags at its end."""
    end = len(text)
    while end and _REGIONAL.match(text[end - 1]):
        end -= 1
    return text[:end]
