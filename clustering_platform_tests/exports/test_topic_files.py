"""Topics as files: what visualisers, Embedding Atlas and spreadsheets find in them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clustering_platform.exports.errors import ExportError
from clustering_platform.exports.topic_files import (
    TOPIC_FILES,
    write_clusters_json,
    write_items_csv,
    write_items_json,
    write_items_parquet,
    write_topics,
)
from clustering_platform.exports.topics import PublishedTopics
from clustering_platform.tables import TABLES
from clustering_platform_tests.exports.conversations import rows_of
from clustering_platform_tests.exports.talks import HOSTILE, TOPICS, item, many, published

Write = Callable[..., None]
EMPTY_CELL = ""


def written(write: Write, topics: PublishedTopics, **options: bool) -> bytes:
    sink: BinaryIO = io.BytesIO()
    write(topics, sink, **options)
    sink.seek(0)
    return sink.read()


def strict_json(content: bytes) -> list[dict[str, Any]]:
    """Read JSON as standards have it: UTF-8, no NaN, no key twice."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    rows: list[dict[str, Any]] = json.loads(
        content.decode("utf-8", errors="strict"), parse_constant=refuse, object_pairs_hook=once
    )
    return rows


def items_json(topics: PublishedTopics) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in strict_json(written(write_items_json, topics))}


def clusters_json(topics: PublishedTopics) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in strict_json(written(write_clusters_json, topics))}


def items_csv(topics: PublishedTopics, *, raw: bool = False) -> dict[str, dict[str, str]]:
    return {row["item_id"]: row for row in rows_of(written(write_items_csv, topics, raw=raw).decode())}


def items_parquet(topics: PublishedTopics, folder: Path, question: str) -> list[tuple[Any, ...]]:
    """Ask DuckDB about the Parquet file."""
    import duckdb

    path = folder / "asked.parquet"
    path.write_bytes(written(write_items_parquet, topics))
    with duckdb.connect() as connection:
        return connection.execute(question.replace("ITEMS", f"'{path}'")).fetchall()


@pytest.fixture
def talk(tmp_path: Path) -> PublishedTopics:
    """Items in three leaves, one in a topic above, one blank, one rejected."""
    homes = {"bus": "t1", "noise": "t1", "oak": "t3", "lawn": "t4", "park": "t2"}
    rows = [item("blank", " "), item("spam", "buy", moderation=-1)]
    rows += [item(one, f"about {one}", metadata='{"page": "7", "where": "=cmd"}') for one in homes]
    return published(tmp_path / "talk", rows, homes=homes)


def test_items_with_a_topic_are_given_out_with_their_place_and_path(talk: PublishedTopics) -> None:
    rows = items_json(talk)
    assert list(rows) == ["bus", "noise", "oak", "lawn", "park"]
    assert rows["oak"] == {
        "id": "oak",
        "document_id": "oak",
        "text": "about oak",
        "metadata": {"page": "7", "where": "=cmd"},
        "time": "2026-03-01T12:00:00.000000Z",
        "x": 2.0,
        "y": -0.5,
        "path": ["t0", "t2", "t3"],
        "path_names": ["All", "Parks", "Oaks"],
    }


def test_clusters_tell_level_parent_size_and_what_they_are_about(talk: PublishedTopics) -> None:
    rows = clusters_json(talk)
    assert list(rows) == list(TOPICS)
    assert rows["t3"] == {
        "id": "t3",
        "level": 2,
        "name": "Oaks",
        "parent": "t2",
        "size": 1,
        "description": "About Oaks.",
        "category": "Parks",
        "strength": 7,
        "status": "active",
    }
    assert (rows["t0"]["parent"], rows["t0"]["category"], rows["t0"]["size"]) == (None, None, 5)


def test_a_topic_has_the_category_that_was_published_and_else_the_name_of_the_one_above(tmp_path: Path) -> None:
    category = {topic: "civic life" if topic in ("t0", "t3") else None for topic in TOPICS}
    made = published(tmp_path, [item("a")], homes={"a": "t1"}, category=category)
    found = {topic: row["category"] for topic, row in clusters_json(made).items()}
    assert found == {"t0": "civic life", "t1": "All", "t2": "All", "t3": "civic life", "t4": "Parks"}


def test_what_people_marked_unusable_is_given_out_as_such(tmp_path: Path) -> None:
    status = {topic: "unusable" if topic == "t3" else "active" for topic in TOPICS}
    made = published(tmp_path, [item("a")], homes={"a": "t3"}, status=status)
    assert [name for name, row in clusters_json(made).items() if row["status"] == "unusable"] == ["t3"]
    assert items_json(made)["a"]["path_names"] == ["All", "Parks", "Oaks"]


