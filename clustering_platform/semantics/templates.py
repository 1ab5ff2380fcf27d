"""What is embedded of an item: templates filled with its fields.

The language of templates is in ``clustering_platform.item_template``.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from clustering_platform.item_template import ItemField, MetadataKey, Piece, parse_template
from clustering_platform.semantics.texts import is_blank

PLAIN = "{text}"


def render(items: pa.Table, template: str) -> pa.Table:
    """Return the items with `text` replaced by what the template makes of them.

    A missing field is empty; where all fields are blank the text is null, so that the words of the template alone are
    never embedded. Times are written as ``2026-03-01 12:30`` (UTC), lists with commas, objects as JSON.

    Parameters
    ----------
    items
        The `items` table; the columns that the template names are read, and `metadata` where it names a key.
    """
    if template == PLAIN:
        return items
    pieces = parse_template(template)
    metadata = _metadata(items) if any(isinstance(piece, MetadataKey) for piece in pieces) else []
    columns = [_values(items, metadata, piece) for piece in pieces]
    texts = [_filled(columns, row) for row in range(items.num_rows)]
    return _with_text(items, texts)


def readable(items: pa.Table, template: str) -> pa.Table:
    """Return the items with what was embedded in place of a text that is missing, for those who name topics."""
    if template == PLAIN:
        return items
    own, rendered = items["text"].to_pylist(), render(items, template)["text"].to_pylist()
    return _with_text(items, [other if is_blank(text) else text for text, other in zip(own, rendered, strict=True)])


def as_text(value: Any) -> str:
    """Return a value of the metadata as text; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and not any(isinstance(entry, list | dict) for entry in value):
        return ", ".join(map(as_text, value))
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _filled(columns: Sequence[str | list[str]], row: int) -> str | None:
    fields = [column[row] for column in columns if not isinstance(column, str)]
    if all(map(is_blank, fields)):
        return None
    return "".join(column if isinstance(column, str) else column[row] for column in columns)


def _values(items: pa.Table, metadata: Sequence[dict[str, Any]], piece: Piece) -> str | list[str]:
    """Return what stands for a piece in each item, or the piece itself where it is literal."""
    match piece:
        case MetadataKey(key):
            return [as_text(row.get(key)) for row in metadata]
        case ItemField(name):
            return [
                value.strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else as_text(value)
                for value in items[name].to_pylist()
            ]
    return piece


def _metadata(items: pa.Table) -> list[dict[str, Any]]:
    if "metadata" not in items.column_names:
        return [{}] * items.num_rows
    return [json.loads(text) if text else {} for text in items["metadata"].to_pylist()]


def _with_text(items: pa.Table, texts: list[str | None]) -> pa.Table:
    place = items.column_names.index("text")
    return items.set_column(place, "text", pa.array(texts, pa.string()))
