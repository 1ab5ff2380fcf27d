"""Ids of people do not leave ingest, whatever happens to the rows they are in."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest

from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.ingest import Ingested
from clustering_platform_tests.ingest.folders import KEYED, T, ingest
from clustering_platform_tests.ingest.writers import as_parquet

CANARIES = [f"Zq{number}-canary" for number in range(10)]
A, B, C, D, E, F, G, H, AUTHOR, OTHER = CANARIES

VOTES = "".join(
    [
        "voter_id,item_id,vote,voted_at,voter_type\n",
        f"{A},s1,1,{T},user\n",
        f"{B},s1,maybe,{T},user\n",
        f"{C}\x07,s1,1,{T},user\n",
        f"{D * 60},s1,1,{T},user\n",
        f"{E},s1,1\n",
        f"{F}\0,s1,1,{T},user\n",
        f'"{G}"x,s1,1,{T},user\n',
        f"s1,{A},{A},{T},user\n",
        f"{H},s1,1,{A},{A}\n",
        f"{H},s1,1,{T},{A}\n",
    ]
)
ITEMS = "".join(
    [
        "id,text,author,xid,participant,moderated\n",
        f"s1,One,{AUTHOR},{AUTHOR},{AUTHOR},0\n",
        f"s2,Two,{OTHER}\x07,{OTHER},{OTHER},0\n",
        f"s3,Three,{A},,,{A}\n",
    ]
)
LINES = "".join(
    [
        f'{{"voter_id": "{A}", "item_id": "s1", "vote": 1, "voted_at": {T}}}\n',
        f'{{"voter_id": "{B}", "item_id": "s1", "vote": 1\n',
        f'["{C}"]\n',
        f'{{"voter_id": ["{D}"], "item_id": "s1", "vote": 1, "voted_at": {T}}}\n',
        f'{{"voter_id": "{E}", "voter_id": "{F}", "vote": 1}}\n',
        f'{{"voter_id": "{G}\\u0000", "item_id": "s1", "vote": 1, "voted_at": {T}}}\n',
        f'{{"voter_id": "{H}\\ud800", "item_id": "s1", "vote": 1, "voted_at": {T}}}\n',
    ]
)


def everything_shown(ingested: Ingested) -> str:
    tables = (ingested.items, ingested.votes, ingested.voters, ingested.quarantine, ingested.report)
    return "\n".join(str(table.to_pylist()) for table in tables) + repr(ingested) + str(ingested.refusal(0))


@pytest.mark.parametrize(
    "files",
    [
        {"votes.csv": VOTES, "items.csv": ITEMS},
        {"votes.csv": VOTES.replace(",", ";")},
        {"votes.jsonl": LINES},
        {
            "votes.parquet": as_parquet(
                pa.table({"voter_id": [A, C + "\x07"], "item_id": ["s1"] * 2, "vote": ["1", A], "voted_at": [T] * 2})
            )
        },
    ],
)
def test_no_table_shows_the_id_of_a_person(
    files: Mapping[str, str | bytes],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level(logging.DEBUG):
        ingested = ingest(tmp_path, files, pseudonyms=KEYED)
    assert ingested.quarantined > 0
    shown = everything_shown(ingested) + caplog.text + "".join(capfd.readouterr())
    assert not [canary for canary in CANARIES if canary in shown]
    assert KEYED.of(A) in shown


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("votes.csv", f"{A},s1,1,{T}\n{B},s1,1,{T}\n"),
        ("votes.csv", f"{A},{A},{A}\n"),
        ("votes.csv", f'voter_id,item_id,vote,voted_at\n{A},s1,1,{T}\n"{B},s1,1,{T}\n'),
        ("votes.csv", f"voter_id,item_id,vote,voted_at\n{A}\xff,s1,1,{T}\n".encode("latin-1")),
        ("votes.csv", f"voter_id,item_id,vote\n{A},s1,1\n"),
        ("items.csv", f"{A},Some text,{B}\n"),
        ("votes.jsonl", f'[{{"voter_id": "{A}"}}]'),
        ("votes.jsonl", f'{{"voter_id": "{A}"\n'),
        (
            "votes.parquet",
            as_parquet(pa.table({"voter_id": [A.encode() + b"\xff"], "item_id": ["s"], "vote": [1], "voted_at": [T]})),
        ),
        ("votes.parquet", as_parquet(pa.table({A: [1], B: [2]}))),
    ],
)
def test_no_error_shows_the_id_of_a_person(name: str, content: str | bytes, tmp_path: Path) -> None:
    with pytest.raises(IngestError) as error:
        ingest(tmp_path, {name: content}, pseudonyms=KEYED)
    chain: BaseException | None = error.value
    while chain:
        assert not [canary for canary in CANARIES if canary in f"{chain} {chain!r}"]
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)


def test_authors_and_voters_have_the_same_pseudonyms(tmp_path: Path) -> None:
    files = {"votes.csv": f"pid,tid,vote,created\n{A},s1,1,{T}\n", "items.csv": f"id,text,author\ns1,One,{A}\n"}
    ingested = ingest(tmp_path, files, pseudonyms=KEYED)
    assert ingested.items["author_id"].to_pylist() == ingested.votes["voter_id"].to_pylist() == [KEYED.of(A)]


def test_with_plain_ids_the_quarantine_shows_them(tmp_path: Path) -> None:
    rows = ingest(tmp_path, {"votes.csv": VOTES}).quarantine.to_pylist()
    assert next(row["value"] for row in rows if row["reason"] == "voter_id_unusable") == f"{C}\\x07"


def test_values_that_tell_nothing_of_a_person_are_shown(tmp_path: Path) -> None:
    rows = ingest(tmp_path, {"votes.csv": VOTES}, pseudonyms=KEYED).quarantine.to_pylist()
    assert [row["value"] for row in rows if row["line"] == 3] == ["maybe"]
