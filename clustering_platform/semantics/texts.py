"""Texts as they are embedded: normal form, blankness, hash, and how to show them again.

Splitting texts into phrases belongs in ``phrases``.
"""

import hashlib
import re
import unicodedata

_UNSAFE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")


HASH_LENGTH = 32


def normalise(text: str) -> str:
    """Return the text in Unicode normal form C, without white space around it."""
    return unicodedata.normalize("NFC", text).strip()


def is_blank(text: str | None) -> bool:
    """Say whether there is nothing to read: null, or only separators, controls and other invisible characters."""
    return text is None or all(unicodedata.category(character)[0] in "CZ" for character in text)


def content_hash(text: str) -> str:
    """Return the hash by which the vector of a normalised text is known: 32 hexadecimal digits of SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]


def excerpt(text: str, length: int) -> str:
    """Return the text on one line, cut on a word boundary where it is longer than `length` characters.

    Control characters and marks that change the direction of writing are left out.
    """
    line = " ".join(_UNSAFE.sub("", text).split())
    if len(line) <= length:
        return line
    cut = line[: length - 1]
    at_word = cut.rsplit(" ", 1)[0] if " " in cut[length // 2 :] and line[length - 1] != " " else cut
    return at_word.rstrip() + "…"
