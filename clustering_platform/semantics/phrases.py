"""Phrases of texts: the candidates for names.

Words, n-grams, function words and how a phrase is written belong here; which phrase names which topic belongs in
``naming``.
"""

import functools
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustering_platform.semantics.cjk_phrases import CJK, HAN, HIRAGANA, KATAKANA, phrases_of_run, whole_phrases
from clustering_platform.semantics.stopwords import FUNCTION_WORDS, GENERAL_WORDS, LINKING_WORDS

Key = tuple[str, ...]

_LONGEST = 5
_MOST_WORDS = 300
_STEM = 4
_SAME_WORD = 0.6
_TEXTS_FOR_WRITING = 50
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\S+")
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu|jusqu|dell|all|nell|dall|sull|un|quest)'(?=\w{2})", re.IGNORECASE)
_CONTRACTION = re.compile(r"'(?:s|t|re|ve|ll|d|m)$", re.IGNORECASE)
_MARKS = ' .,;:!?"()\u201c\u201d\u2018\u2019\u3002\uff0c\uff1b\uff1a\uff01\uff1f\u300c\u300d'
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u02bc": "'", "`": "'"})
# The other planes of Unicode hold ideographs, private characters or nothing, and are slow to look through.
_PLANES_WITH_MARKS = (range(0x20000), range(0xE0000, 0xF0000))
_ACCENTS = re.compile("[\u0300-\u036f]")


@dataclass(frozen=True)
class Phrases:
    """The phrases of some texts.

    Attributes
    ----------
    keys
        Words of each phrase in the form in which they are compared.
    occurrence
        Sparse array of shape (texts, phrases): 1 where a text holds a phrase.
    clauses
        Words of each clause of each text.
    capitals
        How words are written that are not usually in lower case.
    """

    keys: list[Key]
    occurrence: sparse.csc_array
    clauses: list[list[list[str]]]
    capitals: dict[str, str]

    def show(self, number: int) -> str:
        """Return a phrase as it is written most often."""
        key = self.keys[number]
        if _is_cjk(key):
            return key[0]
        start, end = self.occurrence.indptr[number : number + 2]
        texts = self.occurrence.indices[start : min(end, start + _TEXTS_FOR_WRITING)]
        forms = Counter(form for text in texts for clause in self.clauses[text] for form in _forms(clause, key))
        words = max(forms, key=lambda form: (forms[form], form))
        return " ".join(self.capitals.get(word, word) for word in words)


def find_phrases(texts: Sequence[str], *, longest: int) -> Phrases:
    """Return the phrases that stand in at least two of the texts.

    A phrase is one to `longest` words, at most five, within a clause. It neither begins nor ends with a function word
    of the languages of the texts, does not begin with a number, and holds a word that is neither of these nor too
    general to say something. Chinese and Japanese have no spaces: there a phrase is two to six characters of a run of
    Han or Katakana characters between function words that begin and end where words do, and two characters count as a
    word.
    """
    clauses = [_clauses(text) for text in texts]
    function_words = _function_words(clauses)
    ids: dict[Key, int] = {}
    columns: list[list[int]] = []
    for text in clauses:
        held = dict.fromkeys(key for clause in text for key in _keys(clause, function_words, min(longest, _LONGEST)))
        columns.append([ids.setdefault(key, len(ids)) for key in held])
    occurrence, kept = _occurrence(columns, len(ids))
    keys = list(ids)
    found = [keys[number] for number in kept]
    whole = _whole(found, clauses)
    return Phrases([found[number] for number in whole], occurrence[:, whole], clauses, _capitals(clauses))


def is_part(part: Key, whole: Key) -> bool:
    """Say whether the words, or the Chinese characters, of `part` stand next to each other in `whole`."""
    if _is_cjk(part) or _is_cjk(whole):
        return "".join(part) in "".join(whole)
    return any(whole[start : start + len(part)] == part for start in range(len(whole) - len(part) + 1))


def overlap(one: Key, other: Key) -> bool:
    """Say whether one phrase is part of the other, or both are one word in different forms, as refund and refunded."""
    if is_part(one, other) or is_part(other, one):
        return True
    if len(one) > 1 or len(other) > 1:
        return False
    shared = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one[0], other[0], strict=False)))
    return shared >= max(_STEM, _SAME_WORD * max(len(one[0]), len(other[0])))


