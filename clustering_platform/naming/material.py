"""What a language model gets to see of each topic."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.semantics.item_embeddings import vector_matrix
from clustering_platform.semantics.texts import excerpt, is_blank, normalise

_LONGEST_TEXT = 400
_ITEMS = 12
_ITEMS_OF_AUTHOR = 2
_OTHERS = 8
_SIBLINGS = 3
_PHRASES = 8
_ADDRESS = re.compile(r"\S+@\S+\.\w+")
_LINK = re.compile(r"(?:https?://|www\.)\S+")
_NUMBER = re.compile(r"\+?\d(?:[\s().-]?\d){7,}")


@dataclass(frozen=True)
class Material:
    """A topic as the namer knows it.

    Attributes
    ----------
    parent, children
        Places of the topic above (None for the root) and of its subtopics, largest first, in the list of topics.
    offline
        The name made without a language model.
    phrases
        Phrases that set it apart, best first.
    items
        Ids and texts of items that show what it is about, as they are sent.
    others
        Texts nearby that belong to its nearest siblings, as they are sent.
    centroid
        Mean vector of its items, of length one.
    """

    topic_id: str
    size: int
    parent: int | None
    children: list[int] = field(repr=False)
    offline: str
    phrases: list[str]
    items: list[tuple[str, str]]
    others: list[str]
    centroid: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True)
class _Exemplar:
    item_id: str
    text: str
    author: str | None
    vector: NDArray[np.float32]


def read_material(
    items: pa.Table, embeddings: pa.Table, topic_tree: pa.Table, proposed_names: pa.Table
) -> list[Material]:
    """Return what is known of each topic, in the order of `topic_tree`.

    Of the central and the diverse exemplars of a topic those with a text of their own are sent, at most two of an
    author: who writes a text a hundred times, or a hundred texts, is heard once or twice. Texts are cut in the middle,
    and e-mail addresses, links and long numbers in them replaced.

    Parameters
    ----------
    items
        What people read of each item or piece, by `item_id`.
    """
    rows = topic_tree.to_pylist()
    places = {row["topic_id"]: place for place, row in enumerate(rows)}
    proposed = {row["topic_id"]: row for row in proposed_names.to_pylist()}
    exemplars = _exemplars(items, embeddings, rows)
    shown = [_shown(row, exemplars) for row in rows]
    centroids = vector_matrix(topic_tree["centroid"])
    children: dict[str | None, list[int]] = {}
    for place in sorted(range(len(rows)), key=lambda place: -rows[place]["size"]):
        children.setdefault(rows[place]["parent_id"], []).append(place)
    return [
        Material(
            topic_id=row["topic_id"],
            size=row["size"],
            parent=places.get(row["parent_id"]),
            children=children.get(row["topic_id"], []),
            offline=proposed[row["topic_id"]]["name"],
            phrases=proposed[row["topic_id"]]["keywords"][:_PHRASES],
            items=[(one.item_id, one.text) for one in shown[place]],
            others=_others(place, children[row["parent_id"]], centroids, shown),
            centroid=centroids[place],
        )
        for place, row in enumerate(rows)
    ]


def as_sent(text: str) -> str:
    """Return a text as it leaves the machine: one line, cut in the middle, without addresses and long numbers."""
    line = excerpt(text, 10 * _LONGEST_TEXT)
    for pattern, word in ((_LINK, "[link]"), (_ADDRESS, "[address]"), (_NUMBER, "[number]")):
        line = pattern.sub(word, line)
    half = _LONGEST_TEXT // 2
    return line if len(line) <= _LONGEST_TEXT else f"{line[:half].rstrip()} … {line[-half:].lstrip()}"


def _exemplars(items: pa.Table, embeddings: pa.Table, topics: Sequence[dict[str, Any]]) -> dict[str, _Exemplar]:
    """Return the exemplars of all topics that have a text, by id."""
    wanted = {item_id for row in topics for item_id in (*row["exemplar_ids"], *row["diverse_ids"])}
    columns = ["item_id", "text", *(["author_id"] if "author_id" in items.column_names else [])]
    written = {row["item_id"]: row for row in items.select(columns).to_pylist() if row["item_id"] in wanted}
    vectors = vector_matrix(embeddings["vector"])
    return {
        item_id: _Exemplar(item_id, as_sent(row["text"]), row.get("author_id"), vectors[place])
        for place, item_id in enumerate(embeddings["item_id"].to_pylist())
        if (row := written.get(item_id)) and not is_blank(row["text"])
    }


def _shown(topic: dict[str, Any], exemplars: dict[str, _Exemplar]) -> list[_Exemplar]:
    chosen: list[_Exemplar] = []
    authors: Counter[str] = Counter()
    for one in _known((*topic["exemplar_ids"], *topic["diverse_ids"]), exemplars):
        same = normalise(one.text).casefold()
        if any(same == normalise(other.text).casefold() for other in chosen):
            continue
        if one.author is not None and authors[one.author] == _ITEMS_OF_AUTHOR:
            continue
        authors.update([one.author] if one.author is not None else [])
        chosen.append(one)
    return chosen[:_ITEMS]


def _known(item_ids: Iterable[str], exemplars: dict[str, _Exemplar]) -> list[_Exemplar]:
    return [exemplars[item_id] for item_id in dict.fromkeys(item_ids) if item_id in exemplars]


def _others(
    place: int, siblings: Sequence[int], centroids: NDArray[np.float32], shown: Sequence[Sequence[_Exemplar]]
) -> list[str]:
    """Return the texts shown of the three nearest siblings that are most like the topic."""
    others = [sibling for sibling in siblings if sibling != place]
    nearest = sorted(others, key=lambda other: (-float(centroids[other] @ centroids[place]), other))[:_SIBLINGS]
    beside = [one for other in nearest for one in shown[other]]
    if not beside:
        return []
    likeness = np.stack([one.vector for one in beside]) @ centroids[place]
    return list(dict.fromkeys(beside[row].text for row in np.argsort(-likeness, kind="stable")))[:_OTHERS]