@pytest.mark.parametrize("write", [write_items_json, write_items_csv])
def test_every_text_comes_back_as_it_was(tmp_path: Path, write: Write) -> None:
    rows = [item(f"i{place}", text, metadata=json.dumps({"note": text})) for place, text in enumerate(HOSTILE)]
    made = published(tmp_path, rows, homes={row["item_id"]: "t1" for row in rows})
    if write is write_items_json:
        found = [(row["text"], row["metadata"]["note"]) for row in items_json(made).values()]
    else:
        found = [(row["text"], row["note"]) for row in items_csv(made, raw=True).values()]
    assert found == [(text, text) for text in HOSTILE]


def test_no_cell_of_the_csv_is_a_formula(tmp_path: Path) -> None:
    metadata = json.dumps({"=cmd|' /C calc'!A0": "@SUM(1)", "nested": ["=1"], "number": "-5"})
    names = {"t0": (None, "=All"), "t1": ("t0", "+Buses")}
    made = published(tmp_path, [item("a", "=1+1", metadata=metadata)], homes={"a": "t1"}, topics=names)
    text = written(write_items_csv, made).decode()
    header, row = csv.reader(io.StringIO(text, newline=""))
    cells = dict(zip(header, row, strict=True))
    assert cells["'=cmd|' /C calc'!A0"] == "'@SUM(1)"
    assert (cells["text"], cells["nested"], cells["number"]) == ("'=1+1", '["=1"]', "-5")
    assert (cells["cluster_depth_0"], cells["cluster_depth_1"]) == ("'=All", "'+Buses")
    assert "=cmd|' /C calc'!A0" in next(csv.reader(io.StringIO(written(write_items_csv, made, raw=True).decode())))


def test_all_items_are_in_the_csv_those_without_topic_with_empty_cells(talk: PublishedTopics) -> None:
    rows = items_csv(talk)
    assert list(rows) == ["blank", "spam", "bus", "noise", "oak", "lawn", "park"]
    assert list(rows["oak"]) == [
        *("item_id", "text", "created_at", "moderation", "page", "where", "topic_id", "similarity", "is_noise"),
        *(f"cluster_depth_{depth}" for depth in range(3)),
        *(f"cluster_id_depth_{depth}" for depth in range(3)),
    ]
    assert list(rows["oak"].values())[4:] == [
        *("7", "'=cmd", "t3", "0.75", "false", "All", "Parks", "Oaks", "t0", "t2", "t3")
    ]
    assert list(rows["park"].values())[-6:] == ["All", "Parks", EMPTY_CELL, "t0", "t2", EMPTY_CELL]
    for name in ("blank", "spam"):
        assert set(list(rows[name].values())[4:]) == {EMPTY_CELL}
    assert (rows["spam"]["moderation"], rows["noise"]["is_noise"]) == ("-1", "true")


def test_what_moderation_rejected_and_what_is_blank_is_in_the_csv_alone(talk: PublishedTopics, tmp_path: Path) -> None:
    assert not {"blank", "spam"} & set(items_json(talk))
    assert items_parquet(talk, tmp_path, "SELECT count(*) FROM ITEMS WHERE item_id IN ('blank', 'spam')") == [(0,)]


def test_duckdb_reads_x_y_and_text_from_the_parquet(talk: PublishedTopics, tmp_path: Path) -> None:
    assert items_parquet(talk, tmp_path, "SELECT x, y, text FROM ITEMS LIMIT 2") == [
        (0.0, -0.5, "about bus"),
        (1.0, -0.5, "about noise"),
    ]
    described = {row[0]: row[1] for row in items_parquet(talk, tmp_path, "DESCRIBE SELECT * FROM ITEMS")}
    assert described == {
        **{"x": "FLOAT", "y": "FLOAT", "item_id": "VARCHAR", "document_id": "VARCHAR", "text": "VARCHAR"},
        "topic_id": "VARCHAR",
        **{"topic": "VARCHAR", **{f"cluster_depth_{depth}": "VARCHAR" for depth in range(3)}},
        **{"similarity": "FLOAT", "is_noise": "BOOLEAN"},
    }
    question = "SELECT topic_id, topic, cluster_depth_1, is_noise FROM ITEMS WHERE item_id IN ('noise', 'lawn')"
    assert items_parquet(talk, tmp_path, question) == [("t1", "Buses", "Buses", True), ("t4", "Lawns", "Parks", False)]


