r"""Tables as CSV that a spreadsheet may open: every text in quotes, and none of them a formula.

A cell that begins with ``= + - @``, a tab or a line break is read as a formula by spreadsheets, quotes or no quotes.
Such text gets an apostrophe in front, the sign by which they take it as text. The same goes for what follows a
semicolon, tab or line break within a text, with quotes or without, because spreadsheets of many countries split cells
there. A text that is a number stays as it is. `raw` leaves every text as it is, for programs.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from clustering_platform.exports.json_text import iso_times, json_text

_SIGNS = "=+@\\-\uff1d\uff0b\uff20\uff0d"  # the full-width ones are read alike
_FORMULA = rf"(^|[;\t\r\n])( *)([{_SIGNS}])"
_QUOTED = rf'([;\t\r\n][ "]*")( *)([{_SIGNS}])'
_BREAK = r"^([\t\r\n])"
_ROWS_AT_A_TIME = 50_000
_NUMBER = r"^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"


def without_formulas(text: pa.Array) -> pa.Array:
    """Return text with an apostrophe before everything that a spreadsheet would compute: StringArray."""
    if not pc.any(pc.match_substring_regex(text, f"{_FORMULA}|{_QUOTED}|{_BREAK}")).as_py():
        return text
    guarded = pc.replace_substring_regex(text, _FORMULA, r"\1'\2\3")
    guarded = pc.replace_substring_regex(guarded, _QUOTED, r"\1'\2\3")
    guarded = pc.replace_substring_regex(guarded, _BREAK, r"'\1")
    return pc.if_else(pc.match_substring_regex(text, _NUMBER), text, guarded)


def csv_column(values: pa.Array, *, raw: bool) -> pa.Array:
    """Return a column as CSV can hold it: numbers, booleans, and all else as text.

    Times and dates become ISO 8601, lists and other nested values JSON, bytes a JSON text in Base64; null stays null.
    """
    kind = values.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return values
    if pa.types.is_timestamp(kind):
        return iso_times(values)
    if pa.types.is_date(kind):
        return values.cast(pa.string())
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    text = values.cast(pa.string()) if is_text else _nested(values)
    return text if raw else without_formulas(text)


def header(names: Sequence[str]) -> bytes:
    """Return a row of names."""
    return _rows([names])


def write_rows(sink: BinaryIO, batch: pa.RecordBatch, *, raw: bool) -> None:
    """Write the rows of a batch, null as an empty cell without quotes."""
    table = pa.table([csv_column(column, raw=raw) for column in batch.columns], names=batch.schema.names)
    options = pa.csv.WriteOptions(include_header=False, quoting_style="needed")
    pa.csv.write_csv(table, sink, options)


def write_table(sink: BinaryIO, table: pa.Table, *, raw: bool) -> None:
    """Write a table with its header."""
    sink.write(header(table.schema.names))
    for batch in table.to_batches(_ROWS_AT_A_TIME):
        write_rows(sink, batch, raw=raw)


def write_pairs(sink: BinaryIO, pairs: Mapping[str, str], *, raw: bool) -> None:
    """Write names and texts, a pair a row, without a header."""
    texts = csv_column(pa.array(pairs.values(), pa.string()), raw=raw).to_pylist()
    sink.write(_rows(list(zip(pairs, texts, strict=True))))


def _rows(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _nested(values: pa.Array) -> pa.Array:
    return pc.if_else(values.is_valid(), json_text(values), pa.scalar(None, pa.string()))
