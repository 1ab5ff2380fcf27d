"""What a table contract is made of: columns, types, grain, key.

The contracts themselves stand in the modules beside this one, one for each room.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    import pyarrow as pa

Type = Literal[
    "bool",
    "int8",
    "int32",
    "int64",
    "float32",
    "float64",
    "string",
    "binary",
    "timestamp",
    "date",
    "list<int8>",
    "list<int32>",
    "list<float32>",
    "list<float64>",
    "list<string>",
]
Scope = Literal["dataset", "day", "days"]
Room = Literal["ingest", "opinions", "topics", "drift"]


@dataclass(frozen=True)
class Column:
    """One column: its type, its meaning and what its values may be.

    `is_personal` marks what may name a person, as an id or by writing; it is kept out of previews.
    """

    name: str
    type: Type
    description: str
    nullable: bool = False
    values: tuple[str | int, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    is_personal: bool = False


DATASET = Column("dataset", "string", "Name of the dataset.")
DAY = Column("day", "date", "Day of the snapshot; votes up to its end (UTC) are in it.")
ITEM_ID = Column("item_id", "string", "Id of the item, as in the source.")
VOTER_ID = Column(
    "voter_id", "string", "Voter: a keyed pseudonym, unless the dataset keeps plain ids.", is_personal=True
)


def share(name: str, description: str, *, nullable: bool = False) -> Column:
    """Return the contract of a column of shares, 0 to 1."""
    return Column(name, "float64", description, nullable=nullable, minimum=0, maximum=1)


nullable_share = functools.partial(share, nullable=True)


@dataclass(frozen=True)
class Table:
    """One published table.

    `grain` says what one row is, `key` which columns identify it, `scope` whether there is one table for a dataset as a
    whole, one for each day of it (`day`), or one over all of its days (`days`). The columns `dataset` and, for a day,
    `day` come first in every table; they are added when a table is stored and are not listed in `columns`.

    `ascending` names columns that never go down from one row to the next. A table that only grows at its end, a log,
    names in `digested` what tells one beginning of it from another: columns by their values, and pairs of a number and
    an id by the id alone, whatever the numbers are (see ``store.digests``).
    """

    name: str
    room: Room
    scope: Scope
    grain: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    ascending: tuple[str, ...] = ()
    digested: tuple[str | tuple[str, str], ...] = ()

    @property
    def stored_columns(self) -> tuple[Column, ...]:
        """The columns as stored: those of the partition first."""
        return (DATASET, DAY, *self.columns) if self.scope == "day" else (DATASET, *self.columns)

    def schema(self) -> pa.Schema:
        """Return the Arrow schema of the table as computed, without the columns of the partition."""
        return schema_of(self.columns)

    def stored_schema(self) -> pa.Schema:
        """Return the Arrow schema of the table as stored."""
        return schema_of(self.stored_columns)

    def empty(self) -> pa.Table:
        """Return the table as computed, with no rows."""
        table: pa.Table = self.schema().empty_table()
        return table


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """Return the Arrow schema of some columns."""
    import pyarrow as pa

    return pa.schema([pa.field(column.name, arrow_type(column.type), column.nullable) for column in columns])


def arrow_type(name: Type) -> pa.DataType:
    """Return the Arrow type for a type name of the contract."""
    import pyarrow as pa

    if name.startswith("list<"):
        return pa.list_(pa.field("item", arrow_type(cast("Type", name[5:-1])), nullable=False))
    if name == "timestamp":
        return pa.timestamp("us", tz="UTC")
    return {
        "bool": pa.bool_(),
        "int8": pa.int8(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "float32": pa.float32(),
        "float64": pa.float64(),
        "string": pa.string(),
        "binary": pa.binary(),
        "date": pa.date32(),
    }[name]


def conform(table: pa.Table, contract: Table) -> pa.Table:
    """Return `table` with the columns of the contract in order and cast to its types.

    Raises
    ------
    ValueError
        A column is missing or too much, or a value does not fit its type.
    """
    import pyarrow as pa

    expected = [column.name for column in contract.columns]
    missing, extra = set(expected) - set(table.column_names), set(table.column_names) - set(expected)
    if missing or extra:
        raise ValueError(f"table {contract.name}: missing columns {sorted(missing)}, unknown columns {sorted(extra)}")
    try:
        return table.select(expected).cast(contract.schema())
    except pa.ArrowInvalid as error:
        raise ValueError(f"table {contract.name}: {_misfit(table, contract)}: {error}") from error


def _misfit(table: pa.Table, contract: Table) -> str:
    """Return the first column whose values do not fit its type."""
    import pyarrow as pa

    for column in contract.columns:
        try:
            table[column.name].cast(arrow_type(column.type))
        except pa.ArrowInvalid:
            return f"column {column.name}"
    return "the columns"
