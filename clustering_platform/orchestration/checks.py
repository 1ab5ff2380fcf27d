"""Asset checks that follow from the table contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from clustering_platform.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTRACT_CHECK = "contract"


def violations(table: pa.Table, contract: Table) -> list[str]:
    """Return what of its contract a table does not keep: nulls, values out of range, order, keys that repeat."""
    found = [fault for column in contract.columns for fault in _column_faults(table[column.name], column)]
    found += [f"{name}: rows are not in its order" for name in contract.ascending if not _goes_up(table[name])]
    if repeated := _repeated_keys(table, contract.key):
        found.append(f"{repeated} rows repeat a key ({', '.join(contract.key)})")
    return found


def _repeated_keys(table: pa.Table, key: tuple[str, ...]) -> int:
    if len(key) == 1 and pa.types.is_integer(table[key[0]].type) and _goes_up(table[key[0]], strictly=True):
        return 0
    distinct = table.select(list(key)).group_by(list(key)).aggregate([])
    return int(table.num_rows - distinct.num_rows)


def _goes_up(values: pa.ChunkedArray, *, strictly: bool = False) -> bool:
    """Tell whether no value is below the one before it, or, if `strictly`, each is above."""
    earlier, later = values.slice(0, max(len(values) - 1, 0)), values.slice(1)
    is_above = pc.greater(later, earlier) if strictly else pc.greater_equal(later, earlier)
    return bool(pc.all(is_above, min_count=0).as_py())


def _column_faults(values: pa.ChunkedArray, column: Column) -> Iterator[str]:
    if not column.nullable and values.null_count:
        yield f"{column.name}: {values.null_count} nulls"
    if column.type in ("float32", "float64") and (count := _count(pc.invert(pc.is_finite(values)))):
        yield f"{column.name}: {count} values are not finite"
    if column.values and (count := _count(pc.invert(pc.is_in(values.drop_null(), _allowed(values, column))))):
        yield f"{column.name}: {count} values are none of {', '.join(map(str, column.values))}"
    if column.minimum is not None and (count := _count(pc.less(values, column.minimum))):
        yield f"{column.name}: {count} values below {column.minimum:g}"
    if column.maximum is not None and (count := _count(pc.greater(values, column.maximum))):
        yield f"{column.name}: {count} values above {column.maximum:g}"


def _allowed(values: pa.ChunkedArray, column: Column) -> pa.Array:
    return pa.array(column.values, values.type)


def _count(mask: pa.ChunkedArray) -> int:
    return pc.sum(mask).as_py() or 0
