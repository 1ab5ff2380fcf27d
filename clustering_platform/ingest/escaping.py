"""Text from files as it may be shown: cut, and without characters that do something instead of being seen."""

import unicodedata


def escaped(text: str, length: int) -> str:
    """Return at most `length` characters of a text, control and format characters as escape sequences."""
    shown = "".join(
        character.encode("unicode_escape").decode() if unicodedata.category(character).startswith("C") else character
        for character in text[:length]
    )
    return shown[:length]
