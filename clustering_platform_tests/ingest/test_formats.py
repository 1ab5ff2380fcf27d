"""The same votes and items in any format give the same tables."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.ingest.parquet_files import as_text
from clustering_platform_tests.ingest.folders import ITEMS, T, ingest, last_votes
from clustering_platform_tests.ingest.writers import as_csv, as_jsonl, as_parquet

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda name: name.strip()
)
ROWS = st.lists(st.tuples(NAMES, NAMES, st.integers(-1, 1), st.integers(T, T + 10)), min_size=1, max_size=20)
COLUMNS = ["voter_id", "item_id", "vote", "voted_at"]


@given(ROWS)
def test_votes_are_the_same_from_csv_jsonl_and_parquet(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, int, int]]
) -> None:
    table = pa.table(dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True)))
    contents = {"csv": as_csv(table), "jsonl": as_jsonl(table), "parquet": as_parquet(table)}
    read = [
        ingest(tmp_path_factory.mktemp("votes"), {f"votes.{ending}": content}) for ending, content in contents.items()
    ]
    assert read[0].read == len(rows)
    for other in read[1:]:
        assert (other.votes, other.items) == (read[0].votes, read[0].items)


def test_items_are_the_same_from_csv_jsonl_and_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": ["1", "2", "3"],
            "text": ["a,b", 'say "x"\nand y', ""],
            "created_at": ["2026-10-01T00:00:00Z", None, "2026-10-01T00:00:00Z"],
            "author_id": ["ann", "bob", None],
            "topic": ["x", "y", None],
            "size": [1, 2, 3],
        }
    )
    read = [
        ingest(tmp_path / ending, {f"items.{ending}": write(table)}).items
        for ending, write in (("csv", as_csv), ("jsonl", as_jsonl), ("parquet", as_parquet))
    ]
    assert read[0]["metadata"].to_pylist() == [
        '{"size": "1", "topic": "x"}',
        '{"size": "2", "topic": "y"}',
        '{"size": "3"}',
    ]
    assert read[0] == read[1] == read[2]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([T, T + 1]),
        pa.array([float(T), float(T + 1)]),
        pa.array([T, T + 1], pa.timestamp("ms")),
        pa.array([T * 1000, (T + 1) * 1000], pa.timestamp("us", "Europe/Berlin")),
        pa.array([T * 10**6, (T + 1) * 10**6], pa.timestamp("ns", "UTC")),
        pa.array([str(T), str(T + 1)], pa.large_string()),
        pa.array([str(T), str(T + 1)]).dictionary_encode(),
        pa.array([str(T).encode(), str(T + 1).encode()], pa.binary()),
    ],
    ids=lambda column: str(column.type),
)
def test_times_of_any_parquet_type_are_the_same_times(column: pa.Array, tmp_path: Path) -> None:
    table = pa.table({"voter_id": [1, 2], "item_id": [7.0, 8.0], "vote": [1.0, None], "voted_at": column})
    ingested = ingest(tmp_path, {"votes.parquet": as_parquet(table)})
    assert last_votes(ingested) == {("1", "7"): 1}
    assert ingested.votes["voted_at"].to_pylist() == [datetime.fromtimestamp(T / 1000, UTC)]
    assert ingested.quarantine.select(["line", "reason"]).to_pylist() == [{"line": 2, "reason": "vote_missing"}]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (9007199254740993, pa.int64(), "9007199254740993"),
        (2**64 - 1, pa.uint64(), "18446744073709551615"),
        (1.0, pa.float32(), "1"),
        (0.5, pa.float64(), "0.5"),
        (float("nan"), pa.float64(), None),
        (True, pa.bool_(), "true"),
        (Decimal("1.50"), pa.decimal128(5, 2), "1.50"),
        ("00123", pa.string(), "00123"),
        (None, pa.string(), None),
    ],
)
def test_plain_types_have_one_text(value: Any, kind: pa.DataType, text: str | None) -> None:
    assert as_text(pa.array([value], kind)).to_pylist() == [text]


def test_item_columns_of_nested_types_are_left_out_and_named(tmp_path: Path) -> None:
    table = pa.table({"id": ["1"], "text": ["a"], "tags": [["x"]], "topic": ["y"]})
    ingested = ingest(tmp_path, {"items.parquet": as_parquet(table)})
    assert ingested.items["metadata"].to_pylist() == ['{"topic": "y"}']
    assert "tags" in ingested.report["findings"].to_pylist()[0][0]


def test_separators_and_line_ends_make_no_difference(tmp_path: Path) -> None:
    forms = [ITEMS, ITEMS.replace(",", ";"), ITEMS.replace(",", "\t"), ITEMS.replace("\n", "\r\n"), "\ufeff" + ITEMS]
    read = [ingest(tmp_path / str(number), {"items.csv": form}).items for number, form in enumerate(forms)]
    assert all(items == read[0] for items in read)
