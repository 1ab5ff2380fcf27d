"""The topics of a dataset as files for programs that draw, search and annotate.

======================  ==============================================================================
file                    what it holds
======================  ==============================================================================
``items.json``          the items with a topic, with their place on the map
``clusters.json``       the topics
``items.parquet``       the items on the map, with text and names, for Embedding Atlas and the like
``items.csv``           all items with their own columns and those of their main topic
======================  ==============================================================================

An item that is cut stands in ``items.json`` and ``items.parquet`` once for each of its pieces.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clustering_platform.exports import csv_text
from clustering_platform.exports.cutting import cut_texts
from clustering_platform.exports.json_text import finite_json, json_rows
from clustering_platform.exports.metadata_columns import REST, column_names, frequent_keys, split_objects
from clustering_platform.exports.polis import WrittenFile
from clustering_platform.exports.topics import PublishedTopics, TopicTree

LONGEST_TEXT = 500
_ROW_GROUP = 2**23  # bytes, or as many rows as below
_GROUP_ROWS = 50_000


def write_topics(published: PublishedTopics, folder: Path, *, raw: bool = False) -> list[WrittenFile]:
    """Write all files into a folder that is there and empty; return them by name.

    Parameters
    ----------
    raw
        In CSV, leave text alone that a spreadsheet would take for a formula.
    """
    for name, write in _WRITERS.items():
        with (folder / name).open("xb") as file:
            write(published, file, raw)
    return [WrittenFile(path.name, path.stat().st_size) for path in sorted(folder.iterdir())]


def write_items_json(published: PublishedTopics, sink: BinaryIO, raw: bool = False) -> None:
    """Write the items that have a topic as a JSON array, an element for each piece of those that are cut."""
    tree = published.tree
    before = b"[\n"
    for batch in published.pieces("text", "created_at", "metadata", "file"):
        chosen = batch.filter(batch["topic"].is_valid())
        if not chosen.num_rows:
            continue
        rows = pa.RecordBatch.from_pydict(
            {
                "id": chosen["item_id"],
                "document_id": chosen["document_id"],
                "text": cut_texts(chosen["text"], LONGEST_TEXT),
                "metadata": _with_files(finite_json(pc.fill_null(chosen["metadata"], "{}")), chosen["file"]),
                "time": chosen["created_at"],
                "x": chosen["x"],
                "y": chosen["y"],
                "path": tree.table["path"].combine_chunks().take(chosen["topic"]),
                "path_names": tree.path_names.take(chosen["topic"]),
            }
        )
        sink.write(before + ",\n".join(json_rows(rows, verbatim={"metadata"}).to_pylist()).encode())
        before = b",\n"
    sink.write(b"\n]\n" if before == b",\n" else b"[]\n")


def write_clusters_json(published: PublishedTopics, sink: BinaryIO, raw: bool = False) -> None:
    """Write the topics as a JSON array, those above before those below."""
    tree = published.tree.table
    columns = {
        "id": tree["topic_id"],
        "level": tree["depth"],
        "name": tree["name"],
        "parent": tree["parent_id"],
        "size": tree["size"],
        "description": tree["summary"],
        "category": tree["category"],
        "strength": tree["strength"],
        "status": tree["status"],
    }
    rows = [text for batch in pa.table(columns).to_batches() for text in json_rows(batch).to_pylist()]
    sink.write(("[\n" + ",\n".join(rows) + "\n]\n" if rows else "[]\n").encode())


def write_items_parquet(published: PublishedTopics, sink: BinaryIO, raw: bool = False) -> None:
    """Write the pieces on the map as Parquet of plain types, compressed so that every reader can read it."""
    tree = published.tree
    named = _depth_names(tree)
    own = ("item_id", "document_id", "text")
    texts = (*own, "topic_id", "topic", *named)
    numbers = [("x", pa.float32()), ("y", pa.float32()), ("similarity", pa.float32()), ("is_noise", pa.bool_())]
    schema = pa.schema([*numbers[:2], *((name, pa.string()) for name in texts), *numbers[2:]])
    with pq.ParquetWriter(sink, schema, compression="snappy", store_schema=False) as writer:
        for group in _gathered(published.pieces("text")):
            is_placed = pc.and_(pc.is_finite(group["x"]), pc.is_finite(group["y"]))
            chosen = group.filter(is_placed).combine_chunks()
            topics = chosen["topic"].combine_chunks()
            columns = {
                **{name: chosen[name] for name in (*own, "x", "y", "similarity", "is_noise")},
                **{name: tree.table[column].take(topics) for name, column in (("topic_id",) * 2, ("topic", "name"))},
                **{name: tree.at_depth(depth, "name", topics) for depth, name in enumerate(named)},
            }
            if chosen.num_rows:
                writer.write_table(pa.table({name: columns[name] for name in schema.names}, schema=schema))


def write_items_csv(published: PublishedTopics, sink: BinaryIO, raw: bool = False) -> None:
    """Write all items with their own columns, then those of their main topics, empty where there is none."""
    tree = published.tree
    own = ["item_id", "text", "created_at", "moderation", *(["author_id"] if published.has_plain_ids else [])]
    placed = ["topic_id", "similarity", "is_noise"]
    named, numbered = _depth_names(tree), [f"cluster_id_depth_{depth}" for depth in range(tree.depths)]
    keys, are_all = frequent_keys(batch["metadata"] for batch in published.items("metadata"))
    further = column_names(keys, {*own, *placed, *named, *numbered, REST})
    shown = [*own, *further, *([] if are_all else [REST]), *placed, *named, *numbered]
    sink.write(csv_text.header(shown if raw else csv_text.without_formulas(pa.array(shown)).to_pylist()))
    for batch in published.items(*own, "metadata"):
        values, rest = split_objects(batch["metadata"], keys)
        topics = batch["topic"]
        columns = {
            **{name: batch[name] for name in (*own, "similarity", "is_noise")},
            **dict(zip(further, values, strict=True)),
            REST: rest,
            "topic_id": tree.ids.take(topics),
            **{name: tree.at_depth(depth, "name", topics) for depth, name in enumerate(named)},
            **{name: tree.at_depth(depth, "topic_id", topics) for depth, name in enumerate(numbered)},
        }
        csv_text.write_rows(sink, pa.RecordBatch.from_pydict({name: columns[name] for name in shown}), raw=raw)


_WRITERS: dict[str, Callable[[PublishedTopics, BinaryIO, bool], None]] = {
    "items.json": write_items_json,
    "clusters.json": write_clusters_json,
    "items.parquet": write_items_parquet,
    "items.csv": write_items_csv,
}
TOPIC_FILES = frozenset(_WRITERS)


def _with_files(metadata: pa.Array, files: pa.Array) -> pa.Array:
    """Return metadata (JSON objects) with the file of each item that has one, as `file`."""
    if files.null_count == len(files):
        return metadata
    named = zip(metadata.to_pylist(), files.to_pylist(), strict=True)
    rows = [text if file is None else json.dumps(json.loads(text) | {"file": file}) for text, file in named]
    return pa.array(rows, pa.string())


def _depth_names(tree: TopicTree) -> list[str]:
    return [f"cluster_depth_{depth}" for depth in range(tree.depths)]


def _gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield batches put together until they are large enough for a row group."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(one.nbytes for one in held) >= _ROW_GROUP or sum(one.num_rows for one in held) >= _GROUP_ROWS:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)
