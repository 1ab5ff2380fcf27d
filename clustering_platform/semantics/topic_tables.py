"""The tables of the tree as it was found, written from the tree that a strategy grew.

How topics are found belongs in ``strategies``, what is measured of them in ``topic_measures``.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.semantics import exemplars, topic_measures
from clustering_platform.semantics.item_embeddings import list_column, vector_matrix
from clustering_platform.semantics.placing import fit_state
from clustering_platform.semantics.reduction import Floats, Labels, distinct_rows
from clustering_platform.semantics.silhouettes import silhouettes, unit_rows
from clustering_platform.semantics.strategies import grow_tree
from clustering_platform.semantics.strategies.auto import neighbour_similarity
from clustering_platform.semantics.tree import FEWEST_ITEMS, Space, Topic, Tree
from clustering_platform.tables import TABLES, conform
from clustering_platform.topics_config import TopicsConfig

FOUND_TABLES = ("found_topics", "found_item_topics", "topic_levels", "topic_merges", "topic_scales", "topic_fit")


def build_topic_tree(
    embeddings: pa.Table, *, config: TopicsConfig, settings: str = "", weights: NDArray[np.float64] | None = None
) -> dict[str, pa.Table]:
    """Return the tables of the tree, by name, for the `embeddings` table.

    Topics are numbered from the root, f0, in preorder; siblings come by size, largest first, then by their first
    item. Sizes count items; the search for topics counts equal texts once. The same input gives the same bytes.

    Parameters
    ----------
    settings
        Hash of the settings and the model, kept to see later whether the tree is still that of the settings.
    weights
        What each item counts, where the settings weigh items by time: float64[items].
    """
    if embeddings.num_rows == 0:
        return {name: TABLES[name].empty() for name in FOUND_TABLES}
    vectors = vector_matrix(embeddings["vector"])
    points, point_of = distinct_rows(vectors)
    summed = None if weights is None else np.bincount(point_of, weights).astype(np.float64)
    space = Space(points, config.seed, summed)
    forest = _Placing(space, grow_tree(space, config), vectors, point_of, embeddings["content_hash"])
    item_ids = np.array(embeddings["item_id"].to_pylist(), dtype=object)
    items = conform(forest.items(item_ids), TABLES["found_item_topics"])
    fit = fit_state(items, settings=settings, made_with=items.num_rows, config=config)
    tables = (forest.topics(item_ids), items, forest.levels(), forest.merges(), forest.scales(), fit)
    return {name: conform(table, TABLES[name]) for name, table in zip(FOUND_TABLES, tables, strict=True)}


@dataclass(frozen=True)
class _Placed:
    """A topic with its place in the tree; `items` are rows of the embeddings, those of subtopics included."""

    topic: Topic
    path: tuple[str, ...]
    items: NDArray[np.int64]


@dataclass(frozen=True)
class _Placing:
    """A tree over points, and the items that stand for them."""

    space: Space
    tree: Tree
    vectors: Floats
    point_of: NDArray[np.int64]
    content: pa.ChunkedArray

    @cached_property
    def placed(self) -> list[_Placed]:
        """The topics in preorder, the root first."""
        placed: list[_Placed] = []
        order = np.argsort(self.point_of, kind="stable")
        starts = np.searchsorted(self.point_of[order], np.arange(len(self.space) + 1))

        def items_of(topic: Topic) -> NDArray[np.int64]:
            return np.sort(np.concatenate([order[starts[point] : starts[point + 1]] for point in topic.points]))

        def visit(topic: Topic, above: tuple[str, ...], items: NDArray[np.int64]) -> None:
            path = (*above, f"f{len(placed)}")
            placed.append(_Placed(topic, path, items))
            children = [(child, items_of(child)) for child in topic.children]
            for child, inside in sorted(children, key=lambda pair: (-len(pair[1]), pair[1][0])):
                visit(child, path, inside)

        visit(self.tree.root, (), np.arange(len(self.point_of)))
        return placed

    @cached_property
    def leaf_rows(self) -> list[int]:
        """Rows of `placed` that are leaves."""
        return [row for row, one in enumerate(self.placed) if not one.topic.children]

    @cached_property
    def leaf_of(self) -> Labels:
        """Number among the leaves of the leaf of each point: int64[n]."""
        leaf_of = np.empty(len(self.space), np.int64)
        for number, row in enumerate(self.leaf_rows):
            leaf_of[self.placed[row].topic.points] = number
        return leaf_of

    @cached_property
    def is_in(self) -> NDArray[np.bool_]:
        """Which leaves each topic consists of: bool[topics, leaves]."""
        ends = [self.placed[row].path for row in self.leaf_rows]
        return np.array([[one.path[-1] in path for path in ends] for one in self.placed])

    @cached_property
    def centroids(self) -> NDArray[np.float64]:
        """Mean vector of the items of each topic, of length one: float64[topics, d]."""
        return unit_rows(np.stack([self.vectors[one.items].mean(axis=0, dtype=np.float64) for one in self.placed]))

    @cached_property
    def is_noise(self) -> NDArray[np.bool_]:
        """Which points some division left out: bool[n]."""
        is_noise = np.zeros(len(self.space), np.bool_)
        for one in self.placed:
            is_noise[one.topic.left_out] = True
        return is_noise

    @cached_property
    def has_structure(self) -> bool:
        """Whether there are points enough to speak of partitions."""
        return len(self.space) >= FEWEST_ITEMS

    def topics(self, item_ids: NDArray[np.object_]) -> pa.Table:
        """Return the table `found_topics`."""
        noise = self.is_noise[self.point_of]
        counts = np.bincount(self.point_of, minlength=len(self.space))
        columns: dict[str, list[object]] = {name: [] for name in ("cohesion", "threshold", "central", "diverse")}
        first_item = np.full(len(self.space), -1)
        first_item[self.point_of[::-1]] = np.arange(len(self.point_of))[::-1]
        for one, centroid in zip(self.placed, self.centroids, strict=True):
            points = self.space.points[one.topic.points]
            similarity = points @ centroid
            stands_for = item_ids[first_item[one.topic.points]]
            columns["cohesion"].append(min(float(np.average(similarity, weights=counts[one.topic.points])), 1.0))
            columns["threshold"].append(topic_measures.threshold(points))
            columns["central"].append(stands_for[exemplars.central(similarity)].tolist())
            columns["diverse"].append(stands_for[exemplars.diverse(points, similarity)].tolist())
        return pa.table(
            {
                "topic_id": [one.path[-1] for one in self.placed],
                "parent_id": pa.array([one.path[-2] if len(one.path) > 1 else None for one in self.placed]),
                "depth": [len(one.path) - 1 for one in self.placed],
                "path": [list(one.path) for one in self.placed],
                "size": [len(one.items) for one in self.placed],
                "noise_size": [int(noise[one.items].sum()) for one in self.placed],
                "own_noise": [int(counts[one.topic.left_out].sum()) for one in self.placed],
                "method": [one.topic.method for one in self.placed],
                "note": [one.topic.note for one in self.placed],
                "silhouette": pa.array(self._silhouettes(), pa.float64()),
                "cohesion": columns["cohesion"],
                "stability": pa.array(self._stability(), pa.float64()),
                "threshold": columns["threshold"],
                "exemplar_ids": columns["central"],
                "diverse_ids": columns["diverse"],
                "centroid": list_column(self.centroids.astype(np.float32)),
            }
        )

    def items(self, item_ids: NDArray[np.object_]) -> pa.Table:
        """Return the table `found_item_topics`."""
        rows = np.array(self.leaf_rows)[self.leaf_of]
        own = self.centroids[rows]
        similarity = np.einsum("ij,ij->i", self.space.points, own)
        sure = topic_measures.confidence(self.space.points, self.centroids[self.leaf_rows], self.leaf_of)
        of_item = self.point_of
        paths = pa.array([list(one.path) for one in self.placed])
        membership = self.tree.membership
        has_membership = membership is not None and bool(self.tree.root.children)
        return pa.table(
            {
                "item_id": pa.array(item_ids.tolist(), pa.string()),
                "content_hash": self.content,
                "topic_id": pa.array([one.path[-1] for one in self.placed]).take(pa.array(rows[of_item])),
                "depth": np.array([len(one.path) - 1 for one in self.placed])[rows][of_item],
                "path": paths.take(pa.array(rows[of_item])),
                "is_noise": self.is_noise[of_item],
                "similarity": similarity[of_item],
                "confidence": sure[of_item],
                "membership": membership[of_item]
                if has_membership and membership is not None
                else pa.nulls(len(of_item), pa.float64()),
                "neighbour_similarity": self._neighbour_similarity()[of_item],
                "origin": pa.repeat("fitted", len(of_item)),
            }
        )

    def levels(self) -> pa.Table:
        """Return the table `topic_levels`."""
        deepest = max(len(one.path) for one in self.placed) - 1
        stable = self._stability()
        rows = []
        for depth in range(deepest + 1):
            at = [row for row, one in enumerate(self.placed) if _is_cut(one, depth)]
            label_of_leaf = self.is_in[at].argmax(axis=0)
            found = topic_measures.quality(self.space.points, label_of_leaf[self.leaf_of])
            known = [value for value in (stable[row] for row in at) if value is not None]
            rows.append(
                {
                    "depth": depth,
                    "topics": len(at),
                    "largest": max(len(self.placed[row].items) for row in at),
                    "smallest": min(len(self.placed[row].items) for row in at),
                    "noise_share": float(self.is_noise[self.point_of].mean()),
                    "stability": float(np.mean(known)) if known else None,
                    **found,
                }
            )
        return pa.Table.from_pylist(rows, schema=TABLES["topic_levels"].schema())

    def merges(self) -> pa.Table:
        """Return the table `topic_merges`."""
        contract = TABLES["topic_merges"]
        if self.tree.merges is None or not len(self.tree.merges):
            return contract.empty()
        id_of = {one.topic: one.path[-1] for one in self.placed}
        names = [id_of[leaf] for leaf in self.tree.leaves]
        names += [f"m{step + 1}" for step in range(len(self.tree.merges))]
        sizes = [len(leaf.points) for leaf in self.tree.leaves]
        rows = []
        for step, (first, second, height, _) in enumerate(self.tree.merges):
            sizes.append(sizes[int(first)] + sizes[int(second)])
            rows.append(
                {
                    "merge_id": f"m{step + 1}",
                    "first_id": names[int(first)],
                    "second_id": names[int(second)],
                    "height": float(height),
                    "size": sizes[-1],
                }
            )
        return pa.Table.from_pylist(rows, schema=contract.schema())

    def scales(self) -> pa.Table:
        """Return the table `topic_scales`."""
        rows = [{"trial": number + 1, **row} for number, row in enumerate(self.tree.scales)]
        return pa.Table.from_pylist(rows, schema=TABLES["topic_scales"].schema())

    def _silhouettes(self) -> list[float | None]:
        """Return the mean silhouette of each topic among its siblings; None for the root."""
        found: dict[Topic, float | None] = {self.tree.root: None}
        for one in self.placed:
            children = one.topic.children
            if not children:
                continue
            points = np.concatenate([child.points for child in children])
            labels = np.repeat(np.arange(len(children)), [len(child.points) for child in children])
            widths = silhouettes(self.space.points[points], labels)
            means = np.bincount(labels, widths) / np.bincount(labels)
            found |= {child: float(mean) for child, mean in zip(children, means, strict=True)}
        return [found[one.topic] for one in self.placed]

    def _stability(self) -> list[float | None]:
        if not self.has_structure:
            return [None] * len(self.placed)
        partitions = self.space.partitions if self.tree.partitions is None else self.tree.partitions
        measured = topic_measures.stability(self.is_in, self.leaf_of, partitions)
        return [float(value) for value in measured]

    def _neighbour_similarity(self) -> NDArray[np.float64]:
        return neighbour_similarity(self.space.neighbours) if len(self.space) > 1 else np.ones(len(self.space))


def _is_cut(one: _Placed, depth: int) -> bool:
    """Say whether a topic belongs to the partition at a depth: it lies there, or ends above."""
    place = len(one.path) - 1
    return place == depth or (place < depth and not one.topic.children)
