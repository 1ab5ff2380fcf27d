"""Small trees of topics written by hand: a topic is a dict of its subtopics or a list of its items."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from clustering_platform.semantics.identity import relabel
from clustering_platform.semantics.item_embeddings import list_column
from clustering_platform.semantics.membership import Membership, read_membership
from clustering_platform.store.curation import Action, Decision
from clustering_platform.tables import TABLES, conform

Tree = dict[str, Any]
DIMENSION = 5


def paths_of(tree: Tree) -> dict[str, list[str]]:
    """Return the path of each item of a tree ``{topic: {topic: [items]}}``."""
    paths: dict[str, list[str]] = {}

    def visit(topic_id: str, content: Any, above: list[str]) -> None:
        path = [*above, topic_id]
        if isinstance(content, dict):
            for child, inside in content.items():
                visit(child, inside, path)
        else:
            paths.update(dict.fromkeys(content, path))

    for topic_id, content in tree.items():
        visit(topic_id, content, [])
    return paths


def membership(tree: Tree) -> Membership:
    """Return the membership of a tree."""
    paths = paths_of(tree)
    table = pa.table(
        {
            "item_id": pa.array(list(paths), pa.string()),
            "path": pa.array(list(paths.values()), pa.list_(pa.string())),
        }
    )
    return read_membership(table)


def vector_of(item: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the fixed vector of an item, of length one."""
    vector = np.random.default_rng(sum(map(ord, item)) * 7919 + len(item)).normal(size=DIMENSION)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def tables(tree: Tree) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return the tables `topic_tree`, `item_topics` and `embeddings` of a tree, as the engine would write them."""
    paths = paths_of(tree)
    items = list(paths)
    vectors = np.stack([vector_of(item) for item in items])
    topics: dict[str, list[str]] = {}
    for path in paths.values():
        for depth, topic_id in enumerate(path):
            topics.setdefault(topic_id, path[: depth + 1])
    rows = []
    for topic_id, path in topics.items():
        inside = [row for row, item in enumerate(items) if topic_id in paths[item]]
        children = {other for other, place in topics.items() if place[:-1] == path}
        centroid = vectors[inside].mean(axis=0, dtype=np.float64)
        centroid /= np.linalg.norm(centroid)
        similarity = vectors[inside] @ centroid
        rows.append(
            {
                "topic_id": topic_id,
                "parent_id": path[-2] if len(path) > 1 else None,
                "depth": len(path) - 1,
                "path": path,
                "size": len(inside),
                "method": "hdbscan" if children else "leaf",
                "note": "as written",
                "silhouette": 0.5 if children else None,
                "cohesion": min(float(similarity.mean()), 1.0),
                "exemplar_ids": [items[inside[place]] for place in np.argsort(-similarity, kind="stable")[:5]],
                "centroid": centroid.astype(np.float32).tolist(),
            }
        )
    centroids = {row["topic_id"]: np.array(row["centroid"]) for row in rows}
    item_rows = [
        {
            "item_id": item,
            "topic_id": path[-1],
            "depth": len(path) - 1,
            "path": path,
            "similarity": float(vectors[row] @ centroids[path[-1]]),
        }
        for row, (item, path) in enumerate(paths.items())
    ]
    embeddings = pa.table({"item_id": pa.array(items), "vector": list_column(vectors)})
    return _filled("topic_tree", rows), _filled("item_topics", item_rows), embeddings


def _filled(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Return rows as a table of a contract; of its columns that are not at hand, false, zero or null."""
    contract = TABLES[name]
    plain = {"bool": False, "int32": 0, "float32": 0.0, "float64": 0.0, "string": "", "list<string>": []}
    defaults = {column.name: None if column.nullable else plain.get(column.type) for column in contract.columns}
    complete = [defaults | {key: value for key, value in row.items() if key in defaults} for row in rows]
    return conform(pa.Table.from_pylist(complete, contract.schema()), contract)


def decisions(*written: tuple[Action, str, str | None]) -> list[Decision]:
    """Return a log of (action, topic, value)."""
    return [
        Decision(
            dataset="talk",
            sequence=number,
            decided_at=datetime(2026, 3, 1, tzinfo=UTC),
            action=action,
            topic_id=topic_id,
            value=value,
        )
        for number, (action, topic_id, value) in enumerate(written, start=1)
    ]


@st.composite
def drawn_trees(draw: st.DrawFn, *, prefix: str = "t", items: int = 24) -> Tree:
    """Draw a tree of at least two items, with ids in preorder."""
    count = draw(st.integers(2, items))
    numbers = iter(range(10_000))

    def split(inside: list[str], depth: int) -> Any:
        if depth == 3 or len(inside) < 4 or not draw(st.booleans()):
            return inside
        parts = draw(st.integers(2, min(4, len(inside) // 2)))
        cuts = sorted(draw(st.sets(st.integers(1, len(inside) - 1), min_size=parts - 1, max_size=parts - 1)))
        pieces = [inside[start:end] for start, end in zip([0, *cuts], [*cuts, len(inside)], strict=True)]
        content: Tree = {}
        for piece in sorted(pieces, key=lambda piece: -len(piece)):
            topic_id = f"{prefix}{next(numbers)}"
            content[topic_id] = split(piece, depth + 1)
        return content

    root = f"{prefix}{next(numbers)}"
    shuffled = draw(st.permutations([f"i{row}" for row in range(count)]))
    return {root: split(list(shuffled), 0)}


def as_found(*tables: pa.Table) -> tuple[pa.Table, ...]:
    """Return the tables of a tree whose ids are t0, t1, ... with f0, f1, ... as the engine gives them."""
    ids = {topic_id for table in tables for topic_id in table["topic_id"].to_pylist()}
    return tuple(relabel(table, {topic_id: f"f{topic_id[1:]}" for topic_id in ids}) for table in tables)
