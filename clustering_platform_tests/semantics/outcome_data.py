"""Small trees of topics whose items have outcomes, given leaf by leaf."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from clustering_platform.tables import TABLES, conform


class Case(NamedTuple):
    """The three tables that outcomes are worked out from; of the tree only what is read of it."""

    topic_tree: pa.Table
    item_topics: pa.Table
    outcomes: pa.Table


def case(
    leaves: Mapping[str, Mapping[str, int] | Sequence[str]],
    *,
    wrong: Sequence[str] | None = ("wrong",),
    similarity: Mapping[str, float] | None = None,
    pairs: Mapping[str, str] | None = None,
) -> Case:
    """Return a tree with the labels of its items.

    Parameters
    ----------
    leaves
        Path of each leaf below the root, as ``a/b``, to its labels or to how many items have each. Items are numbered
        from ``i0`` on; those whose label is empty have no outcome.
    wrong
        Labels that are errors; None where they are categories.
    similarity, pairs
        By item; 0.5 and no pair where not given.
    """
    nodes: dict[str, list[str]] = {"root": ["root"]}
    items, paths, labels = [], [], []
    for leaf, given in leaves.items():
        parts = leaf.split("/") if leaf else []
        path = ["root", *("/".join(parts[: end + 1]) for end in range(len(parts)))]
        nodes |= {name: path[: depth + 1] for depth, name in enumerate(path)}
        counted = given.items() if isinstance(given, Mapping) else ((label, 1) for label in given)
        for label, count in counted:
            items += [f"i{len(items) + place}" for place in range(count)]
            paths += [path] * count
            labels += [label] * count
    tree = {"topic_id": list(nodes), "depth": pa.array([len(path) - 1 for path in nodes.values()], pa.int32())}
    topics = {
        "item_id": pa.array(items, pa.string()),
        "path": pa.array(paths, pa.list_(pa.string())),
        "similarity": pa.array([(similarity or {}).get(item, 0.5) for item in items], pa.float32()),
    }
    kept = [(item, label) for item, label in zip(items, labels, strict=True) if label]
    outcomes = {
        "item_id": pa.array([item for item, _ in kept], pa.string()),
        "label": pa.array([label for _, label in kept], pa.string()),
        "is_error": pa.array([None if wrong is None else label in wrong for _, label in kept], pa.bool_()),
        "paired_item_id": pa.array([(pairs or {}).get(item) for item, _ in kept], pa.string()),
    }
    return Case(pa.table(tree), pa.table(topics), conform(pa.table(outcomes), TABLES["outcomes"]))


def by(table: pa.Table, *columns: str) -> dict[object, dict[str, object]]:
    """Return the rows of a table by one column, or by a tuple of several."""
    rows = table.to_pylist()
    return {row[columns[0]] if len(columns) == 1 else tuple(row[name] for name in columns): row for row in rows}
