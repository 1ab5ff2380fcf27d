"""Published topics to give out, built by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clustering_platform.exports.topics import PublishedTopics
from clustering_platform.tables import TABLES

WRITTEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = (
    "=HYPERLINK(1)",
    'say "no"',
    "two\nlines\r\nand more",
    "naïve 投票 🗳",
    "\u2028 separators \u0000 and \u001b controls",
    "; +1",
    "",
)
# The root, two topics below it, two below the second one of these.
TOPICS = {
    "t0": (None, "All"),
    "t1": ("t0", "Buses"),
    "t2": ("t0", "Parks"),
    "t3": ("t2", "Oaks"),
    "t4": ("t2", "Lawns"),
}


def item(item_id: str, text: str | None = "a text", **columns: Any) -> dict[str, Any]:
    """Return a row of `items`."""
    nothing = {"moderation": 0, "is_meta": False, "is_seed": False, "is_listed": True, "created_at": WRITTEN}
    return {"item_id": item_id, "text": text, **nothing, **columns}


def published(
    folder: Path,
    items: Sequence[Mapping[str, Any]],
    *,
    homes: Mapping[str, str] | None = None,
    topics: Mapping[str, tuple[str | None, str]] | None = None,
    off_map: Sequence[str] = (),
    has_plain_ids: bool = False,
    **columns: Mapping[str, Any],
) -> PublishedTopics:
    """Return topics of items as if they were published.

    Parameters
    ----------
    homes
        The topic of each item that has one.
    topics
        Parent and name of each topic; by default `TOPICS` where there are items with a topic.
    off_map
        Items with a topic and no place on the map.
    columns
        Further columns of `topic_names` by topic.
    """
    homes = homes or {}
    topics = (TOPICS if homes else {}) if topics is None else topics
    paths = {topic: _path(topics, topic) for topic in topics}
    sizes = {topic: sum(topic in paths[home] for home in homes.values()) for topic in topics}
    tree = [
        {
            "topic_id": topic,
            "parent_id": parent,
            "depth": len(paths[topic]) - 1,
            "path": paths[topic],
            "size": sizes[topic],
        }
        for topic, (parent, _) in topics.items()
    ]
    names = [
        {"topic_id": topic, "name": name, "summary": f"About {name}.", "strength": 7}
        | {key: one[topic] for key, one in columns.items()}
        for topic, (_, name) in topics.items()
    ]
    placed = [
        {"item_id": one, "topic_id": topic, "similarity": 0.75, "is_noise": one == "noise"}
        for one, topic in homes.items()
    ]
    spots = [{"item_id": one, "x": float(row), "y": -0.5} for row, one in enumerate(homes) if one not in off_map]
    tables = {
        "items": pa.Table.from_pylist([dict(one) for one in items], schema=TABLES["items"].schema()),
        "topic_tree": _table(
            tree, [name for name in TABLES["topic_tree"].schema().names if name in _TREE], "topic_tree"
        ),
        "topic_names": pa.Table.from_pylist(names) if names else TABLES["topic_names"].empty(),
        "item_topics": pa.Table.from_pylist(placed, schema=_PLACED),
        "projection": pa.Table.from_pylist(spots, schema=TABLES["projection"].schema()),
    }
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}.stored" for name in tables}
    for name, table in tables.items():
        pq.write_table(table, files[name])
    return PublishedTopics(commit=1, files=files, has_plain_ids=has_plain_ids)


_TREE = ("topic_id", "parent_id", "depth", "path", "size")
_PLACED = pa.schema(
    [("item_id", pa.string()), ("topic_id", pa.string()), ("similarity", pa.float32()), ("is_noise", pa.bool_())]
)


def _table(rows: list[dict[str, Any]], names: list[str], contract: str) -> pa.Table:
    schema = TABLES[contract].schema()
    return pa.Table.from_pylist(rows, schema=pa.schema([schema.field(name) for name in names]))


def _path(topics: Mapping[str, tuple[str | None, str]], topic: str) -> list[str]:
    parent = topics[topic][0]
    return [*(_path(topics, parent) if parent else []), topic]


def many(folder: Path, count: int, *, words: int = 20) -> PublishedTopics:
    """Return many items of some words each in 200 topics below 20."""
    choice = np.random.default_rng(0)
    topics: dict[str, tuple[str | None, str]] = {"r": (None, "All")}
    topics |= {f"a{one}": ("r", f"Theme {one}") for one in range(20)}
    topics |= {f"b{one}": (f"a{one % 20}", f"Topic {one}") for one in range(200)}
    made = published(folder, [], homes={"none": "r"}, topics=topics)
    names = [f"item-{row}" for row in range(count)]
    text = [" ".join(f"word{number}" for number in row) for row in choice.integers(0, 5000, (count, words))]
    items = {
        "item_id": names,
        "text": text,
        "created_at": pa.array([WRITTEN] * count, pa.timestamp("us", "UTC")),
        "moderation": pa.array(np.zeros(count, np.int8)),
        "metadata": [f'{{"page": "{row % 300}", "source": "survey {row % 7}"}}' for row in range(count)],
    }
    homes = [f"b{one}" for one in choice.integers(0, 200, count)]
    tables = {
        "items": pa.table(items),
        "item_topics": pa.table(
            {"item_id": names, "topic_id": homes, "similarity": pa.array(np.ones(count, np.float32))}
        ),
        "projection": pa.table({"item_id": names, **{axis: choice.normal(size=count) for axis in "xy"}}),
    }
    for name, table in tables.items():
        made.files[name] = folder / f"{name}.many"
        pq.write_table(table, made.files[name], row_group_size=65_536)
    return made
