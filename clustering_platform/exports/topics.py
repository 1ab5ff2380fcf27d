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
from clustering_platform.semantics.document_topics import main_topics
from clustering_platform.semantics.pieces import cut_batch, is_cut
from clustering_platform.store.commits import Commits
from clustering_platform.tables import TABLES

NEEDED_TABLES = ("items", "topic_tree", "topic_names", "item_topics", "projection")
PIECES = "chunks"
_ROWS = 2_000
_TREE = ("topic_id", "parent_id", "depth", "path", "size")
_NAMES = ("name", "summary", "category", "strength", "status")
_TOPICS = pa.schema(
    [("item_id", pa.string()), ("topic_id", pa.string()), ("similarity", pa.float32()), ("is_noise", pa.bool_())]
)


@dataclass(frozen=True)
class TopicTree:
    """All topics of a dataset, those above before those below; what is known of each, by place.

    Attributes
    ----------
    table
        `topic_id`, `parent_id`, `depth`, `path`, `size` as in `topic_tree`; `name`, `summary`, `category`, `strength`,
        `status` as in `topic_names`.
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
        The files of its tables, by name. Without `chunks` every item is one piece.
    has_plain_ids
        Whether ids of people may be given out.
    """

    commit: int
    files: dict[str, Path]
    has_plain_ids: bool

    @cached_property
    def tree(self) -> TopicTree:
        """The topics with their names."""
        tree = self._read("topic_tree", *_TREE)
        named = self._read("topic_names", "topic_id", *_NAMES)
        rows = named.take(pc.index_in(tree["topic_id"], named["topic_id"]))
        above = rows["name"].take(pc.index_in(tree["parent_id"], tree["topic_id"], skip_nulls=True))
        missing = {"name": tree["topic_id"], "summary": "", "category": above, "status": "active"}
        for name in _NAMES:
            column = pc.coalesce(rows[name], missing[name]) if name in missing else rows[name]
            tree = tree.append_column(name, column)
        return TopicTree(tree.combine_chunks())

    @cached_property
    def places(self) -> pa.Table:
        """The pieces that have a topic: `item_id`, `topic` (place in the tree), `similarity`, `is_noise`."""
        return self._placed(self._topics)

    @cached_property
    def main_places(self) -> pa.Table:
        """The items that have a topic, with their main one; columns as in `places`."""
        main = main_topics(self._chunks, self._topics)
        return self.places if main is self._topics else self._placed(main)

    @cached_property
    def map(self) -> pa.Table:
        """The pieces that are on the map: `item_id`, `x`, `y`."""
        return read_whole(self.files["projection"], TABLES["projection"].schema())

    @cached_property
    def placed(self) -> pa.Table:
        """For all items in order `topic`, `similarity`, `is_noise` as in `main_places`, null where there is none."""
        return _beside(self._ids, self.main_places)

    @cached_property
    def placed_pieces(self) -> pa.Table:
        """For all pieces in the order of items the columns of `places` and `map`, null where there is none."""
        placed, spots = (_beside(self._pieces[0]["item_id"], table) for table in (self.places, self.map))
        return pa.table([*placed.columns, *spots.columns], names=[*placed.column_names, *spots.column_names])

    def items(self, *columns: str) -> Iterator[pa.RecordBatch]:
        """Yield columns of all items, `item_id` first, and those of `placed`, some rows at a time."""
        start = 0
        for batch in self._items(*columns):
            yield _joined(batch, self.placed.slice(start, batch.num_rows))
            start += batch.num_rows

    def pieces(self, *columns: str) -> Iterator[pa.RecordBatch]:
        """Yield columns of all pieces, `item_id` and `document_id` first, and those of `placed_pieces`.

        They come some rows at a time. A piece has the columns of its item, but an id and a text of its own; an item
        that is not cut is one piece.
        """
        pieces, owners = self._pieces
        start = 0
        for batch in self._items(*columns):
            whole = batch.add_column(1, "document_id", batch["item_id"])
            first, last = np.searchsorted(owners, [start, start + batch.num_rows]).tolist()
            if "document_id" in pieces.column_names:
                whole = cut_batch(whole, pieces.slice(first, last - first), owners[first:last] - start)
            yield _joined(whole, self.placed_pieces.slice(first, last - first))
            start += batch.num_rows

    def _items(self, *columns: str) -> Iterator[pa.RecordBatch]:
        contract = TABLES["items"].schema()
        wanted = pa.schema([contract.field(name) for name in dict.fromkeys(("item_id", *columns))])
        return read_batches(self.files["items"], wanted, rows=_ROWS)

    @cached_property
    def _ids(self) -> pa.ChunkedArray:
        return read_whole(self.files["items"], pa.schema([("item_id", pa.string())]))["item_id"]

    @cached_property
    def _pieces(self) -> tuple[pa.Table, NDArray[np.int64]]:
        """The pieces, where items are cut as in `chunks`, in the order of items; and the row of the item of each."""
        if not is_cut(self._chunks):
            return pa.table({"item_id": self._ids}), np.arange(len(self._ids))
        rows = pc.index_in(self._chunks["document_id"], self._ids).to_numpy().astype(np.int64)
        order = np.argsort(rows, kind="stable")
        return self._chunks.take(pa.array(order)), rows[order]

    @cached_property
    def _topics(self) -> pa.Table:
        return read_whole(self.files["item_topics"], _TOPICS)

    @cached_property
    def _chunks(self) -> pa.Table:
        contract = TABLES[PIECES]
        return read_whole(self.files[PIECES], contract.schema()) if PIECES in self.files else contract.empty()

    def _read(self, table: str, *columns: str) -> pa.Table:
        contract = TABLES[table].schema()
        return read_whole(self.files[table], pa.schema([contract.field(name) for name in columns]))

    def _placed(self, topics: pa.Table) -> pa.Table:
        places = pc.index_in(topics["topic_id"], self.tree.ids)
        return topics.set_column(1, "topic", places).filter(places.is_valid())


def _beside(ids: pa.ChunkedArray, table: pa.Table) -> pa.Table:
    """Return the columns of a table by `item_id`, but for this one, in the order of some ids, null if it lacks one."""
    return table.drop_columns(["item_id"]).take(pc.index_in(ids, table["item_id"])).combine_chunks()


def _joined(batch: pa.RecordBatch, placed: pa.Table) -> pa.RecordBatch:
    columns = [*batch.columns, *(one.combine_chunks() for one in placed.columns)]
    return pa.RecordBatch.from_arrays(columns, [*batch.schema.names, *placed.column_names])


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
    names = [*NEEDED_TABLES, *sorted({PIECES} & set(commit.tables))]
    return PublishedTopics(
        commit=commit.sequence,
        files={name: commits.files.root / commits.committed_file(commit, name).path for name in names},
        has_plain_ids=dataset.config.privacy.voter_ids == "plain",
    )