def word_count(key: Key) -> int:
    """Return the number of words of a phrase; two Chinese characters count as one."""
    return -(-len(key[0]) // 2) if _is_cjk(key) else len(key)


def count_words(text: str) -> int:
    """Return the number of words of a text; two Chinese characters count as one."""
    return sum(-(-len(CJK.findall(word)) // 2) or 1 for word in text.split())


def first_words(text: str, count: int) -> str:
    """Return the first words of a text as they are written, with an ellipsis where there are more.

    Where a word is much longer than usual, as in Chinese, the text is cut within it.
    """
    words = _ADDRESS.sub(" ", text).split()
    start = " ".join(words[:count]).strip(_MARKS)
    limit = count * (3 if CJK.search(start) else 12)
    if len(start) > limit:
        return start[:limit].rstrip() + "…"
    return f"{start}…" if len(words) > count else start


def _clauses(text: str) -> list[list[str]]:
    """Return the words of each clause, at most 300 for a text; runs of Chinese characters are words."""
    text = _ADDRESS.sub(" . ", text.translate(_APOSTROPHES))
    word, separator = _patterns()
    clauses: list[list[str]] = []
    left = _MOST_WORDS
    for part in separator.split(text):
        words = [_bare(found) for found in word.findall(part)[:left]]
        left -= len(words)
        if words:
            clauses.append(words)
    return clauses


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of words and of what separates clauses; marks such as vowel signs belong to words."""
    characters = map(chr, itertools.chain(*_PLANES_WITH_MARKS))
    marks = "".join(character for character in characters if unicodedata.category(character).startswith("M"))
    letter = rf"(?:(?![{HAN}{KATAKANA}{HIRAGANA}])[\w{marks}])"
    word = rf"[{HAN}]+|[{KATAKANA}]+|[$€£¥]?{letter}+(?:['\-]{letter}+)*%?"
    return re.compile(word), re.compile(rf"[^\w\s{marks}'\-$€£¥%]+|[\r\n]+|\s-+\s|[{HIRAGANA}]+")


def _bare(word: str) -> str:
    """Return the word without an elided article before it or a possessive after it."""
    word = _ELISION.sub("", word)
    return word[:-2] if word.lower().endswith("'s") and word.lower() not in FUNCTION_WORDS["en"] else word


def _function_words(clauses: Iterable[list[list[str]]]) -> frozenset[str]:
    """Return the function words of the languages in which at least 5 % of the texts are written."""
    votes: Counter[str] = Counter()
    for text in clauses:
        words = [word.lower() for clause in text for word in clause]
        scores = {language: sum(map(known.__contains__, words)) for language, known in FUNCTION_WORDS.items()}
        best = max(scores, key=lambda language: scores[language])
        if scores[best]:
            votes[best] += 1
    present = [language for language, count in votes.items() if count >= 0.05 * votes.total()]
    return frozenset[str]().union(*(FUNCTION_WORDS[language] for language in present))


def _keys(clause: list[str], function_words: frozenset[str], longest: int) -> Iterator[Key]:
    lowered = [word.lower() for word in clause]
    keys = [_key(word) for word in clause]
    empty = [word in function_words or bool(_CONTRACTION.search(word)) for word in lowered]
    telling = [
        not (skip or word in GENERAL_WORDS or key in GENERAL_WORDS) and _has_letters(word)
        for skip, word, key in zip(empty, lowered, keys, strict=True)
    ]
    for start, word in enumerate(clause):
        if CJK.match(word):
            yield from ((phrase,) for phrase in phrases_of_run(word, longest))
            continue
        if empty[start] or not word[0].isalpha():
            continue
        for end in range(start + 1, min(start + longest, len(clause)) + 1):
            last = end - 1
            if CJK.match(clause[last]) or (last > start + 1 and not _links(lowered[last - 1], empty[last - 1])):
                break
            if not empty[last] and any(telling[start:end]):
                yield tuple(keys[start:end])


def _links(word: str, is_function_word: bool) -> bool:
    return not is_function_word or word in LINKING_WORDS


def _occurrence(columns: list[list[int]], width: int) -> tuple[sparse.csc_array, NDArray[np.int64]]:
    """Return which text holds which phrase, for phrases of at least two texts, and the numbers of those phrases."""
    rows = np.repeat(np.arange(len(columns)), [len(found) for found in columns])
    flat = np.array([number for found in columns for number in found], dtype=np.int64)
    counts = np.bincount(flat, minlength=width)
    kept = np.flatnonzero(counts >= 2)
    place = np.cumsum(counts >= 2) - 1
    here = counts[flat] >= 2
    ones = np.ones(int(here.sum()), dtype=np.float64)
    matrix = sparse.csc_array((ones, (rows[here], place[flat[here]])), shape=(len(columns), len(kept)))
    return matrix, kept


def _whole(keys: list[Key], clauses: Iterable[list[list[str]]]) -> list[int]:
    """Return the numbers of the phrases without those that are cut out of longer Chinese or Japanese words."""
    phrases = {key[0] for key in keys if _is_cjk(key)}
    if not phrases:
        return list(range(len(keys)))
    runs = (word for text in clauses for clause in text for word in clause if CJK.match(word))
    whole = whole_phrases(runs, phrases)
    return [number for number, key in enumerate(keys) if not _is_cjk(key) or key[0] in whole]


def _key(word: str) -> str:
    """Return the form in which words are compared: lower case, no accents, plurals in -s as singulars."""
    word = _ACCENTS.sub("", unicodedata.normalize("NFD", word.lower()))
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _forms(clause: list[str], key: Key) -> Iterator[tuple[str, ...]]:
    """Return how a phrase is written where it stands in a clause, in lower case."""
    keys = tuple(_key(word) for word in clause)
    for start in range(len(keys) - len(key) + 1):
        if keys[start : start + len(key)] == key:
            yield tuple(word.lower() for word in clause[start : start + len(key)])


def _capitals(clauses: list[list[list[str]]]) -> dict[str, str]:
    """Return how words are written that usually have capitals.

    At the start of a clause a first capital says nothing.
    """
    written: dict[str, Counter[str]] = {}
    for word in (word for text in clauses for clause in text for word in clause[1:]):
        written.setdefault(word.lower(), Counter())[word] += 1
    for word in (clause[0] for text in clauses for clause in text):
        if word[1:] != word[1:].lower():
            written.setdefault(word.lower(), Counter())[word] += 1
    usual = {lower: max(forms, key=lambda form: (forms[form], form)) for lower, forms in written.items()}
    return {lower: word for lower, word in usual.items() if word != lower}


def _has_letters(word: str) -> bool:
    return sum(character.isalpha() for character in word) >= 2


def _is_cjk(key: Key) -> bool:
    return len(key) == 1 and bool(CJK.match(key[0]))
