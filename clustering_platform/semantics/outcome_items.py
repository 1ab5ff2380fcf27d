"""Items with an outcome and their topics, as arrays: what all tables of outcomes are counted from."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.semantics.contingency import Counts, Floats

MOST_LABELS = 20
OTHER = "(other)"
"""Stands for all labels beyond the most frequent ones."""

Numbers = NDArray[np.int64]


class Paths(NamedTuple):
    """The topics of items from the root down, one item after the other.

    `topics` int64[items in topics] are rows of `topic_tree`; those of item i are from ``starts[i]`` up to
    ``starts[i + 1]`` (int64[items + 1]).
    """

    topics: Numbers
    starts: Numbers

    @property
    def items(self) -> Numbers:
        """The item of each entry of `topics`: int64[items in topics]."""
        return np.repeat(np.arange(self.starts.size - 1), np.diff(self.starts))

    def at(self, depth: int) -> Numbers:
        """Return the topic of each item where the tree is cut at a depth, its own if that is higher: int64[items]."""
        return self.topics[np.minimum(self.starts[:-1] + depth, self.starts[1:] - 1)]


class Observed(NamedTuple):
    """Items that have an outcome and a topic.

    `paths` are their topics, `similarity` float64[items] to the deepest of them, `labels` int64[items] positions in
    `names`, `errors` bool[items] or None where labels are categories. `deepest` is the depth of the tree.
    """

    paths: Paths
    similarity: Floats
    labels: Numbers
    names: list[str]
    errors: NDArray[np.bool_] | None
    deepest: int

    @property
    def tells_labels(self) -> bool:
        """Whether labels say more than whether an item is an error."""
        return self.errors is None or len(self.names) > 2


def read_paths(topic_tree: pa.Table, item_topics: pa.Table) -> Paths:
    """Return the paths of the items of `item_topics`."""
    paths = item_topics["path"].combine_chunks()
    ids = topic_tree["topic_id"].combine_chunks()
    topics = pc.index_in(paths.flatten(), value_set=ids).to_numpy(zero_copy_only=False).astype(np.int64)
    lengths = pc.list_value_length(paths).to_numpy(zero_copy_only=False)
    return Paths(topics, np.append(0, np.cumsum(lengths, dtype=np.int64)))


def read_observed(topic_tree: pa.Table, item_topics: pa.Table, outcomes: pa.Table) -> Observed:
    """Return the items that have both an outcome and a topic, in the order of `item_topics`."""
    places = pc.index_in(item_topics["item_id"], value_set=outcomes["item_id"].combine_chunks())
    has_outcome = pc.is_valid(places)
    topics, rows = item_topics.filter(has_outcome), outcomes.take(places.filter(has_outcome).combine_chunks())
    labels, names = _labels(rows["label"])
    is_known = rows["is_error"].null_count == 0
    return Observed(
        paths=read_paths(topic_tree, topics),
        similarity=topics["similarity"].to_numpy().astype(np.float64),
        labels=labels,
        names=names,
        errors=rows["is_error"].to_numpy().astype(np.bool_) if is_known else None,
        deepest=int(pc.max(topic_tree["depth"]).as_py() or 0),
    )


def _labels(column: pa.ChunkedArray) -> tuple[Numbers, list[str]]:
    """Return the labels as positions among the names, most frequent first, the rarest of many put together."""
    encoded = column.combine_chunks().dictionary_encode()
    given, codes = encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)
    counts = np.bincount(codes, minlength=len(given))
    order = sorted(range(len(given)), key=lambda code: (given[code] == OTHER, -counts[code], given[code]))
    kept = order if len(order) <= MOST_LABELS else order[: MOST_LABELS - 1]
    names = [given[code] for code in kept] + ([OTHER] if len(kept) < len(order) else [])
    positions = np.full(len(given), len(names) - 1, np.int64)
    positions[kept] = np.arange(len(kept))
    return positions[codes], names


def cross_table(rows: Numbers, columns: Numbers, shape: tuple[int, int]) -> Counts:
    """Return how often each row comes with each column: int64[shape]."""
    counts: Counts = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)
    return counts
