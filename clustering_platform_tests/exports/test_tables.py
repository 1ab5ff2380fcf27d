"""Tables as files: all rows, in every format, of the commits that were asked for."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clustering_platform.exports.errors import ExportError
from clustering_platform.exports.tables import FORMATS, CommittedRows, Format, find_rows, write_rows
from clustering_platform.store.commits import Commit, Commits, committed
from clustering_platform.store.files import Files
from clustering_platform.tables import TABLES

DAYS = (date(2026, 3, 30), date(2026, 3, 31))
HOSTILE = ("=1+1", 'a "quoted" text', "two\nlines", "naïve 投票 🗳", "-1", "")


def items(texts: tuple[str, ...]) -> pa.Table:
    rows = [
        {"item_id": str(place), "text": text, "moderation": -1, "is_meta": False, "is_seed": False, "is_listed": True}
        | {"created_at": datetime(2026, 3, 1, tzinfo=UTC)}
        for place, text in enumerate(texts)
    ]
    return pa.Table.from_pylist(rows, schema=TABLES["items"].schema())


def groups(size: int) -> pa.Table:
    row = {"group_id": 0, "letter": "A", "size": size, "share": 1.0, "x": -0.5, "y": 0.25, "base_cluster_ids": [0, 2]}
    return pa.Table.from_pylist([row], schema=TABLES["groups"].schema())


def publish(commits: Commits, table: str, content: pa.Table, day: date | None) -> None:
    """Commit one table."""
    sequence = commits.last_sequence("talk") + 1
    file = commits.files.write(content, TABLES[table], dataset="talk", day=day, run_id=f"run{sequence}", inputs={})
    commits.publish(
        Commit(
            dataset="talk",
            day=day,
            sequence=sequence,
            status="ready",
            run_id=f"run{sequence}",
            fingerprint="",
            code_version="",
            tables=committed({table: file}),
        )
    )


@pytest.fixture
def commits(tmp_path: Path) -> Commits:
    """A warehouse with items, and groups of two days; the second day was made twice."""
    made = Commits(Files(tmp_path / "warehouse"))
    publish(made, "items", items(HOSTILE), None)
    for size, day in enumerate((*DAYS, DAYS[1]), start=1):
        publish(made, "groups", groups(size), day)
    return made


def text(rows: CommittedRows, kind: Format, *, raw: bool = False) -> str:
    sink = io.BytesIO()
    write_rows(rows, sink, kind, raw=raw)
    return sink.getvalue().decode()


def records(rows: CommittedRows, kind: Format) -> list[dict[str, Any]]:
    if kind == "jsonl":
        return [json.loads(line) for line in text(rows, kind).split("\n")[:-1]]
    if kind == "json":
        found: list[dict[str, Any]] = json.loads(text(rows, kind))
        return found
    sink = io.BytesIO()
    write_rows(rows, sink, kind)
    rows_read: list[dict[str, Any]] = pq.read_table(pa.BufferReader(sink.getvalue())).to_pylist()
    return rows_read


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_every_text_comes_back(commits: Commits, kind: Format) -> None:
    found = records(find_rows(commits, "talk", "items", None), kind)
    assert tuple(row["text"] for row in found) == HOSTILE
    assert list(found[0]) == [column.name for column in TABLES["items"].stored_columns]
    assert {row["dataset"] for row in found} == {"talk"}


def test_csv_is_safe_unless_raw(commits: Commits) -> None:
    rows = find_rows(commits, "talk", "items", None)
    safe, raw = (
        [row["text"] for row in csv.DictReader(io.StringIO(text(rows, "csv", raw=raw), newline=""))]
        for raw in (False, True)
    )
    assert safe == ["'=1+1", *HOSTILE[1:]]
    assert tuple(raw) == HOSTILE
    assert '"-1",,"' not in text(rows, "csv")
    assert ",-1,false" in text(rows, "csv")


def test_times_are_iso_and_lists_json(commits: Commits) -> None:
    assert "2026-03-01T00:00:00.000000Z" in text(find_rows(commits, "talk", "items", None), "csv")
    row = next(csv.DictReader(io.StringIO(text(find_rows(commits, "talk", "groups", None), "csv"))))
    assert (row["day"], row["x"], row["base_cluster_ids"]) == ("2026-03-31", "-0.5", "[0, 2]")


@pytest.mark.parametrize(
    ("table", "day", "sizes"),
    [
        ("groups", None, [3]),
        ("groups", DAYS[0], [1]),
        ("groups_history", None, [1, 3]),
        ("groups_history", DAYS[0], [1]),
    ],
)
def test_the_newest_commit_of_each_day_asked_for_is_read(
    commits: Commits, table: str, day: date | None, sizes: list[int]
) -> None:
    assert [row["size"] for row in records(find_rows(commits, "talk", table, day), "jsonl")] == sizes


@pytest.mark.parametrize(
    ("table", "day", "said"),
    [
        ("grups", None, "did you mean 'groups'"),
        ("grups_history", None, "did you mean 'groups'"),
        ("zzz", None, "there are: items, votes"),
        ("items_history", None, "no history; did you mean 'items'"),
        ("items", DAYS[0], "leave out --day"),
        ("groups", DAYS[1] + timedelta(days=3), "nearest day that is: 2026-03-31"),
        ("voter_groups", None, "run it again"),
    ],
)
def test_what_cannot_be_had_is_told_with_what_can(commits: Commits, table: str, day: date | None, said: str) -> None:
    with pytest.raises(ExportError, match=said):
        find_rows(commits, "talk", table, day)


def test_nothing_published_is_told(tmp_path: Path) -> None:
    for table in ("items", "groups"):
        with pytest.raises(ExportError, match="clustering run talk"):
            find_rows(Commits(Files(tmp_path)), "talk", table, None)


def test_a_file_that_is_gone_is_named(commits: Commits) -> None:
    rows = find_rows(commits, "talk", "items", None)
    rows.paths[0].unlink()
    with pytest.raises(ExportError, match="gone or damaged"):
        write_rows(rows, io.BytesIO(), "csv")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_table_without_rows_is_a_file_of_its_format(tmp_path: Path, kind: Format) -> None:
    made = Commits(Files(tmp_path))
    publish(made, "items", TABLES["items"].empty(), None)
    rows = find_rows(made, "talk", "items", None)
    if kind == "csv":
        assert text(rows, kind).splitlines() == [",".join(column.name for column in TABLES["items"].stored_columns)]
    else:
        assert records(rows, kind) == []


def test_a_column_that_an_older_file_lacks_is_null(commits: Commits, tmp_path: Path) -> None:
    rows = find_rows(commits, "talk", "groups", None)
    older = tmp_path / "older.parquet"
    pq.write_table(pq.read_table(rows.paths[0]).drop_columns(["letter"]), older)
    for kind in ("jsonl", "json", "parquet"):
        both = CommittedRows(rows.contract, (), (older, *rows.paths))
        assert [row["letter"] for row in records(both, kind)] == [None, "A"]


@pytest.mark.parametrize("kind", FORMATS)
def test_many_rows_are_written_in_batches(tmp_path: Path, kind: Format) -> None:
    made = Commits(Files(tmp_path))
    publish(made, "items", items(tuple(f"text {row}" for row in range(70_000))), None)
    rows = find_rows(made, "talk", "items", None)
    assert max(batch.num_rows for batch in rows.batches()) <= 20_000
    sink = io.BytesIO()
    assert write_rows(rows, sink, kind) == 70_000
    if kind == "jsonl":
        assert [row["item_id"] for row in records(rows, kind)] == [str(row) for row in range(70_000)]
