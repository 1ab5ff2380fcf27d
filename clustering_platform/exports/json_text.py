"""Columns as JSON text, without a Python object for each value."""

import base64
import json
from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_ESCAPED = r'[\x00-\x1f"\\]'


def json_text(values: pa.Array) -> pa.Array:
    """Return each value as JSON: StringArray of the same length, ``null`` for null.

    Times are ISO 8601 in UTC, dates ISO 8601, bytes Base64.
    """
    return pc.fill_null(_text(values), "null")


def json_rows(batch: pa.RecordBatch, *, verbatim: Collection[str] = ()) -> pa.Array:
    """Return each row of a batch as a JSON object: StringArray. What the columns `verbatim` hold is JSON already."""
    parts: list[Any] = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        text = pc.fill_null(column, "null") if name in verbatim else json_text(column)
        parts += [f"{', ' if parts else '{'}{json.dumps(name)}: ", text]
    return pc.binary_join_element_wise(*parts, "}", "")


def finite_json(values: pa.Array) -> pa.Array:
    """Return JSON as standards have it: null for `NaN` and `Infinity`, which Python writes too."""
    is_odd = pc.fill_null(pc.match_substring_regex(values, "NaN|Infinity"), False)
    if not pc.any(is_odd).as_py():
        return values
    read = [json.loads(text, parse_constant=lambda _: None) for text in values.filter(is_odd).to_pylist()]
    mended = [json.dumps(value, ensure_ascii=False) for value in read]
    return pc.replace_with_mask(values, is_odd, pa.array(mended, pa.string()))


def iso_times(values: pa.Array) -> pa.Array:
    """Return times as ISO 8601 in UTC, such as ``2026-03-01T12:00:00.000000Z``: StringArray, null for null."""
    plain = values.cast(pa.timestamp(values.type.unit, "UTC")).view(pa.timestamp(values.type.unit))
    return pc.binary_join_element_wise(pc.binary_replace_slice(plain.cast(pa.string()), 10, 11, "T"), "Z", "")


def _text(values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return values.cast(pa.string())
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_finite(values), values.cast(pa.string()), pa.scalar(None, pa.string()))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _string_text(values.cast(pa.string()))
    if pa.types.is_timestamp(kind):
        return _quoted(iso_times(values))
    if pa.types.is_date(kind):
        return _quoted(values.cast(pa.string()))
    if pa.types.is_list(kind):
        return _list_text(values)
    return pa.array([None if value is None else json.dumps(_plain(value)) for value in values.to_pylist()], pa.string())


def _quoted(values: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise('"', values, '"', "")


def _string_text(values: pa.Array) -> pa.Array:
    """Quote text; only what needs escapes goes through Python."""
    has_escapes = pc.fill_null(pc.match_substring_regex(values, _ESCAPED), False)
    text = _quoted(values)
    if not pc.any(has_escapes).as_py():
        return text
    escaped = [json.dumps(value, ensure_ascii=False) for value in values.filter(has_escapes).to_pylist()]
    return pc.replace_with_mask(text, has_escapes, pa.array(escaped, pa.string()))


def _list_text(values: pa.Array) -> pa.Array:
    items = json_text(values.flatten())  # of null lists there are none
    lengths = pc.fill_null(pc.list_value_length(values), 0)
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, items), ", ")
    text = pc.binary_join_element_wise("[", joined, "]", "")
    return pc.if_else(values.is_valid(), text, pa.scalar(None, pa.string()))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
