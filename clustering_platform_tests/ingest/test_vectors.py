"""Vectors made elsewhere: from which files they come, whose they are, and which are refused."""

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.ingested import Ingested
from clustering_platform.tables import TABLES
from clustering_platform_tests.ingest.folders import ITEMS, T, findings, ingest, refused, votes_csv
from clustering_platform_tests.ingest.test_accounting import check_accounting
from clustering_platform_tests.ingest.vector_files import as_id_map, as_index, as_npy, parquet_of

VECTORS = [[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]]
IDS = ["s1", "s2", "s3"]
ITEMS3 = ITEMS + "s3,Third statement\n"
LINES = "".join(f"{one}\n" for one in IDS)


def config(**vectors: str) -> dict[str, Any]:
    return {"source": {"vectors": vectors}}


def vectors_of(ingested: Ingested) -> dict[str, list[float]]:
    assert ingested.vectors.schema.equals(TABLES["item_vectors"].schema())
    check_accounting(ingested)
    return {row["item_id"]: row["vector"] for row in ingested.vectors.to_pylist()}


AS_GIVEN = dict(zip(IDS, VECTORS, strict=True))
META = [{"id": one, "text": f"text of {one}", "note": 1} for one in IDS]
FORMS: dict[str, tuple[Mapping[str, str | bytes], dict[str, Any]]] = {
    "npy and text": ({"v.npy": as_npy(VECTORS), "ids.txt": LINES}, config(file="v.npy", ids="ids.txt")),
    "npy and CSV": ({"v.npy": as_npy(VECTORS), "x.csv": "item_id\n" + LINES}, config(file="v.npy", ids="x.csv")),
    "npy and JSON": ({"v.npy": as_npy(VECTORS), "i.json": json.dumps(IDS)}, config(file="v.npy", ids="i.json")),
    "npy and npy": ({"v.npy": as_npy(VECTORS), "i.npy": as_npy(IDS)}, config(file="v.npy", ids="i.npy")),
    "half precision": (
        {"v.npy": as_npy(np.array(VECTORS, np.float16)), "ids.txt": LINES},
        config(file="v.npy", ids="ids.txt"),
    ),
    "big-endian, by columns": (
        {"v.npy": as_npy(np.asfortranarray(np.array(VECTORS, ">f8"))), "ids.txt": LINES},
        config(file="v.npy", ids="ids.txt"),
    ),
    "Parquet of vectors": ({"v.parquet": parquet_of({"id": IDS}, VECTORS)}, config(column="embedding")),
    "Parquet of vectors, named": (
        {"v.parquet": parquet_of({"id": IDS}, VECTORS)},
        config(file="v.parquet", column="embedding"),
    ),
    "Parquet of items": (
        {"i.parquet": parquet_of({"id": IDS, "text": IDS}, VECTORS, pa.list_(pa.float64(), 2))},
        config(column="embedding"),
    ),
    "index": ({"v.faiss": as_index(VECTORS), "m.json": json.dumps(META)}, config(file="v.faiss", metadata="m.json")),
    "index of another metric": (
        {"v.index": as_index(VECTORS, kind=b"IxFl", metric=4), "ids.txt": LINES},
        config(file="v.index", ids="ids.txt"),
    ),
    "index with ids": (
        {
            "v.faiss": as_id_map(VECTORS, [30, 10, 20]),
            "m.json": json.dumps({"10": META[1], "20": META[2], "30": META[0]}),
        },
        config(file="v.faiss", metadata="m.json"),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_vectors_of_every_form_reach_their_items(tmp_path: Path, form: str) -> None:
    files, settings_ = FORMS[form]
    ingested = ingest(tmp_path, files, settings_)
    assert vectors_of(ingested) == AS_GIVEN
    assert sorted(ingested.items["item_id"].to_pylist()) == IDS
    assert ingested.quarantined == 0


def test_a_dataset_that_names_no_vectors_has_an_empty_table(tmp_path: Path) -> None:
    assert vectors_of(ingest(tmp_path, {"items.csv": ITEMS})) == {}


def test_vectors_join_items_and_votes_in_the_order_of_the_items(tmp_path: Path) -> None:
    files = {
        "items.csv": ITEMS,
        "votes.csv": votes_csv([["a", "s3", 1, T]]),
        "v.npy": as_npy(VECTORS[::-1]),
        "ids.txt": "s3\ns2\ns1\n",
    }
    ingested = ingest(tmp_path, files, config(file="v.npy", ids="ids.txt"))
    assert list(vectors_of(ingested).items()) == list(AS_GIVEN.items())
    assert ingested.vectors["item_id"].to_pylist() == ingested.items["item_id"].to_pylist()


def test_metadata_of_an_index_are_items_only_where_there_are_none_else(tmp_path: Path) -> None:
    files = {"v.faiss": as_index(VECTORS), "m.json": json.dumps(META)}
    alone = ingest(tmp_path / "alone", files, config(file="v.faiss", metadata="m.json"))
    assert alone.items["text"].to_pylist() == ["text of s1", "text of s2", "text of s3"]
    assert alone.items["metadata"].to_pylist() == ['{"note": "1"}'] * 3
    beside = ingest(tmp_path / "beside", {**files, "items.csv": ITEMS3}, config(file="v.faiss", metadata="m.json"))
    assert beside.items["text"].to_pylist() == ["First statement", "Second statement", "Third statement"]
    assert vectors_of(beside) == AS_GIVEN


BAD = [
    ([[1, 0], [np.nan, 1], [0, 1]], IDS, ((2, "vector_not_finite"),)),
    ([[1, 0], [1, 1], [np.inf, 1]], IDS, ((3, "vector_not_finite"),)),
    ([[1, 0], [1e39, 1], [0, 1]], IDS, ((2, "vector_not_finite"),)),
    ([[1, 0], [0, 0], [0, 1]], IDS, ((2, "vector_zero"),)),
    ([[1, 0], [1e-60, 0], [0, 1]], IDS, ((2, "vector_zero"),)),
    ([[1, 0], [1, 1], [0, 1]], ["s1", "s1", "s2"], ((1, "vector_ambiguous"), (2, "vector_ambiguous"))),
    ([[1, 0], [1, 1], [0, 1]], ["s1", "s9", "s2"], ((2, "item_unknown"),)),
    ([[1, 0], [1, 1], [0, 1]], ["s1", " ", "s2"], ((2, "item_id_missing"),)),
    ([[1, 0], [1, 1], [0, 1]], ["s1", "x" * 513, "s2"], ((2, "item_id_unusable"),)),
]


@pytest.mark.parametrize(("vectors", "ids", "expected"), BAD)
def test_rows_that_cannot_be_used_are_refused_with_their_number(
    tmp_path: Path, vectors: object, ids: list[str], expected: object
) -> None:
    files = {"items.csv": ITEMS3, "v.npy": as_npy(vectors), "ids.json": json.dumps(ids)}
    ingested = ingest(tmp_path, files, config(file="v.npy", ids="ids.json"))
    assert tuple(refused(ingested)) == expected
    assert set(ingested.quarantine["file"].to_pylist()) == {"v.npy"}
    assert len(vectors_of(ingested)) == 3 - len(refused(ingested))
    assert ingested.items.num_rows == 3


def test_the_same_vector_again_is_superseded(tmp_path: Path) -> None:
    files = {"v.npy": as_npy([[1, 0], [0, 1], [1, 0]]), "ids.txt": "s1\ns2\ns1\n"}
    ingested = ingest(tmp_path, files, config(file="v.npy", ids="ids.txt"))
    assert vectors_of(ingested) == {"s1": [1, 0], "s2": [0, 1]}
    assert (ingested.read, ingested.accepted, ingested.superseded) == (3, 2, 1)


@pytest.mark.parametrize("has_text", [True, False])
def test_a_vector_of_another_dimension_than_most_is_refused(tmp_path: Path, has_text: bool) -> None:
    texts = {"text": ["a", "b", "c", "d"]} if has_text else {}
    content = parquet_of({"id": [*IDS, "s4"], **texts}, [[1, 0], [1, 2, 3], [0, 1], []])
    ingested = ingest(tmp_path, {"v.parquet": content}, config(column="embedding"))
    assert refused(ingested) == [(2, "vector_dimension"), (4, "vector_dimension")]
    assert ingested.quarantine["value"].to_pylist() == ["3 numbers", "0 numbers"]
    assert vectors_of(ingested) == {"s1": [1, 0], "s3": [0, 1]}


@pytest.mark.parametrize("size", [-1, 2])
def test_an_item_without_a_vector_stays_an_item(tmp_path: Path, size: int) -> None:
    content = parquet_of({"id": IDS, "text": IDS}, [[1, 0], None, [0, 1]], pa.list_(pa.float32(), size))
    ingested = ingest(tmp_path, {"v.parquet": content}, config(column="embedding"))
    assert list(vectors_of(ingested)) == ["s1", "s3"]
    assert ingested.items["item_id"].to_pylist() == IDS
    assert any("items without a vector" in finding and finding.endswith(": 1") for finding in findings(ingested))


def test_an_item_that_comes_again_has_the_vector_of_its_last_row(tmp_path: Path) -> None:
    content = parquet_of({"id": ["s1", "s2", "s1"], "text": ["old", "x", "new"]}, VECTORS)
    ingested = ingest(tmp_path, {"v.parquet": content}, config(column="embedding"))
    assert vectors_of(ingested) == {"s1": [3, 4], "s2": [0, 2]}
    assert ingested.superseded == 1


NPY = {"v.npy": as_npy(VECTORS)}
REFUSED: dict[str, tuple[Mapping[str, str | bytes], dict[str, Any], tuple[str, ...]]] = {
    "fewer ids": (NPY | {"ids.txt": "s1\n"}, config(file="v.npy", ids="ids.txt"), ("3 vectors", "ids.txt has 1 ids")),
    "no ids": (NPY, config(file="v.npy"), ("source.vectors.metadata",)),
    "no such file": ({"items.csv": ITEMS}, config(file="v.npy"), ("no file 'v.npy'", "items.csv")),
    "no such column": ({"items.csv": ITEMS}, config(column="embedding"), ("no Parquet file has a column",)),
    "ids alone": ({"items.csv": ITEMS}, config(ids="ids.txt"), ("source.vectors.file",)),
    "column of text": (
        {"v.parquet": parquet_of({"id": IDS, "text": IDS}, ["[1]", "[2]", "[3]"], pa.string())},  # type: ignore[list-item]
        config(column="embedding"),
        ("'embedding' is string, not lists of numbers",),
    ),
    "pickle": ({"v.pkl": pickle.dumps(VECTORS)}, config(file="v.pkl"), ("v.pkl", "can run code")),
    "pickle called index": (
        {"v.faiss": pickle.dumps(VECTORS), "ids.txt": LINES},
        config(file="v.faiss", ids="ids.txt"),
        ("a pickle, which can run code",),
    ),
    "pickle as metadata": (
        {"v.faiss": as_index(VECTORS), "m.pkl": pickle.dumps(META)},
        config(file="v.faiss", metadata="m.pkl"),
        ("m.pkl", "pickle", "JSON"),
    ),
    "pickle as ids": (NPY | {"ids.pickle": b"x"}, config(file="v.npy", ids="ids.pickle"), ("can run code",)),
    "array of objects": (
        {"v.npy": as_npy(np.array(VECTORS, object), allow_pickle=True), "ids.txt": LINES},
        config(file="v.npy", ids="ids.txt"),
        ("array of objects, which is a pickle",),
    ),
    "archive of arrays": (
        {"v.npy": b"PK\x03\x04" + bytes(60), "ids.txt": LINES},
        config(file="v.npy", ids="ids.txt"),
        ("v.npy: is incomplete or damaged",),
    ),
    "flat array": ({"v.npy": as_npy([1, 2, 3]), "ids.txt": LINES}, config(file="v.npy", ids="ids.txt"), ("(3,)",)),
    "half an array": ({"v.npy": NPY["v.npy"][:-4], "ids.txt": LINES}, config(file="v.npy", ids="ids.txt"), ("v.npy",)),
    "other index": (
        {"v.faiss": b"IwFl" + bytes(80), "ids.txt": LINES},
        config(file="v.faiss", ids="ids.txt"),
        ("type (IwFl) is not a flat one", ".npy"),
    ),
    "half an index": (
        {"v.faiss": as_index(VECTORS)[:-4], "ids.txt": LINES},
        config(file="v.faiss", ids="ids.txt"),
        ("incomplete",),
    ),
    "more than an index": (
        {"v.faiss": as_index(VECTORS) + b"x", "ids.txt": LINES},
        config(file="v.faiss", ids="ids.txt"),
        ("damaged",),
    ),
    "metadata of fewer": (
        {"v.faiss": as_index(VECTORS), "m.json": json.dumps(META[:2])},
        config(file="v.faiss", metadata="m.json"),
        ("3 vectors", "m.json has 2 ids"),
    ),
    "metadata without ids": (
        {"v.faiss": as_index(VECTORS), "m.json": json.dumps([{"text": "a"}] * 3)},
        config(file="v.faiss", metadata="m.json"),
        ("m.json: has no column of item ids",),
    ),
    "metadata with other keys": (
        {"v.faiss": as_id_map(VECTORS, [1, 2, 3]), "m.json": json.dumps({"1": {}, "2": {}, "4": {}})},
        config(file="v.faiss", metadata="m.json"),
        ("no key '3'",),
    ),
    "broken metadata": (
        {"v.faiss": as_index(VECTORS), "m.json": '[{"id": "a"},\n x]'},
        config(file="v.faiss", metadata="m.json"),
        ("m.json: line 2, column 2: is no JSON",),
    ),
    "key twice in metadata": (
        {"v.faiss": as_index(VECTORS), "m.json": '[{"id": "a", "id": "b"}]'},
        config(file="v.faiss", metadata="m.json"),
        ("a key twice",),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_files_that_cannot_be_understood_are_refused_with_the_reason(tmp_path: Path, case: str) -> None:
    files, settings_, message = REFUSED[case]
    with pytest.raises(IngestError) as error:
        ingest(tmp_path, files, settings_)
    for part in message:
        assert part in str(error.value)


def test_whole_numbers_of_any_size_are_vectors(tmp_path: Path) -> None:
    content = parquet_of({"id": IDS}, [[1, 2**63], [0, 3], [5, 0]], pa.list_(pa.uint64()))
    assert vectors_of(ingest(tmp_path, {"v.parquet": content}, config(column="embedding")))["s1"] == [1, 2.0**63]


def test_vectors_that_nobody_names_are_told_about(tmp_path: Path) -> None:
    found = findings(ingest(tmp_path, {"items.csv": ITEMS, "v.npy": as_npy(VECTORS), "v.faiss": as_index(VECTORS)}))
    assert sum("holds vectors; name it as source.vectors.file" in finding for finding in found) == 2


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), max_size=4), st.integers(0, 150))
@example([(4, 255), (5, 255), (6, 255), (7, 127)], 150)
def test_a_spoilt_index_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, spoilt: list[tuple[int, int]], kept: int
) -> None:
    content = bytearray(as_id_map(VECTORS, [0, 1, 2])[:kept])
    for place, byte in spoilt:
        if content:
            content[place % len(content)] = byte
    files = {"v.faiss": bytes(content), "ids.txt": LINES}
    try:
        ingested = ingest(tmp_path_factory.mktemp("index"), files, config(file="v.faiss", ids="ids.txt"))
    except IngestError:
        return
    assert len(vectors_of(ingested)) + ingested.quarantined == 3


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), max_size=6), st.integers(0, 400))
def test_a_spoilt_array_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, spoilt: list[tuple[int, int]], kept: int
) -> None:
    content = bytearray(as_npy(np.array(VECTORS, "<f4"))[:kept])
    for place, byte in spoilt:
        if content:
            content[place % len(content)] = byte
    files = {"v.npy": bytes(content), "ids.txt": LINES}
    try:
        ingested = ingest(tmp_path_factory.mktemp("array"), files, config(file="v.npy", ids="ids.txt"))
    except IngestError:
        return
    check_accounting(ingested)
