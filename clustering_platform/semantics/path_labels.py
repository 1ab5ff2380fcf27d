"""Names from folders: what topics without any text can be called."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_MARKS = re.compile(r"[\s_.-]+")
_MOST = 8


@dataclass(frozen=True)
class Labels:
    """Names of folders that set a topic apart, best first, and the share of its items that the first one holds."""

    names: list[str]
    share: float


def topic_labels(
    files: Mapping[str, str | None], item_ids: Sequence[str], paths: Sequence[Sequence[str]]
) -> dict[str, Labels]:
    """Return the labels of each topic.

    A folder counts for every item that lies in it, at whatever depth, and weighs less the more items of the dataset
    do; one that all of them lie in says nothing.

    Parameters
    ----------
    files
        Item to the path of its file.
    item_ids
        The items that are in topics.
    paths
        The topics of each, from the root down.
    """
    inside: dict[str, Counter[str]] = {}
    sizes: Counter[str] = Counter()
    around: Counter[str] = Counter()
    for item_id, path in zip(item_ids, paths, strict=True):
        labels = _folders(files.get(item_id))
        around.update(labels)
        for topic_id in path:
            inside.setdefault(topic_id, Counter()).update(labels)
            sizes[topic_id] += 1
    return {
        topic_id: _ranked(counts, around, size=sizes[topic_id], total=len(item_ids))
        for topic_id, counts in inside.items()
    }


def _folders(file: str | None) -> set[str]:
    parts = [_MARKS.sub(" ", part).strip() for part in (file or "").split("/")[:-1]]
    return {part for part in parts if any(character.isalpha() for character in part)}


def _ranked(counts: Counter[str], around: Counter[str], *, size: int, total: int) -> Labels:
    weights = {label: count * math.log(total / around[label]) for label, count in counts.items()}
    names = sorted((label for label, weight in weights.items() if weight > 0), key=lambda one: (-weights[one], one))
    return Labels(names[:_MOST], counts[names[0]] / size if names else 0.0)
