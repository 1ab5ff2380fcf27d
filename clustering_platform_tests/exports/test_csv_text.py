"""CSV that a spreadsheet may open: nothing in it is computed, and everything comes back."""

import csv
import io
import re
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.exports.csv_text import without_formulas, write_pairs, write_table

TRIGGERS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
texts = st.text(
    st.one_of(st.sampled_from("=+-@;\t\r\n ,\"'a1\uff1d"), st.characters(exclude_categories=["Cs"])), max_size=12
)


def written(table: pa.Table, *, raw: bool = False) -> str:
    sink = io.BytesIO()
    write_table(sink, table, raw=raw)
    return sink.getvalue().decode()


def parsed(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def guarded(text: str) -> str:
    return str(without_formulas(pa.array([text]))[0])


@pytest.mark.parametrize(
    "text", ["=1+1", "+SUM(A1)", "-cmd", "@x", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1+1", '=HYPERLINK("http://x","y")']
)
def test_what_a_spreadsheet_would_compute_becomes_text(text: str) -> None:
    assert guarded(text).startswith("'")


def test_what_follows_a_separator_of_another_country_or_a_line_break_is_guarded_too() -> None:
    assert guarded("a;=1") == "a;'=1"
    assert guarded("list:\n- one\n- two") == "list:\n'- one\n'- two"
    assert guarded('a;"=1') == "a;\"'=1"


@given(st.lists(texts, min_size=1))
def test_no_cell_begins_with_a_formula_where_a_spreadsheet_splits_at_semicolons_or_tabs(values: list[str]) -> None:
    text = written(pa.table({"number": pa.array([1] * len(values)), "text": values}))
    for delimiter in ";\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            assert not any(re.match(r" *[=+@\-\uff1d]", cell) and not is_number(cell) for cell in row[1:])


def is_number(text: str) -> bool:
    return re.fullmatch(r" *[+-]?[0-9.]+([eE][+-]?[0-9]+)?", text) is not None


@pytest.mark.parametrize("text", ["", "a=b", "a - b", "x@y", "'=1", "1-2", '"=1"', "a,=1", "-", "é"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert guarded(text) == ("'-" if text == "-" else text)


@pytest.mark.parametrize("number", ["-1", "+49301234567", "-1.5", "1e5", "-2E-3"])
def test_a_text_that_is_a_number_stays_one(number: str) -> None:
    assert guarded(number) == number


@given(st.lists(texts, min_size=1))
def test_no_cell_begins_with_a_trigger_unless_it_is_a_number(values: list[str]) -> None:
    for (cell,) in parsed(written(pa.table({"text": values})))[1:]:
        assert not cell.startswith(TRIGGERS) or float(cell) is not None


@given(st.lists(st.one_of(st.none(), texts), min_size=1))
def test_raw_text_comes_back_whatever_is_in_it(values: list[str | None]) -> None:
    rows = parsed(written(pa.table({"n": range(len(values)), "text": pa.array(values, pa.string())}), raw=True))
    assert [cell for _, cell in rows[1:]] == [value or "" for value in values]


def test_null_and_empty_text_can_be_told_apart() -> None:
    assert written(pa.table({"a": pa.array([None, ""], pa.string()), "b": [1, 2]})) == 'a,b\n,1\n"",2\n'


def test_numbers_and_booleans_stay_bare_and_times_are_iso() -> None:
    table = pa.table(
        {
            "vote": pa.array([-1], pa.int8()),
            "x": [-0.5],
            "ok": [True],
            "at": pa.array([datetime(2026, 3, 1, 12, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            "day": [date(2026, 3, 1)],
        }
    )
    assert written(table) == 'vote,x,ok,at,day\n-1,-0.5,true,"2026-03-01T12:00:00.000000Z","2026-03-01"\n'


def test_lists_and_bytes_are_json_in_one_cell() -> None:
    table = pa.table({"ids": pa.array([["a", 'b"'], None, []], pa.list_(pa.string())), "key": [b"\x00\xff", b"", None]})
    assert parsed(written(table))[1:] == [['["a", "b\\""]', '"AP8="'], ["", '""'], ["[]", ""]]


def test_a_table_without_rows_is_its_header() -> None:
    assert written(pa.table({"a,b": pa.array([], pa.string()), "c": pa.array([], pa.int8())})) == '"a,b",c\n'


def test_pairs_are_guarded_as_well() -> None:
    sink = io.BytesIO()
    write_pairs(sink, {"topic": '=1+1, "x"', "voters": "3", "url": ""}, raw=False)
    assert sink.getvalue() == b'topic,"\'=1+1, ""x"""\nvoters,3\nurl,\n'
