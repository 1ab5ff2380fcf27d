"""What a name or a summary from a language model may say, whatever the items told the model to answer.

Items are written by strangers. What keeps their instructions out is not that the model is asked to ignore them but that
nothing passes here that is no name: no mark-up, no address, no instruction, nothing far from what the items are about.
"""

import re
import unicodedata
from collections.abc import Iterable

from clustering_platform.semantics.phrases import count_words
from clustering_platform.semantics.stopwords import FUNCTION_WORDS, GENERAL_WORDS
from clustering_platform.semantics.texts import excerpt

LONGEST_NAME = 60
LONGEST_SUMMARY = 300
LONGEST_PORTRAIT = 900
LONGEST_CATEGORY = 40
FEWEST_WORDS = 2
_TAG = re.compile(r"<[^<>]*>|&(?:#\d+|#x[0-9a-f]+|[a-z]+);", re.IGNORECASE)
_MARK_UP = re.compile(r"[*_`#~^|\\<>{}\[\]$]+")
_ADDRESS = re.compile(
    r"https?:|www\.|\b[\w.-]+@[\w-]+\.\w|\b[\w-]+\.(?:com|org|net|io|ru|info|biz|xyz)\b", re.IGNORECASE
)
_INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instruction|prompt|rule|above|previous|earlier)"
    r"|\bsystem prompt\b|\bas an ai\b|\blanguage model\b|\bi cannot\b|\bi'm sorry\b",
    re.IGNORECASE,
)
_QUOTED = re.compile("[\"'\u00ab\u00bb\u2018-\u201f\u300c-\u300f:\uff1a]+")
_TO_CALL_IT = re.compile(r"\b(?:name|call|title|label)\s+(?:this|that|these|the|it|them)\b", re.IGNORECASE)
_SAY_NOTHING = """
category cluster comment comments content discussion discussions etc feedback general group information issue issues
item items misc miscellaneous mixed n/a name none opinion opinions other others question questions random some statement
statements stuff subject subjects text texts thing things title topic topics unknown unnamed untitled various views
"""
_GENERIC = frozenset(_SAY_NOTHING.split()) | GENERAL_WORDS | frozenset().union(*FUNCTION_WORDS.values())


def clean(text: str, length: int) -> str:
    """Return a text on one line without mark-up, control characters and marks that change the direction of writing."""
    plain = "".join(" " if unicodedata.category(one) in ("Cc", "Cf", "Co", "Cs") else one for one in text)
    return excerpt(_MARK_UP.sub(" ", _TAG.sub(" ", plain)), length)


def clean_name(name: str) -> str:
    """Return a name as `clean` does, without the quotation marks and full stops around it."""
    return clean(name, 4 * LONGEST_NAME).strip(" \"'“”„«».,;:!-")


def fault_of_name(name: str, *, most_words: int, texts: Iterable[str] = ()) -> str | None:
    """Return why a cleaned name cannot stand, in words; None if it can.

    Parameters
    ----------
    texts
        What was sent of items: none of them may have dictated it.
    """
    words = count_words(name)
    if not any(character.isalpha() for character in name):
        return "has no letters"
    if words < FEWEST_WORDS:
        return "is a single word"
    if words > most_words:
        return f"has more than {most_words} words"
    if len(name) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} characters"
    if fault := _fault_of_text(name):
        return fault
    if any(_dictates(text, name) for text in texts):
        return "was put in by an item"
    says_nothing = all(word.strip(".,&/-") in _GENERIC for word in name.casefold().split())
    return "says nothing" if says_nothing else None


def fault_of_summary(summary: str) -> str | None:
    """Return why a cleaned summary cannot stand, in words; None if it can."""
    return _fault_of_text(summary) if summary else "is empty"


def _dictates(text: str, name: str) -> bool:
    """Tell whether a text holds a name between quotation marks or after a colon, or says what to call a thing by it."""
    key = name.casefold()
    if key not in (plain := clean(text, len(text) + 1).casefold()):
        return False
    return bool(_TO_CALL_IT.search(plain)) or key in (clean_name(part).casefold() for part in _QUOTED.split(text)[1:])


def _fault_of_text(text: str) -> str | None:
    if _ADDRESS.search(text):
        return "holds an address"
    return "holds an instruction" if _INSTRUCTION.search(text) else None
