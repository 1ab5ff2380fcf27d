"""What groups are called by what they stand for: the table `group_names`, without a language model.

Names and portraits come from representative items alone: from how a group votes, never from who its voters are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from clustering_platform.tables import TABLES, conform

_NAME_WORDS = 5
_NAME_LENGTH = 48
_QUOTE_LENGTH = 160
_QUOTED = 3
_VERBS = {"agree": "agree that", "disagree": "disagree that"}
_STANCES = {"agree": "For", "disagree": "Against"}


def build_group_names(groups: pa.Table, representative_items: pa.Table, texts: Mapping[str, str | None]) -> pa.Table:
    """Return the table `group_names`.

    A group is named after the first of its representative items that no group before it is named after, for or against
    it. Its portrait quotes up to three items that it agrees with and three that it disagrees with.

    Parameters
    ----------
    texts
        Text of each item, by id; an item without one is quoted by its id.
    """
    stands_for: dict[int, list[dict[str, Any]]] = {}
    for row in representative_items.sort_by([("group_id", "ascending"), ("rank", "ascending")]).to_pylist():
        stands_for.setdefault(row["group_id"], []).append(row)
    taken: set[str] = set()
    rows = []
    for group in groups.sort_by("group_id").to_pylist():
        items = stands_for.get(group["group_id"], [])
        name, named_after = _name(group, items, texts, taken)
        taken |= {name.casefold(), named_after}
        rows.append(
            {
                "group_id": group["group_id"],
                "name": name,
                "summary": _portrait(group, items, texts),
                "category": None,
                "evidence_ids": [item["item_id"] for item in items],
                "source": "offline",
                "reason": None,
            }
        )
    contract = TABLES["group_names"]
    return conform(pa.Table.from_pylist(rows, contract.schema()), contract)


def texts_of(items: pa.Table) -> dict[str, str | None]:
    """Return the text of each item of the table `items`, by id."""
    return dict(zip(items["item_id"].to_pylist(), items["text"].to_pylist(), strict=True))


def _name(
    group: Mapping[str, Any], items: Sequence[Mapping[str, Any]], texts: Mapping[str, str | None], taken: set[str]
) -> tuple[str, str]:
    """Return the name of a group and the item that it is named after, if there is one."""
    for item in items:
        start = _start(texts.get(item["item_id"]) or f"item {item['item_id']}")
        name = f"{_STANCES[item['side']]} “{start}”"
        if name.casefold() not in taken and item["item_id"] not in taken:
            return name, item["item_id"]
    return f"Group {group['letter']}", ""


def _start(text: str) -> str:
    words = text.split()
    start = " ".join(words[:_NAME_WORDS])
    short = start[:_NAME_LENGTH].rstrip(" ,.;:!?")
    return short if short == text.strip().rstrip(" ,.;:!?") else f"{short}…"


def _portrait(group: Mapping[str, Any], items: Sequence[Mapping[str, Any]], texts: Mapping[str, str | None]) -> str:
    share = f"{group['size']:,} voters, {group['share']:.0%} of those in groups."
    said = [
        f"More than others they {_VERBS[side]} {_quoted([item for item in items if item['side'] == side], texts)}."
        for side in _VERBS
        if any(item["side"] == side for item in items)
    ]
    return " ".join([share, *said] if said else [share, "Nothing sets them apart from the others."])


def _quoted(items: Sequence[Mapping[str, Any]], texts: Mapping[str, str | None]) -> str:
    quotes = []
    for item in items[:_QUOTED]:
        text = " ".join((texts.get(item["item_id"]) or f"item {item['item_id']}").split())
        text = text if len(text) <= _QUOTE_LENGTH else text[: _QUOTE_LENGTH - 1].rstrip() + "…"
        quotes.append(f"“{text}” ({item['n_success']} of {item['n_trials']})")
    return " and ".join([", ".join(quotes[:-1]), quotes[-1]] if len(quotes) > 1 else quotes)
