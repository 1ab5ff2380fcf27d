"""The contracts hold together, and tables are held to them."""

from __future__ import annotations

import io
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clustering_platform.tables import TABLES, Column, Table, conform
from clustering_platform_tests.store.versions import sample

every_table = pytest.mark.parametrize("contract", TABLES.values(), ids=TABLES)


@every_table
def test_a_contract_has_unique_columns_and_a_key_of_which_a_part_is_never_null(contract: Table) -> None:
    names = [column.name for column in contract.stored_columns]
    assert len(names) == len(set(names))
    required = {column.name for column in contract.columns if not column.nullable}
    assert set(contract.key) <= set(names)
    assert set(contract.key) & required


@every_table
def test_names_are_plain_and_descriptions_are_sentences(contract: Table) -> None:
    for name in (contract.name, *(column.name for column in contract.columns)):
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert contract.grain
    assert not contract.grain.endswith(".")
    for description in (contract.description, *(column.description for column in contract.stored_columns)):
        assert description.endswith(".")
        assert description[0] == description[0].strip()


@every_table
def test_allowed_values_are_of_the_type_of_the_column(contract: Table) -> None:
    for column in contract.columns:
        bounds = [bound for bound in (column.minimum, column.maximum) if bound is not None]
        assert not (column.values and bounds)
        assert not bounds or column.type.startswith(("int", "float"))
        assert bounds == sorted(bounds)
        assert all(isinstance(value, str if column.type == "string" else int) for value in column.values or ())


@every_table
def test_columns_that_may_name_a_person_are_marked(contract: Table) -> None:
    for column in contract.columns:
        if column.name in ("voter_id", "voter_ids", "author_id"):
            assert column.is_personal


def test_a_column_of_the_same_name_has_the_same_type_in_every_table() -> None:
    shared = {"item_id", "voter_id", "group_id", "base_cluster_id", "topic_id", "voter_type"}
    types = {(column.name, column.type) for table in TABLES.values() for column in table.columns}
    assert sorted(name for name, _ in types if name in shared) == sorted(shared)


def test_the_scope_is_that_of_the_room() -> None:
    assert {(table.room, table.scope) for table in TABLES.values()} == {
        ("ingest", "dataset"),
        ("topics", "dataset"),
        ("opinions", "day"),
        ("drift", "days"),
    }


def test_the_partition_comes_first_in_what_is_stored() -> None:
    assert TABLES["votes"].stored_schema().names == ["dataset", *TABLES["votes"].schema().names]
    assert TABLES["groups"].stored_schema().names == ["dataset", "day", *TABLES["groups"].schema().names]


@every_table
@pytest.mark.parametrize("rows", [0, 3])
def test_a_table_goes_through_parquet_unchanged(contract: Table, rows: int) -> None:
    table = conform(sample(contract, rows=rows), contract) if rows else contract.empty()
    file = io.BytesIO()
    pq.write_table(table, file)
    back = pq.read_table(file)
    assert back.schema == contract.schema()
    assert back.equals(table)
    assert conform(back, contract).equals(table)


LIST = Table(
    "things",
    "ingest",
    "dataset",
    "a thing",
    "Things.",
    ("id",),
    (
        Column("id", "int8", "Id."),
        Column("name", "string", "Name.", nullable=True),
        Column("scores", "list<float32>", "Scores."),
    ),
)


def things(**changes: object) -> pa.Table:
    return pa.table({"id": [1, 2], "name": ["a", None], "scores": [[0.5], []]} | changes)


def test_conform_orders_columns_and_casts_them() -> None:
    table = conform(things().select(["scores", "name", "id"]), LIST)
    assert table.schema == LIST.schema()
    assert table.to_pylist() == [{"id": 1, "name": "a", "scores": [0.5]}, {"id": 2, "name": None, "scores": []}]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (things().drop_columns(["id"]), r"table things: missing columns \['id'\], unknown columns \[\]"),
        (things(extra=[1, 2]), r"table things: missing columns \[\], unknown columns \['extra'\]"),
        (things().rename_columns(["nr", "name", "scores"]), r"missing columns \['id'\], unknown columns \['nr'\]"),
        (things(id=[1, 300]), "table things: column id: .*300 not in range"),
        (things(id=[1, None]), "null"),
        (things(id=["1", "two"]), "two"),
        (things(scores=[[0.5], None]), "null"),
        (things(id=[1.0, 1.5]), "truncated"),
    ],
)
def test_conform_refuses_what_does_not_fit(table: pa.Table, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        conform(table, LIST)
