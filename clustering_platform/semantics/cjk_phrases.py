"""Phrases of Chinese and Japanese, which are written without spaces: runs of characters that could be words.

What the phrases of texts are in other languages belongs in ``phrases``.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field

from clustering_platform.semantics.stopwords import CJK_EDGES, CJK_SEPARATORS, GENERAL_WORDS

HAN = "\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KATAKANA = "\u30a1-\u30fa\u30fc"
HIRAGANA = "\u3041-\u309f"
CJK = re.compile(f"[{HAN}{KATAKANA}{HIRAGANA}]")
_LONGEST = 6
_OFTEN_AT_END = 0.1
_ALWAYS_FOLLOWED = 0.5
_SPLIT = re.compile("|".join(map(re.escape, CJK_SEPARATORS)))


def phrases_of_run(run: str, longest: int) -> Iterator[str]:
    """Yield the phrases of a run of characters: two to six of them between function words.

    Parameters
    ----------
    longest
        Words that a phrase has at most; two characters count as one.
    """
    for phrase, _, _ in _with_neighbours(run, min(_LONGEST, 2 * longest)):
        if phrase not in GENERAL_WORDS:
            yield phrase


def whole_phrases(runs: Iterable[str], phrases: Set[str]) -> set[str]:
    """Return those of the phrases that begin and end where words do; the others are cut out of longer words.

    A word ends where a phrase is followed by something else each time it stands there: by no one character in half of
    its places, or by none at all, or by a function word, in a tenth of them. Likewise for its beginning. So the taxi,
    ``計程車``, is a phrase, and neither ``計程`` nor ``程車司`` is.
    """
    before: dict[str, _Neighbours] = {phrase: _Neighbours() for phrase in phrases}
    after: dict[str, _Neighbours] = {phrase: _Neighbours() for phrase in phrases}
    for run in runs:
        for phrase, left, right in _with_neighbours(run, _LONGEST):
            if phrase in phrases:
                before[phrase].add(left)
                after[phrase].add(right)
    return {phrase for phrase in phrases if before[phrase].is_end() and after[phrase].is_end()}


@dataclass
class _Neighbours:
    """What stands beside a phrase: characters, and how often there is none that belongs to a word with it."""

    characters: Counter[str] = field(default_factory=Counter)
    none: int = 0

    def add(self, neighbour: str) -> None:
        if neighbour and neighbour not in CJK_EDGES:
            self.characters[neighbour] += 1
        else:
            self.none += 1

    def is_end(self) -> bool:
        places = self.none + self.characters.total()
        most = max(self.characters.values(), default=0)
        return self.none >= _OFTEN_AT_END * places or most < _ALWAYS_FOLLOWED * places


def _with_neighbours(run: str, longest: int) -> Iterator[tuple[str, str, str]]:
    """Yield pieces of a run with the character before and after each; empty beside a function word or an end."""
    for piece in _SPLIT.split(run):
        for start in range(len(piece) - 1):
            for end in range(start + 2, min(start + longest, len(piece)) + 1):
                if piece[start] not in CJK_EDGES and piece[end - 1] not in CJK_EDGES:
                    yield piece[start:end], piece[start - 1 : start], piece[end : end + 1]
