"""Columns as JSON text: whatever is in them, a JSON reader gets it back."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.exports.json_text import json_rows, json_text

texts = st.text(
    st.one_of(st.sampled_from('"\\\n\t\x00\x1f\x7f\u2028'), st.characters(exclude_categories=["Cs"])), max_size=8
)
COLUMNS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.string(), texts),
    (pa.bool_(), st.booleans()),
    (pa.int8(), st.integers(-128, 127)),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)),
    (pa.list_(pa.string()), st.lists(texts, max_size=3)),
    (pa.list_(pa.list_(pa.int32())), st.lists(st.lists(st.integers(0, 9), max_size=2), max_size=2)),
]


@pytest.mark.parametrize(("kind", "values"), COLUMNS, ids=lambda value: str(value)[:20])
@given(data=st.data())
def test_values_come_back(kind: pa.DataType, values: st.SearchStrategy[Any], data: st.DataObject) -> None:
    drawn = data.draw(st.lists(st.one_of(st.none(), values), max_size=6))
    start = data.draw(st.integers(0, len(drawn)))
    column = pa.array(drawn, kind).slice(start)
    assert [json.loads(text) for text in json_text(column).to_pylist()] == drawn[start:]


def test_times_are_iso_in_utc_and_bytes_base64() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    times = pa.array([at, None], pa.timestamp("us", "Europe/Vienna"))
    assert json_text(times).to_pylist() == ['"2026-03-01T12:00:00.000000Z"', "null"]
    assert json_text(pa.array([date(2026, 3, 1)])).to_pylist() == ['"2026-03-01"']
    assert json_text(pa.array([b"\x00\xff"])).to_pylist() == ['"AP8="']


def test_a_figure_that_json_does_not_have_is_null() -> None:
    assert json_text(pa.array([1.5, float("nan"), float("inf")])).to_pylist() == ["1.5", "null", "null"]


def test_a_row_is_an_object_in_the_order_of_the_columns() -> None:
    batch = pa.RecordBatch.from_pydict({"b": [1, 2], 'a"': ["x", None]})
    assert [json.loads(row) for row in json_rows(batch).to_pylist()] == [{"b": 1, 'a"': "x"}, {"b": 2, 'a"': None}]
    assert json_rows(batch).to_pylist()[0] == '{"b": 1, "a\\"": "x"}'
