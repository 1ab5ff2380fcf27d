"""What the Dagster UI shows of a table: its columns and a few rows, without anything that may name a person."""

from collections.abc import Mapping, Sequence

import dagster as dg
import pyarrow as pa

from clustering_platform.tables import Column, Table

_ROWS = 5
_LENGTH = 80


def column_schema(contract: Table) -> dg.TableSchema:
    """Return the columns of a table in Dagster's terms."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                column.type,
                description=column.description,
                constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=contract.key == (column.name,)),
            )
            for column in contract.stored_columns
        ]
    )


def preview(table: pa.Table, contract: Table) -> dg.MarkdownMetadataValue:
    """Return the first rows as a Markdown table."""
    columns = [column for column in contract.columns if _is_shown(column)]
    names = [column.name for column in columns]
    return grid(names, table.select(names).slice(0, _ROWS).to_pylist())


def grid(names: Sequence[str], rows: Sequence[Mapping[str, object]]) -> dg.MarkdownMetadataValue:
    """Return rows as a Markdown table of the columns `names`."""
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in rows]
    return dg.MetadataValue.md("\n".join(lines))


def _is_shown(column: Column) -> bool:
    return not column.is_personal and column.type != "binary" and not column.type.startswith("list<float")


def _cell(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else " ".join(str("" if value is None else value).split())
    text = text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
