"""The topics of a dataset as published last, and its items with the place that each has among them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.datasets import Dataset
from clustering_platform.exports.errors import ExportError
from clustering_platform.exports.tables import read_batches, read_whole
from clustering_platform.store.commits import Commits
from clustering_platform.tables import TABLES

NEEDED_TABLES = ("items", "topic_tree", "topic_names", "item_topics", "projection")
VECTORS = "embeddings"
_ROWS = 2_000
_TREE = ("topic_id", "parent_id", "depth", "path", "size", "cohesion")
_PLACES = pa.schema([("topic", pa.int32()), ("similarity", pa.float32()), ("is_noise", pa.bool_())])


@dataclass(frozen=True)
class TopicTree:
    """All topics of a dataset, those above before those below; what is known of each, by place.

    Attributes
    ----------
    table
        `topic_id`, `parent_id`, `depth`, `path`, `size`, `cohesion` as in `topic_tree`; `name`, `summary`, `status` as
        in `topic_names`.
    """

    table: pa.Table

    @cached_property
    def ids(self) -> pa.Array:
        """Ids of the topics."""
        return self.table["topic_id"].combine_chunks()

    @property
    def depths(self) -> int:
        """Number of depths, that of the root among them."""
        return 0 if self.table.num_rows == 0 else int(pc.max(self.table["depth"]).as_py()) + 1

    @cached_property
    def lines(self) -> NDArray[np.int64]:
        """The topics from the root to each topic, by depth, -1 below it: int64[topics, depths]."""
        found = np.full((self.table.num_rows, self.depths), -1, np.int64)
        for place, path in enumerate(self.table["path"]):
            line = pc.index_in(path.values, self.ids)
            found[place, : len(line)] = np.asarray(pc.fill_null(line, -1))
        return found

    @cached_property
    def leaves(self) -> NDArray[np.int64]:
        """Places of the topics without subtopics."""
        return np.flatnonzero(~np.asarray(pc.is_in(self.ids, self.table["parent_id"].combine_chunks())))

    @cached_property
    def path_names(self) -> pa.Array:
        """The names from the root to each topic: ListArray."""
        names = self.table["name"].to_pylist()
        rows = [[names[place] for place in line if place >= 0] for line in self.lines]
        return pa.array(rows, pa.list_(pa.string()))

    def at_depth(self, depth: int, column: str, topics: pa.Array) -> pa.Array:
        """Return a column of the topic above each of some topics (Int32Array of places) at a depth, null if none."""
        places = np.append(self.lines[:, depth], -1)[np.asarray(pc.fill_null(topics, -1))]
        return self.table[column].combine_chunks().take(pa.array(places, mask=places < 0))


@dataclass(frozen=True)
class PublishedTopics:
    """One commit of a dataset.

    Attributes
    ----------
    commit
        Its number.
    files
        The files of its tables, by name.
    has_plain_ids
        Whether ids of people may be given out.
    """

    commit: int
    files: dict[str, Path]
    has_plain_ids: bool

    @cached_property
    def tree(self) -> TopicTree:
        """The topics with their names."""
        contract = TABLES["topic_tree"].schema()
        tree = read_whole(self.files["topic_tree"], pa.schema([contract.field(name) for name in _TREE]))
        names = [(name, pa.string()) for name in ("topic_id", "name", "summary", "status")]
        named = read_whole(self.files["topic_names"], pa.schema(names))
        rows = named.take(pc.index_in(tree["topic_id"], named["topic_id"]))
        for name, missing in (("name", tree["topic_id"]), ("summary", ""), ("status", "active")):
            tree = tree.append_column(name, pc.coalesce(rows[name], missing))
        return TopicTree(tree.combine_chunks())

    @cached_property
    def places(self) -> pa.Table:
        """The items that have a topic: `item_id`, `topic` (place in the tree), `similarity`, `is_noise`."""
        read = [("item_id", pa.string()), ("topic_id", pa.string()), *list(_PLACES)[1:]]
        table = read_whole(self.files["item_topics"], pa.schema(read))
        topics = pc.index_in(table["topic_id"], self.tree.ids)
        return table.set_column(1, "topic", topics).filter(topics.is_valid())

    @cached_property
    def map(self) -> pa.Table:
        """The items that are on the map: `item_id`, `x`, `y`."""
        return read_whole(self.files["projection"], TABLES["projection"].schema())

    @cached_property
    def placed(self) -> pa.Table:
        """For all items in order `topic`, `similarity`, `is_noise`, `x`, `y`, null where there is none."""
        ids = read_whole(self.files["items"], pa.schema([("item_id", pa.string())]))["item_id"]
        columns: dict[str, pa.ChunkedArray] = {}
        for table in (self.places, self.map):
            found = table.drop_columns(["item_id"]).take(pc.index_in(ids, table["item_id"]))
            columns |= dict(zip(found.column_names, found.columns, strict=True))
        return pa.table(columns).combine_chunks()

    def items(self, *columns: str) -> Iterator[pa.RecordBatch]:
        """Yield columns of all items, `item_id` first, and those of `placed`, some rows at a time."""
        contract = TABLES["items"].schema()
        wanted = pa.schema([contract.field(name) for name in dict.fromkeys(("item_id", *columns))])
        start = 0
        for batch in read_batches(self.files["items"], wanted, rows=_ROWS):
            placed = self.placed.slice(start, batch.num_rows).combine_chunks()
            names = [*batch.schema.names, *placed.column_names]
            yield pa.RecordBatch.from_arrays([*batch.columns, *(one.chunk(0) for one in placed.columns)], names)
            start += batch.num_rows


def read_topics(commits: Commits, dataset: Dataset) -> PublishedTopics:
    """Find the newest topics of a dataset.

    Raises
    ------
    ExportError
        Nothing is published yet.
    StoreError
        A file of the commit is gone.
    """
    commit = commits.newest(dataset.name, None)
    if commit is None:
        raise ExportError(f"nothing is published of {dataset.name!r} yet; run: clustering run {dataset.name}")
    names = [*NEEDED_TABLES, *({VECTORS} & set(commit.tables))]
    return PublishedTopics(
        commit=commit.sequence,
        files={name: commits.files.root / commits.committed_file(commit, name).path for name in names},
        has_plain_ids=dataset.config.privacy.voter_ids == "plain",
    )