def test_the_parquet_has_plain_types_and_nothing_beside_its_columns(talk: PublishedTopics) -> None:
    file = pq.ParquetFile(pa.BufferReader(written(write_items_parquet, talk)))
    assert not file.metadata.metadata
    assert {str(field.type) for field in file.schema_arrow} == {"string", "float", "bool"}
    assert file.metadata.row_group(0).column(0).compression == "SNAPPY"


@pytest.fixture
def reports(tmp_path: Path) -> PublishedTopics:
    """A report in three pieces, two of them on parks, between two short ones; the places of chunks are not in order."""
    rows = [item("first", "about buses"), item("long", "oaks, lawns, buses", metadata='{"year": 2024}'), item("last")]
    homes = {"first": "t1", "long#0001": "t3", "long#0002": "t3", "long#0003": "t1", "last": "t4"}
    cuts = {
        **{"last": (1, 0, 6), "long#0001": (1, 0, 6), "long#0002": (2, 6, 13), "long#0003": (3, 13, 18)},
        "first": (1, 0, 11),
    }
    made = published(tmp_path / "reports", rows, homes=homes)
    chunks = [
        {"item_id": one, "document_id": one.split("#")[0], "position": position, "text_start": start, "text_end": end}
        for one, (position, start, end) in cuts.items()
    ]
    made.files["chunks"] = tmp_path / "chunks.stored"
    pq.write_table(pa.Table.from_pylist(chunks, schema=TABLES["chunks"].schema()), made.files["chunks"])
    return made


def test_an_item_that_is_cut_is_given_out_by_pieces_in_the_order_of_items(
    reports: PublishedTopics, tmp_path: Path
) -> None:
    rows = items_json(reports)
    assert list(rows) == ["first", "long#0001", "long#0002", "long#0003", "last"]
    pieces = [row for row in rows.values() if row["document_id"] == "long"]
    assert [row["text"] for row in pieces] == ["oaks, ", "lawns, ", "buses"]
    assert [row["path"][-1] for row in pieces] == ["t3", "t3", "t1"]
    assert [row["metadata"] for row in pieces] == [{"year": 2024}] * 3
    question = "SELECT item_id, document_id, text, topic_id FROM ITEMS WHERE document_id <> item_id"
    assert items_parquet(reports, tmp_path, question) == [
        ("long#0001", "long", "oaks, ", "t3"),
        ("long#0002", "long", "lawns, ", "t3"),
        ("long#0003", "long", "buses", "t1"),
    ]


def test_in_the_csv_an_item_that_is_cut_has_its_main_topic(reports: PublishedTopics) -> None:
    rows = items_csv(reports)
    assert list(rows) == ["first", "long", "last"]
    assert rows["long"]["text"] == "oaks, lawns, buses"
    assert [row["topic_id"] for row in rows.values()] == ["t1", "t3", "t4"]


def test_the_metadata_of_a_picture_names_its_file(tmp_path: Path) -> None:
    rows = [
        item("a", metadata='{"bytes": 7}', file="red/a.png"),
        item("b", metadata='{"bytes": 8}'),
        item("c", file="c.jpg"),
    ]
    made = published(tmp_path / "photos", rows, homes={"a": "t1", "b": "t1", "c": "t1"})
    assert [row["metadata"] for row in items_json(made).values()] == [
        {"bytes": 7, "file": "red/a.png"},
        {"bytes": 8},
        {"file": "c.jpg"},
    ]


def test_an_item_that_is_not_on_the_map_is_left_out_where_a_place_is_needed(tmp_path: Path) -> None:
    made = published(tmp_path / "talk", [item("a"), item("b")], homes={"a": "t1", "b": "t1"}, off_map=["a"])
    rows = items_json(made)
    assert (rows["a"]["x"], rows["a"]["y"], rows["a"]["path"]) == (None, None, ["t0", "t1"])
    assert items_parquet(made, tmp_path, "SELECT item_id FROM ITEMS") == [("b",)]
    assert items_csv(made)["a"]["topic_id"] == "t1"


def test_a_place_that_is_no_number_is_none(tmp_path: Path) -> None:
    made = published(tmp_path / "talk", [item("a"), item("b")], homes={"a": "t1", "b": "t1"})
    table = pa.table({"item_id": ["a", "b"], "x": pa.array([float("nan"), 1], "f4"), "y": pa.array([1, 1], "f4")})
    pq.write_table(table, made.files["projection"])
    assert items_json(made)["a"]["x"] is None
    assert items_parquet(made, tmp_path, "SELECT item_id FROM ITEMS") == [("b",)]


