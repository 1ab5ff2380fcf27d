"""What of its contract a table does not keep is said."""

from __future__ import annotations

import pyarrow as pa
import pytest

from clustering_platform.orchestration.checks import violations
from clustering_platform.orchestration.previews import preview
from clustering_platform.tables import Column, Table

THINGS = Table(
    "things",
    "ingest",
    "dataset",
    "a thing",
    "Things.",
    ("number",),
    (
        Column("number", "int32", "Number.", minimum=0, maximum=9),
        Column("name", "string", "Name.", values=("a", "b")),
        Column("share", "float64", "Share.", nullable=True),
        Column("bytes", "binary", "Bytes."),
    ),
    ascending=("number",),
)


def things(**changes: object) -> pa.Table:
    columns = {"number": [0, 1, 5], "name": ["a", "b", "a"], "share": [0.5, None, 1.0], "bytes": [b"x"] * 3}
    return pa.table(columns | changes, schema=pa.schema([field.with_nullable(True) for field in THINGS.schema()]))


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, []),
        ({"number": [0, 1, None]}, ["number: 1 nulls"]),
        ({"number": [-1, 1, 10]}, ["number: 1 values below 0", "number: 1 values above 9"]),
        ({"name": ["a", "c", "d"]}, ["name: 2 values are none of a, b"]),
        ({"share": [0.5, float("nan"), float("inf")]}, ["share: 2 values are not finite"]),
        ({"number": [1, 0, 5]}, ["number: rows are not in its order"]),
        ({"number": [1, 1, 5]}, ["1 rows repeat a key (number)"]),
    ],
)
def test_faults_are_named(changes: dict[str, object], faults: list[str]) -> None:
    assert violations(things(**changes), THINGS) == faults


def test_an_empty_table_keeps_every_contract() -> None:
    assert violations(THINGS.empty(), THINGS) == []


def test_packed_values_are_left_out_of_previews() -> None:
    assert "bytes" not in preview(things(), THINGS).md_str
