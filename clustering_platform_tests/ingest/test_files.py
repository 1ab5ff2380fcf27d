"""What is read of a folder, and files that are more than their content."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clustering_platform.datasets import Dataset, DatasetError
from clustering_platform.ingest import csv_rows, parquet_files, text_files
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.readers import open_reader
from clustering_platform.ingest.records import Reader
from clustering_platform.ingest.sources import find_sources
from clustering_platform_tests.ingest.folders import (
    ITEMS,
    VOTES_HEADER,
    T,
    findings,
    ingest,
    make_dataset,
    refused,
    votes_csv,
)

VOTES = votes_csv([["a", "s1", 1, T], ["b", "s1", -1, T]])


def opened(folder: Path, name: str) -> Reader:
    return open_reader(folder / name, name, Dataset("conversation", folder).config.source)


@pytest.mark.parametrize("name", ["../../etc", "/abs", "a|b", "a\nb", "", "CON", "a.", "x" * 300])
def test_names_that_lead_elsewhere_cannot_name_a_dataset(name: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        Dataset(name, tmp_path)


def test_links_are_not_followed(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "inside", {"votes.csv": VOTES})
    (tmp_path / "outside.csv").write_text(ITEMS)
    (dataset.folder / "items.csv").symlink_to(tmp_path / "outside.csv")
    with pytest.raises(DatasetError, match=r"items\.csv: is a link"):
        find_sources(dataset)
    with pytest.raises(IngestError, match=r"items\.csv: cannot be opened"):
        opened(dataset.folder, "items.csv")


def test_pipes_are_neither_read_nor_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "items.csv")
    assert len(ingest(tmp_path, {"votes.csv": VOTES}).votes) == 2
    with pytest.raises(IngestError, match="is not a regular file"):
        opened(tmp_path, "items.csv")


@pytest.mark.parametrize("name", ["votes.csv", "votes.jsonl", "votes.parquet"])
def test_file_that_changes_while_it_is_read_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "votes.csv":
        path.write_text(VOTES)
    elif name == "votes.jsonl":
        path.write_text('{"voter_id": "a"}\n')
    else:
        pq.write_table(pa.table({"voter_id": ["a"]}), path)
    reader = opened(tmp_path, name)
    os.utime(path, (1, 1))
    with pytest.raises(IngestError, match="changed while it was read"):
        list(reader.records(["voter_id"]))


def test_bytes_that_stop_being_text_meanwhile_are_a_change_too(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(VOTES)
    reader = opened(tmp_path, "votes.csv")
    text_files.TextFile.scan(reader._text)  # type: ignore[attr-defined]
    path.write_bytes(VOTES.encode() + b"\xff")
    with pytest.raises(IngestError):
        list(reader.records(["voter_id"]))


def test_parquet_that_decodes_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 20_000
    table = pa.table(
        {"voter_id": ["v" * 500] * rows, "item_id": ["s"] * rows, "vote": [1] * rows, "voted_at": [T] * rows}
    )
    pq.write_table(table, tmp_path / "votes.parquet", compression="zstd")
    assert (tmp_path / "votes.parquet").stat().st_size < 5_000
    monkeypatch.setattr(parquet_files, "LARGEST_DECODED", 2**20)
    with pytest.raises(IngestError, match=r"votes\.parquet: decodes to more than"):
        ingest(tmp_path, {})


def test_parquet_that_says_it_has_too_many_rows_is_not_even_opened_for_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(pa.table({"voter_id": ["v"] * 1000}), tmp_path / "votes.parquet")
    monkeypatch.setattr(parquet_files, "LARGEST_DECODED", 100)
    with pytest.raises(IngestError, match="decodes to more than"):
        opened(tmp_path, "votes.parquet")


@pytest.mark.parametrize("content", ["voter_id" + "x" * 3000, VOTES + "a" * 3000, '{"voter_id": "' + "x" * 3000])
def test_line_without_end_is_refused_before_it_fills_the_memory(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_files, "LONGEST_LINE", 1000)
    name = "votes.jsonl" if content.startswith("{") else "votes.csv"
    with pytest.raises(IngestError, match=r"longer than 1,000 characters"):
        ingest(tmp_path, {name: content})


def test_quoted_value_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_rows, "LONGEST_LINE", 100_000)
    text = 'id,text\ns1,"' + "all the rest\n" * 50_000 + '"\n'
    with pytest.raises(IngestError, match=r"items\.csv: line 2: a quote opens"):
        ingest(tmp_path, {"items.csv": text})


def test_rows_know_the_line_on_which_they_start(tmp_path: Path) -> None:
    text = 'id,text,mod\n\ns1,"a\nb\r\nc",9\n\ns2,d,9\n"s3\n",e,9\n'
    assert refused(ingest(tmp_path, {"items.csv": text})) == [
        (3, "moderation_unknown"),
        (7, "moderation_unknown"),
        (8, "item_id_unusable"),
    ]


def test_rows_are_read_in_chunks_without_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [[f"v{i}", f"s{i % 7}", i % 3 - 1 if i % 10 else "?", T + i] for i in range(1000)]
    whole = ingest(tmp_path / "whole", {"votes.csv": votes_csv(rows)})
    for module in ("csv_files", "jsonl_files"):
        monkeypatch.setattr(f"clustering_platform.ingest.{module}.CHUNK_ROWS", 7)
    chunked = ingest(tmp_path / "chunked", {"votes.csv": votes_csv(rows)})
    monkeypatch.setattr("clustering_platform.ingest.csv_rows.CHUNK_CHARACTERS", 50)
    short = ingest(tmp_path / "short", {"votes.csv": votes_csv(rows)})
    assert (whole.accepted, whole.quarantined) == (900, 100)
    assert whole == chunked == short


def test_votes_of_several_files_are_one_log(tmp_path: Path) -> None:
    files = {
        "2026/a.csv": votes_csv([["a", "s1", 1, T + 2], ["b", "s1", 1, T]]),
        "2026/b.csv": votes_csv([["a", "s1", -1, T + 1], ["b", "s1", -1, T]]),
    }
    ingested = ingest(tmp_path, files)
    assert ingested.votes.select(["voter_id", "vote", "is_superseded"]).to_pylist() == [
        {"voter_id": "b", "vote": 1, "is_superseded": True},
        {"voter_id": "b", "vote": -1, "is_superseded": False},
        {"voter_id": "a", "vote": -1, "is_superseded": True},
        {"voter_id": "a", "vote": 1, "is_superseded": False},
    ]
    counts = ["file", "read", "accepted", "quarantined", "superseded"]
    assert [list(row.values()) for row in ingested.report.select(counts).to_pylist()] == [
        ["2026/a.csv", 2, 1, 0, 1],
        ["2026/b.csv", 2, 1, 0, 1],
    ]


def test_columns_may_be_named_in_the_settings(tmp_path: Path) -> None:
    config = {"source": {"columns": {"voter_id": "who", "item_id": "what", "voted_at": "when"}}}
    ingested = ingest(tmp_path, {"v.csv": f"who,what,vote,when,item\na,s1,1,{T},x\n"}, config)
    assert ingested.votes.select(["voter_id", "item_id"]).to_pylist() == [{"voter_id": "a", "item_id": "s1"}]


@pytest.mark.parametrize(
    "header", ["voter-id,comment-id,vote,timestamp", "pid,tid,vote,created", "Participant , Item ID,VOTE,voted at"]
)
def test_names_of_other_systems_are_known(header: str, tmp_path: Path) -> None:
    assert len(ingest(tmp_path, {"v.csv": f"{header}\na,s1,1,{T}\n"}).votes) == 1


def test_nothing_found_names_every_file_looked_at(tmp_path: Path) -> None:
    files = {"a.csv": "id,title\n1,x\n", "b.txt": "x", "c.json": "[]"}
    with pytest.raises(IngestError) as error:
        ingest(tmp_path, files)
    assert "a.csv: holds neither votes nor items: items need item_id, text; no column for text" in str(error.value)
    assert "b.txt: is neither CSV, JSONL nor Parquet" in str(error.value)
    assert "c.json: is JSON; write one object a line" in str(error.value)


def test_refusal_says_how_much_why_where_and_what_to_do(tmp_path: Path) -> None:
    rows = [["a", f"s{i}", "?" if i < 3 else "" if i < 5 else 1, T] for i in range(20)]
    ingested = ingest(tmp_path, {"votes.csv": votes_csv(rows)})
    assert ingested.quarantined_share == 5 / 20
    assert ingested.refusal(0.25) is None
    message = ingested.refusal(0.05) or ""
    assert "5 of 20 rows were refused, 25.0% where 5.0% may be" in message
    assert "vote_out_of_range (3 rows, first votes.csv:2:" in message
    assert "vote_missing (2 rows, first votes.csv:5:" in message
    assert "ingest.max_quarantined" in message


def test_a_dataset_of_items_alone_has_no_votes_and_the_other_way_round(tmp_path: Path) -> None:
    items_only = ingest(tmp_path / "items", {"items.csv": ITEMS})
    assert (len(items_only.items), len(items_only.votes), len(items_only.voters)) == (2, 0, 0)
    votes_only = ingest(tmp_path / "votes", {"votes.csv": VOTES})
    assert votes_only.items.to_pylist() == [
        {
            "item_id": "s1",
            "text": None,
            "created_at": None,
            "author_id": None,
            "moderation": 0,
            "is_meta": False,
            "is_seed": False,
            "is_listed": False,
            "first_vote_at": votes_only.votes["voted_at"][0].as_py(),
            "file": None,
            "file_hash": None,
            "metadata": None,
        }
    ]
    assert any("no item file lists: 2" in finding for finding in findings(votes_only))
    assert VOTES.startswith(VOTES_HEADER)
