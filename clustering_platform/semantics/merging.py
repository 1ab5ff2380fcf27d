"""People's merges: the tree with the topics put together that belong together.

Which merges can be done belongs in `plan_merges`, doing them in `apply_merges`; what a decision is, in
``store.curation``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.semantics.item_embeddings import vector_matrix
from clustering_platform.semantics.membership import Ints, Membership, overlap_of, read_membership
from clustering_platform.semantics.topic_measures import threshold
from clustering_platform.store.curation import Decision
from clustering_platform.tables import TABLES, conform

Reals = NDArray[np.float64]
Row = dict[str, Any]


@dataclass(frozen=True)
class MergePlan:
    """What merges make of a tree.

    Attributes
    ----------
    parents
        The topic above each topic that stays, None for the root; in the order of the tree as found.
    into
        The topic that each merged topic is part of.
    refused
        Why merges cannot be done, by number of the decision.
    absent
        Of those, the topic that is not there.
    """

    parents: dict[str, str | None]
    into: dict[str, str] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    absent: dict[int, str] = field(default_factory=dict)


def plan_merges(
    parents: Mapping[str, str | None], own_sizes: Mapping[str, int], merges: Sequence[Decision]
) -> MergePlan:
    """Return what merges make of a tree, one after the other.

    The children of a topic that is merged into another become children of that one. A topic that is left without any
    item goes. A merge is refused, with a reason, where one of its topics is not there, where it would close a circle,
    and where a topic would be merged into one of those below it.

    Parameters
    ----------
    parents
        The topic above each topic of the tree as found, None for the root.
    own_sizes
        Items of each topic that are in none of its children.
    """
    plan = MergePlan(dict(parents))
    for merge in merges:
        source, target = merge.topic_id, plan.into.get(merge.value or "", merge.value or "")
        missing = next((key for key in (source, target) if key not in plan.parents and key not in plan.into), None)
        if missing:
            plan.absent[merge.sequence] = missing
        if fault := f"{missing} is not in the tree" if missing else _fault(plan, source, target):
            plan.refused[merge.sequence] = fault
            continue
        del plan.parents[source]
        plan.parents.update({child: target for child, above in plan.parents.items() if above == source})
        plan.into.update({merged: target for merged, home in plan.into.items() if home == source})
        plan.into[source] = target
    if plan.into:
        holding = _holding(plan, own_sizes)
        for topic_id in [key for key in plan.parents if key not in holding]:
            del plan.parents[topic_id]
    return plan


def _holding(plan: MergePlan, own_sizes: Mapping[str, int]) -> set[str]:
    """Return the topics that hold an item, in themselves or below."""
    holding: set[str] = set()
    for topic_id, size in own_sizes.items():
        home: str | None = plan.into.get(topic_id, topic_id) if size else None
        while home is not None and home not in holding:
            holding.add(home)
            home = plan.parents[home]
    return holding


def _fault(plan: MergePlan, source: str, target: str) -> str | None:
    if source in plan.into:
        return f"{source} is part of {plan.into[source]} already"
    if source == target:
        return f"{source} would be merged into a part of itself"
    if plan.parents[source] is None:
        return f"{source} holds every item and cannot be part of another topic"
    above = plan.parents[target]
    while above is not None:
        if above == source:
            return f"{target} is below {source}"
        above = plan.parents[above]
    return None


def apply_merges(
    topic_tree: pa.Table, item_topics: pa.Table, embeddings: pa.Table, plan: MergePlan
) -> tuple[pa.Table, pa.Table]:
    """Return the tables `topic_tree` and `item_topics` with merges done.

    Items go where their topic went. An item of a leaf stays in a leaf: where its topic has children now, it goes to
    the leaf below whose mean vector is the most similar. Sizes, paths, depths, and for each topic whose items changed
    centroid, cohesion, exemplars and similarities, are worked out anew; the silhouette of a division that changed is
    null. Of other columns, topics whose items changed have null where the contract allows it, lists without the items
    that are gone, and else the value of the topic as found.

    Rows are in preorder, siblings by size, largest first, then as found.
    """
    if not plan.into:
        return topic_tree, item_topics
    found = read_membership(item_topics, topic_tree["topic_id"].to_pylist())
    vectors = _vectors_of(embeddings, found.item_ids)
    homes = _homes(found, item_topics, vectors, plan)
    rows = _tree_rows(topic_tree, found, homes, plan)
    ids = [row["topic_id"] for row in rows]
    items = _with_paths(item_topics, homes, {row["topic_id"]: row for row in rows})
    now = read_membership(items, ids)
    changed = _changed(found, now)
    is_noise = items["is_noise"].to_numpy()
    centroids = _fill_changed(rows, now, vectors, is_noise, changed)
    similarity = _similarities(items, ids, vectors, centroids, changed)
    items = items.set_column(items.column_names.index("similarity"), "similarity", similarity)
    contract = TABLES["topic_tree"]
    tree = pa.Table.from_pylist(rows, contract.schema())
    return conform(tree, contract), conform(items, TABLES["item_topics"])


def _vectors_of(embeddings: pa.Table, item_ids: pa.Array) -> NDArray[np.float32]:
    rows = pc.index_in(item_ids, value_set=embeddings["item_id"].combine_chunks())
    return vector_matrix(embeddings["vector"].take(rows) if len(rows) else embeddings["vector"])


def _homes(found: Membership, item_topics: pa.Table, vectors: NDArray[np.float32], plan: MergePlan) -> pa.Array:
    """Return the topic that each item goes to."""
    ids = found.topic_ids
    own = _codes(item_topics["topic_id"], ids)
    went = np.array([found.place[plan.into.get(topic_id, topic_id)] for topic_id in ids])
    home = went[own]
    parents = np.array([found.place[above] if (above := plan.parents.get(key)) else -1 for key in ids])
    is_leaf = np.array([key in plan.parents for key in ids])
    is_leaf[parents[parents >= 0]] = False
    displaced = found.is_leaf[own] & ~is_leaf[home]
    leaves = np.flatnonzero(is_leaf)
    centres = np.stack([_centre(vectors[(home == leaf) & ~displaced]) for leaf in leaves])
    for topic in np.unique(home[displaced]):
        below = np.array([topic in _above(parents, leaf) for leaf in leaves.tolist()])
        moving = np.flatnonzero(displaced & (home == topic))
        home[moving] = leaves[below][(vectors[moving] @ centres[below].T).argmax(axis=1)]
    return pa.array(ids, pa.string()).take(pa.array(home))


def _above(parents: Ints, topic: int) -> list[int]:
    found = []
    while (topic := int(parents[topic])) >= 0:
        found.append(topic)
    return found


def _tree_rows(topic_tree: pa.Table, found: Membership, homes: pa.Array, plan: MergePlan) -> list[Row]:
    """Return the rows of the topics that stay, in preorder, with ids, places and sizes as they are now."""
    own = dict(zip(*(values.to_pylist() for values in pc.value_counts(homes).flatten()), strict=True))
    sizes = dict.fromkeys(plan.parents, 0)
    for topic_id, count in own.items():
        above: str | None = topic_id
        while above is not None:
            sizes[above] += count
            above = plan.parents[above]
    children: dict[str | None, list[str]] = {}
    for topic_id in sorted(plan.parents, key=lambda key: -sizes[key]):
        children.setdefault(plan.parents[topic_id], []).append(topic_id)
    rows = {row["topic_id"]: row for row in topic_tree.to_pylist()}
    before: dict[str | None, set[str]] = {}
    for row in rows.values():
        before.setdefault(row["parent_id"], set()).add(row["topic_id"])
    placed: list[Row] = []

    def visit(topic_id: str, path: list[str]) -> None:
        parts = [merged for merged, home in plan.into.items() if home == topic_id]
        below = children.get(topic_id, [])
        row = rows[topic_id] | {
            "parent_id": plan.parents[topic_id],
            "depth": len(path),
            "path": [*path, topic_id],
            "size": sizes[topic_id],
        }
        if parts:
            row["own_noise"] += sum(rows[part]["own_noise"] for part in parts)
            row["note"] = f"{row['note']}; merged with it by people: {', '.join(parts)}"
        if set(below) != before.get(topic_id, set()):
            row |= {"silhouette": None, "method": _method([rows[key] for key in (topic_id, *parts)], bool(below))}
        placed.append(row)
        for child in below:
            visit(child, row["path"])

    visit(found.topic_ids[0], [])
    return placed


def _method(merged: Sequence[Row], has_children: bool) -> str:
    """Return how the children of a topic were found: as those of the first of its parts that had any."""
    methods = (str(row["method"]) for row in merged if row["method"] != "leaf")
    return next(methods) if has_children else "leaf"


def _with_paths(item_topics: pa.Table, homes: pa.Array, rows: Mapping[str, Row]) -> pa.Table:
    """Return the items with the topics they are in now."""
    place = pc.index_in(homes, value_set=pa.array(list(rows), pa.string()))

    def of_topic(name: str) -> pa.Array:
        field = item_topics.schema.field(name)
        return pa.array([row[name] for row in rows.values()], field.type).take(place)

    columns = {"topic_id": homes, "depth": of_topic("depth"), "path": of_topic("path")}
    for name, values in columns.items():
        item_topics = item_topics.set_column(item_topics.column_names.index(name), name, values)
    return item_topics


def _changed(found: Membership, now: Membership) -> Ints:
    """Return the places of the topics that do not hold the very items that they held."""
    overlap = overlap_of(found, now)
    places = [found.place[topic_id] for topic_id in now.topic_ids]
    shared = np.array([overlap.shared(before, after) for after, before in enumerate(places)])
    return np.flatnonzero((shared != found.sizes[places]) | (shared != now.sizes))


def _fill_changed(
    rows: list[Row], now: Membership, vectors: NDArray[np.float32], is_noise: NDArray[np.bool_], changed: Ints
) -> Reals:
    """Fill in anew what follows from the items of the topics that changed; return the centroids of all."""
    nullable = {column.name for column in TABLES["topic_tree"].columns if column.nullable}
    known = {"parent_id", "silhouette"}
    most = max(len(row["exemplar_ids"]) for row in rows)
    for topic in changed.tolist():
        row, inside = rows[topic], now.items[now.topics == topic]
        centre = _centre(vectors[inside])
        similarity = vectors[inside] @ centre
        ids = now.item_ids.take(pa.array(inside)).to_pylist()
        ranked = np.lexsort((inside, -similarity))
        exemplars = _distinct(vectors[inside], ranked, most)
        members = set(ids)
        row |= {name: None for name in nullable - known if name in row}
        row |= {
            name: [value for value in values if value in members]
            for name, values in row.items()
            if name.endswith("_ids") and isinstance(values, list)
        }
        row |= {
            "noise_size": int(is_noise[inside].sum()),
            "cohesion": min(float(similarity.mean()), 1.0),
            "threshold": threshold(np.unique(vectors[inside], axis=0)),
            "centroid": centre.astype(np.float32).tolist(),
            "exemplar_ids": [ids[place] for place in exemplars],
        }
    return np.array([row["centroid"] for row in rows], dtype=np.float64)


def _similarities(
    items: pa.Table, ids: list[str], vectors: NDArray[np.float32], centroids: Reals, changed: Ints
) -> pa.Array:
    """Return the similarity of each item to its topic: anew where the topic changed."""
    topics = _codes(items["topic_id"], ids)
    anew = np.isin(topics, changed)
    similarity = np.array(items["similarity"].to_numpy())
    similarity[anew] = np.einsum("ij,ij->i", vectors[anew].astype(np.float64), centroids[topics[anew]])
    return pa.array(similarity, items.schema.field("similarity").type)


def _centre(vectors: NDArray[np.float32]) -> Reals:
    """Return the mean of some vectors, scaled to length one; zeros where they cancel out."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    return np.asarray(mean / length if length > 0 else mean)


def _distinct(vectors: NDArray[np.float32], ranked: Ints, count: int) -> list[int]:
    """Return the first rows, as ranked, of which no two are equal."""
    chosen: list[int] = []
    seen: set[bytes] = set()
    for row in ranked.tolist():
        key = vectors[row].tobytes()
        if key not in seen:
            seen.add(key)
            chosen.append(row)
        if len(chosen) == count:
            break
    return chosen


def _codes(column: pa.ChunkedArray, ids: Sequence[str]) -> Ints:
    codes = pc.index_in(column.combine_chunks(), value_set=pa.array(ids, pa.string()))
    return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int64)
