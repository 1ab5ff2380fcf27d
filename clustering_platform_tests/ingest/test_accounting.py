"""Whatever comes in: every row is accounted for, and nothing is raised but `IngestError`."""

import random
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clustering_platform.ingest.errors import AccountingError, IngestError
from clustering_platform.ingest.ingest import Ingested
from clustering_platform.ingest.quarantine import Quarantine
from clustering_platform.ingest.text_files import Scan, TextFile
from clustering_platform_tests.ingest.folders import T, ingest, votes_csv
from clustering_platform_tests.ingest.writers import as_csv, as_jsonl, as_parquet

NAMES = ["votes.csv", "votes.jsonl", "votes.parquet", "items.csv", "items.jsonl"]
PIECES = [
    *("voter_id", "item_id", "vote", "voted_at", "id", "text", "voter-id", "\ufeff", "a", "s1", "1", "-1", str(T)),
    *(
        ",",
        ";",
        "\t",
        '"',
        '""',
        "\n",
        "\r",
        "\r\n",
        "\0",
        "{",
        "}",
        "[",
        "]",
        ":",
        "NaN",
        "\\u0000",
        "\\ud800",
        "é",
        " ",
    ),
    "voter_id,item_id,vote,voted_at\n",
    "id,text\n",
    f"a,s1,1,{T}\n",
    '{"voter_id": "a", "item_id": "s1", "vote": 1, "voted_at": 1790000000000}\n',
    '{"id": "s1", "text": "x"}\n',
]


def check_accounting(ingested: Ingested) -> None:
    refused = Counter(ingested.quarantine["file"].to_pylist())
    for row in ingested.report.to_pylist():
        assert row["read"] == row["accepted"] + row["quarantined"] + row["superseded"]
        assert row["quarantined"] == refused[row["file"]]
    votes = [row for row in ingested.report.to_pylist() if row["content"] == "votes"]
    assert sum(row["accepted"] + row["superseded"] for row in votes) == len(ingested.votes)
    assert ingested.votes["is_superseded"].to_pylist().count(True) == sum(row["superseded"] for row in votes)
    lines = [(row["file"], row["line"]) for row in ingested.quarantine.to_pylist()]
    assert len(lines) == len(set(lines))


def try_to_ingest(folder: Path, name: str, content: bytes) -> None:
    try:
        ingested = ingest(folder, {name: content})
    except IngestError:
        return
    check_accounting(ingested)


@given(st.sampled_from(NAMES), st.binary(max_size=300))
@example("votes.csv", b"\xff\xfe")
@example("votes.csv", b"\xff\xfea")
@example("votes.parquet", b"PAR1PAR1")
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes) -> None:
    try_to_ingest(tmp_path_factory.mktemp("bytes"), name, content)


@given(st.sampled_from(NAMES), st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_text_made_of_telling_pieces_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, pieces: list[str]
) -> None:
    head = "voter_id,item_id,vote,voted_at\n" if name == "votes.csv" else "id,text\n" if name == "items.csv" else ""
    try_to_ingest(tmp_path_factory.mktemp("text"), name, (head + "".join(pieces)).encode())


@given(
    st.integers(0, 30),
    st.sampled_from(["csv", "jsonl", "parquet"]),
    st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), max_size=6),
)
def test_good_rows_with_spoilt_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, n: int, ending: str, spoilt: list[tuple[int, int]]
) -> None:
    table = pa.table(
        {
            "voter_id": [f"v{i % 4}" for i in range(n)],
            "item_id": [f"s{i % 3}" for i in range(n)],
            "vote": [i % 3 - 1 for i in range(n)],
            "voted_at": [T + i for i in range(n)],
        }
    )
    content = bytearray({"csv": as_csv, "jsonl": as_jsonl, "parquet": as_parquet}[ending](table))
    for place, byte in spoilt:
        if content:
            content[place % len(content)] = byte
    try_to_ingest(tmp_path_factory.mktemp("spoilt"), f"votes.{ending}", bytes(content))


@given(st.integers(0, 2**32), st.integers(0, 60))
def test_counts_are_those_of_the_rows_that_were_written(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n: int
) -> None:
    rng = random.Random(seed)
    rows = [
        [f"v{rng.randrange(3)}", f"s{rng.randrange(3)}", rng.choice([1, 0, -1, "x", ""]), T + rng.randrange(3)]
        for _ in range(n)
    ]
    ingested = ingest(tmp_path_factory.mktemp("rows"), {"votes.csv": votes_csv(rows)})
    good = [row for row in rows if row[2] not in ("x", "")]
    assert ingested.read == n
    assert ingested.quarantined == n - len(good)
    assert ingested.accepted == len({(row[0], row[1]) for row in good})
    check_accounting(ingested)


def test_rows_that_get_lost_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Quarantine, "add", lambda *_, **__: None)
    with pytest.raises(AccountingError, match=r"votes\.csv"):
        ingest(tmp_path, {"votes.csv": votes_csv([["a", "s1", "x", T]])})


def test_lines_that_are_not_parsed_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TextFile, "scan", lambda _: Scan(99, has_nul=False))
    with pytest.raises(AccountingError, match="2 of 99 lines"):
        ingest(tmp_path, {"votes.csv": votes_csv([["a", "s1", 1, T]])})


def test_the_same_files_give_the_same_tables(tmp_path: Path) -> None:
    rows = [[f"v{i * 7 % 11}", f"s{i % 5}", i % 3 - 1, T + i % 4] for i in range(200)]
    first, second = (ingest(tmp_path / name, {"votes.csv": votes_csv(rows)}) for name in ("first", "second"))
    assert first == second
