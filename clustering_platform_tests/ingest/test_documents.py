"""Documents: text files that become items, and those that cannot."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.ingest import documents
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.ingested import Ingested
from clustering_platform_tests.ingest.folders import ITEMS, T, findings, ingest, votes_csv
from clustering_platform_tests.ingest.test_accounting import check_accounting

SAID = {"source": {"format": "documents"}}


def texts_of(ingested: Ingested) -> dict[str, str]:
    check_accounting(ingested)
    return dict(zip(ingested.items["item_id"].to_pylist(), ingested.items["text"].to_pylist(), strict=True))


def test_text_files_are_items_under_their_path(tmp_path: Path) -> None:
    files = {"one.txt": "First.\r\nSecond line.\n", "deep/er/two.md": b"\xef\xbb\xbf# Caf\xc3\xa9", "UP.TXT": "x"}
    ingested = ingest(tmp_path, files)
    assert texts_of(ingested) == {"UP.TXT": "x", "deep/er/two.md": "# Café", "one.txt": "First.\nSecond line.\n"}
    sizes = {row["item_id"]: json.loads(row["metadata"]) for row in ingested.items.to_pylist()}
    assert sizes == {"UP.TXT": {"bytes": 1}, "deep/er/two.md": {"bytes": 10}, "one.txt": {"bytes": 21}}
    assert set(ingested.items["is_listed"].to_pylist()) == {True}


def test_there_is_one_row_for_each_file(tmp_path: Path) -> None:
    ingested = ingest(tmp_path, {"a.txt": "a", "b.txt": "", "c.md": "c"})
    assert ingested.report.select(["file", "content", "read", "accepted", "quarantined"]).to_pylist() == [
        {"file": "a.txt", "content": "documents", "read": 1, "accepted": 1, "quarantined": 0},
        {"file": "b.txt", "content": "documents", "read": 1, "accepted": 0, "quarantined": 1},
        {"file": "c.md", "content": "documents", "read": 1, "accepted": 1, "quarantined": 0},
    ]


def test_documents_with_equal_content_are_items_of_their_own(tmp_path: Path) -> None:
    assert texts_of(ingest(tmp_path, {"a.txt": "same", "b.txt": "same"})) == {"a.txt": "same", "b.txt": "same"}


FAULTS = [
    (b"one\ncaf\xe9\n", 2, "not_decodable", "column 4: the byte 0xe9 (byte 7 of the file)"),
    (b"one\ntwo\0three", 2, "nul_byte", "column 4"),
    (b"", 1, "file_empty", None),
    (b" \n\t\n", 1, "file_empty", None),
    (b" \n" * 5000, 1, "file_empty", None),
    (b"%PDF-1.7 ...", 1, "file_not_text", "is a PDF, not text; export it as CSV, JSONL or Parquet"),
    ("wide".encode("utf-16-le"), 1, "file_not_text", "looks like UTF-16"),
]


@pytest.mark.parametrize(("content", "line", "reason", "value"), FAULTS)
def test_a_bad_document_is_refused_with_its_place_and_the_others_are_read(
    tmp_path: Path, content: bytes, line: int, reason: str, value: str | None
) -> None:
    ingested = ingest(tmp_path, {"bad.txt": content, "good.txt": "fine"})
    assert texts_of(ingested) == {"good.txt": "fine"}
    (row,) = ingested.quarantine.to_pylist()
    assert (row["file"], row["line"], row["reason"]) == ("bad.txt", line, reason)
    assert (row["value"] or "").startswith(value or "")
    assert (row["value"] is None) == (value is None)


def test_a_document_has_a_limit_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"long.txt": "word " * 60_000}
    assert len(texts_of(ingest(tmp_path / "one", files))["long.txt"]) == 300_000
    monkeypatch.setattr(documents, "LARGEST_DOCUMENT", 1000)
    refused = ingest(tmp_path / "two", files).quarantine.to_pylist()
    assert [(row["reason"], row["value"]) for row in refused] == [("document_too_large", "300,000 bytes")]


def test_another_encoding_is_read_where_it_is_named(tmp_path: Path) -> None:
    ingested = ingest(tmp_path, {"a.txt": b"caf\xe9"}, {"source": {"encoding": "latin-1"}})
    assert texts_of(ingested) == {"a.txt": "café"}


def test_a_name_with_control_characters_is_no_id(tmp_path: Path) -> None:
    ingested = ingest(tmp_path, {"a\nb.txt": "x", "c.txt": "y"})
    assert texts_of(ingested) == {"c.txt": "y"}
    assert ingested.quarantine["reason"].to_pylist() == ["item_id_unusable"]


@pytest.mark.parametrize("name", ["README.md", "notes.txt", "deep/notes.txt"])
@pytest.mark.parametrize("table", [{"votes.csv": votes_csv([["a", "s1", 1, T]])}, {"items.csv": ITEMS}])
def test_notes_beside_tables_are_no_items_and_are_told_about(tmp_path: Path, name: str, table: dict[str, str]) -> None:
    ingested = ingest(tmp_path, {**table, name: "how this was made"})
    assert name not in texts_of(ingested)
    assert any(f"{name} was not read" in finding for finding in findings(ingested))


@pytest.mark.parametrize("other", ["votes.xlsx", "votes.zip", "items.json", "vectors.npy", "rows.csv"])
def test_notes_beside_data_that_cannot_be_read_are_no_items(tmp_path: Path, other: str) -> None:
    with pytest.raises(IngestError) as error:
        ingest(tmp_path, {other: "id,title\n1,x\n", "notes.txt": "x"})
    assert f"{other}: " in str(error.value)


def test_documents_beside_tables_are_items_where_the_settings_say_so(tmp_path: Path) -> None:
    files = {"items.csv": ITEMS, "votes.csv": votes_csv([["a", "one.txt", 1, T]]), "one.txt": "A document"}
    ingested = ingest(tmp_path, files, SAID)
    assert texts_of(ingested) == {"s1": "First statement", "s2": "Second statement", "one.txt": "A document"}
    assert ingested.votes["item_id"].to_pylist() == ["one.txt"]


def test_documents_that_are_promised_and_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"no file ends in \.txt or \.md"):
        ingest(tmp_path, {"items.csv": ITEMS}, SAID)


@given(st.dictionaries(st.sampled_from(["a.txt", "b.md", "c/d.txt"]), st.binary(max_size=60), min_size=1))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    ingested = ingest(tmp_path_factory.mktemp("documents"), files)
    assert ingested.read == len(files)
    assert len(texts_of(ingested)) + ingested.quarantined == len(files)