def test_texts_are_cut_in_the_json_alone(tmp_path: Path) -> None:
    text = "e\u0301" * 600
    made = published(tmp_path / "talk", [item("a", text)], homes={"a": "t1"})
    assert items_json(made)["a"]["text"] == text[:500]
    assert items_csv(made)["a"]["text"] == text
    assert items_parquet(made, tmp_path, "SELECT text FROM ITEMS") == [(text,)]


def test_metadata_that_is_no_number_for_json_becomes_null(tmp_path: Path) -> None:
    rows = [item("a", metadata='{"score": NaN, "note": "NaN is a word"}'), item("b", None, created_at=None)]
    made = items_json(published(tmp_path, rows, homes={"a": "t1", "b": "t1"}))
    assert made["a"]["metadata"] == {"score": None, "note": "NaN is a word"}
    assert (made["b"]["metadata"], made["b"]["time"], made["b"]["text"]) == ({}, None, None)


def test_ids_of_people_leave_only_where_the_dataset_says_plain(tmp_path: Path) -> None:
    for plain in (False, True):
        made = published(tmp_path / str(plain), [item("a", author_id="anna")], homes={"a": "t1"}, has_plain_ids=plain)
        folder = tmp_path / f"out {plain}"
        folder.mkdir()
        write_topics(made, folder)
        holding = [path.name for path in folder.iterdir() if b"anna" in path.read_bytes()]
        assert holding == (["items.csv"] if plain else [])


def test_metadata_columns_never_hide_ours(tmp_path: Path) -> None:
    metadata = {"Text": "theirs", "cluster_depth_0": "theirs", "metadata": "theirs", "metadata.text": "theirs"}
    made = published(tmp_path, [item("a", metadata=json.dumps(metadata))], homes={"a": "t1"})
    row = items_csv(made)["a"]
    assert (row["text"], row["cluster_depth_0"]) == ("a text", "All")
    names = [name for name, value in row.items() if value == "theirs"]
    assert names == ["metadata.Text", "metadata.cluster_depth_0", "metadata.metadata", "metadata.metadata.text"]
    assert len({name.lower() for name in row}) == len(row)


def test_rare_keys_of_metadata_share_a_column(tmp_path: Path) -> None:
    rows = [item(f"i{row}", metadata=json.dumps({"common": str(row), f"key{row}": "x"})) for row in range(150)]
    found = items_csv(published(tmp_path, rows, homes={"i0": "t1"}))
    assert list(found["i0"])[4:7] == ["common", "key0", "key1"]
    assert len(found["i0"]) == 4 + 100 + 1 + 3 + 3 + 3
    assert found["i149"]["common"] == "149"
    assert json.loads(found["i149"]["metadata"]) == {"key149": "x"}
    assert found["i0"]["metadata"] == EMPTY_CELL


def test_nothing_published_but_the_tables_gives_empty_files_of_their_formats(tmp_path: Path) -> None:
    made = published(tmp_path / "talk", [])
    assert items_json(made) == clusters_json(made) == items_csv(made) == {}
    assert items_parquet(made, tmp_path, "SELECT x, y, text FROM ITEMS") == []
    assert written(write_items_csv, made).decode().startswith("item_id,text,created_at,moderation,topic_id")


def test_a_single_item_is_given_out_whole(tmp_path: Path) -> None:
    made = published(tmp_path / "talk", [item("a")], homes={"a": "t0"}, topics={"t0": (None, "All")})
    assert items_json(made)["a"]["path_names"] == ["All"]
    assert items_parquet(made, tmp_path, "SELECT text, cluster_depth_0 FROM ITEMS") == [("a text", "All")]
    assert items_csv(made)["a"]["cluster_id_depth_0"] == "t0"


def test_the_same_topics_give_the_same_bytes(talk: PublishedTopics, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
        assert {file.name for file in write_topics(talk, folder)} == TOPIC_FILES
    for name in TOPIC_FILES:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


def test_a_file_that_is_gone_is_named(talk: PublishedTopics) -> None:
    talk.files["projection"].unlink()
    with pytest.raises(ExportError, match="gone or damaged"):
        written(write_items_json, talk)


def test_many_items_go_through_in_pieces(tmp_path: Path) -> None:
    made = many(tmp_path, 12_000)
    assert max(batch.num_rows for batch in made.items("text")) <= 2_000
    assert len(items_json(made)) == len(items_csv(made)) == 12_000
    assert items_parquet(made, tmp_path, "SELECT count(DISTINCT cluster_depth_2) FROM ITEMS") == [(200,)]
    assert sum(row["size"] for row in clusters_json(made).values() if row["level"] == 0) == 1
