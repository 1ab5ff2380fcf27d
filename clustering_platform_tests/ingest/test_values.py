"""What accepted values become: ids and texts exactly, votes and times as numbers, order and re-votes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.ingest.arrays import successive
from clustering_platform.ingest.times import read_times, resolve
from clustering_platform.ingest.votes import NO_VOTES, VoteLog, in_order, parse_votes
from clustering_platform.tables import TABLES
from clustering_platform_tests.ingest.folders import ITEMS, NOW, T, findings, ingest, last_votes, votes_csv


def row_of(ingested_items: pa.Table, item_id: str) -> dict[str, object]:
    return next(row for row in ingested_items.to_pylist() if row["item_id"] == item_id)


@pytest.mark.parametrize("name", ["00123", "NA", "null", "nan", "1e5", "TRUE", "a|b", " a", "9007199254740993", "None"])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_ids_are_text_and_kept_exactly(name: str, kind: str, tmp_path: Path) -> None:
    row = f'{{"voter_id": "{name}", "item_id": "{name}", "vote": 1, "voted_at": {T}}}\n'
    text = votes_csv([[name, name, 1, T]]) if kind == "csv" else row
    ingested = ingest(tmp_path, {f"votes.{kind}": text})
    assert last_votes(ingested) == {(name, name): 1}


def test_json_integers_beyond_floats_are_kept_exactly_as_ids(tmp_path: Path) -> None:
    digits = "9" * 400
    ids = ["9007199254740993", digits]
    lines = "".join(f'{{"voter_id": {one}, "item_id": 7, "vote": 1.0, "voted_at": {T}}}\n' for one in ids)
    assert set(last_votes(ingest(tmp_path, {"votes.jsonl": lines}))) == {(one, "7") for one in ids}


@pytest.mark.parametrize(
    "text",
    [
        "None",
        "NA",
        "",
        "  ",
        "=HYPERLINK(1)",
        "<script>alert(1)</script>",
        "a\u202eb",
        "ignore previous instructions",
        "🎉",
    ],
)
def test_texts_are_kept_raw(text: str, tmp_path: Path) -> None:
    ingested = ingest(tmp_path, {"items.csv": f'id,text\ns1,"{text}"\n'})
    assert ingested.items["text"].to_pylist() == [text]


def test_line_ends_within_texts_become_line_feeds(tmp_path: Path) -> None:
    ingested = ingest(tmp_path, {"items.csv": 'id,text\r\ns1,"a\r\nb\rc"\r\n'})
    assert ingested.items["text"].to_pylist() == ["a\nb\nc"]


def test_all_that_an_item_file_says_is_read(tmp_path: Path) -> None:
    text = (
        "tid,txt,created,pid,mod,is_meta,is-seed,topic,url,xid\n"
        f's1,"One, two",{T},ann,-1,true,0,Öl,,x1\n'
        "s2,Three,,,,,,,,\n"
    )
    items = ingest(tmp_path, {"comments.csv": text}).items
    assert items.schema == TABLES["items"].schema()
    assert items.to_pylist() == [
        {
            "item_id": "s1",
            "text": "One, two",
            "created_at": datetime.fromtimestamp(T / 1000, UTC),
            "author_id": "ann",
            "moderation": -1,
            "is_meta": True,
            "is_seed": False,
            "is_listed": True,
            "first_vote_at": None,
            "file": None,
            "file_hash": None,
            "metadata": '{"topic": "Öl"}',
        },
        {
            "item_id": "s2",
            "text": "Three",
            "created_at": None,
            "author_id": None,
            "moderation": 0,
            "is_meta": False,
            "is_seed": False,
            "is_listed": True,
            "first_vote_at": None,
            "file": None,
            "file_hash": None,
            "metadata": None,
        },
    ]


def test_the_newest_text_of_an_item_is_taken(tmp_path: Path) -> None:
    files = {"a.csv": "id,text,z\ns1,old,1\ns2,same,2\n", "b.csv": "id,text,z\ns1,new,3\ns2,same,4\n"}
    ingested = ingest(tmp_path, files)
    assert row_of(ingested.items, "s1")["text"] == "new"
    assert row_of(ingested.items, "s2")["metadata"] == '{"z": "4"}'
    assert ingested.report["superseded"].to_pylist() == [2, 0]
    assert findings(ingested) == ["items that come again later with another text, which was taken: 1"]


def test_votes_on_items_nobody_lists_are_kept_and_the_items_marked(tmp_path: Path) -> None:
    ingested = ingest(tmp_path, {"items.csv": ITEMS, "votes.csv": votes_csv([["a", "s9", 1, T], ["a", "s1", 1, T]])})
    assert ingested.items.select(["item_id", "text", "is_listed"]).to_pylist() == [
        {"item_id": "s1", "text": "First statement", "is_listed": True},
        {"item_id": "s2", "text": "Second statement", "is_listed": True},
        {"item_id": "s9", "text": None, "is_listed": False},
    ]
    assert len(ingested.votes) == 2


def test_items_named_only_by_refused_votes_are_not_listed(tmp_path: Path) -> None:
    rows = [["a", "s1", 1, T], ["a", "s2", 5, T], ["a", "s3", 1, 0]]
    assert ingest(tmp_path, {"votes.csv": votes_csv(rows)}).items["item_id"].to_pylist() == ["s1"]


def test_votes_come_in_order_of_time_and_ties_in_the_order_of_the_source(tmp_path: Path) -> None:
    rows = [["c", "s1", 1, T + 5], ["b", "s1", 1, T], ["a", "s1", 1, T], ["b", "s1", -1, T + 9]]
    votes = ingest(tmp_path, {"votes.csv": votes_csv(rows)}).votes
    assert votes.schema == TABLES["votes"].schema()
    assert votes["sequence"].to_pylist() == [0, 1, 2, 3]
    assert votes["voter_id"].to_pylist() == ["b", "a", "c", "b"]
    assert votes["is_superseded"].to_pylist() == [True, False, False, False]


def test_quarantine_shows_the_value_cut_and_escaped_and_the_column_of_the_file(tmp_path: Path) -> None:
    header = "pid,tid,vote,created\n"
    rows = [["a", "s1", "\x1b[31mred\u202e" + "x" * 300, T], ["b", "s1", "maybe", T]]
    table = ingest(tmp_path, {"votes.csv": votes_csv(rows, header)}).quarantine
    assert table.schema == TABLES["quarantine"].schema()
    first, second = table.to_pylist()
    assert first["value"].startswith("\\x1b[31mred\\u202exxx")
    assert len(first["value"]) == 200
    assert second == {
        "file": "votes.csv",
        "line": 3,
        "column": "vote",
        "value": "maybe",
        "reason": "vote_out_of_range",
        "message": second["message"],
    }


@pytest.mark.parametrize("sign", ["agree_positive", "agree_negative"])
def test_only_numeric_votes_have_a_sign_to_be_set(sign: str, tmp_path: Path) -> None:
    rows = [["a", "s1", 1, T], ["b", "s1", "agree", T], ["c", "s1", 0, T], ["d", "s1", "Ja", T]]
    config = {"source": {"vote_sign": sign, "vote_values": {"ja": 1}}}
    votes = last_votes(ingest(tmp_path, {"votes.csv": votes_csv(rows)}, config))
    assert votes == {("a", "s1"): 1 if sign == "agree_positive" else -1, ("b", "s1"): 1, ("c", "s1"): 0, ("d", "s1"): 1}


@given(st.sampled_from([1, 0, -1]), st.sampled_from(["{}", "{}.", "{}.0", " {} ", "{}.000"]))
def test_numbers_that_are_votes_are_read_in_any_spelling(vote: int, spelling: str) -> None:
    votes, is_numeric = parse_votes(pa.array([spelling.format(vote)]), {})
    assert votes.tolist() == [vote]
    assert is_numeric.all()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(-1, 1), st.integers(0, 4))))
def test_exactly_the_last_vote_of_every_pair_counts(rows: list[tuple[int, int, int, int]]) -> None:
    log = log_of(rows)
    order = in_order(log)
    expected: dict[tuple[int, int], int] = {}
    for voter, item, vote, _ in sorted(rows, key=lambda row: row[3]):
        expected[voter, item] = vote
    kept = log.take(order.rows[~order.is_superseded])
    found = dict(zip(zip(kept.voters.tolist(), kept.items.tolist(), strict=True), kept.votes.tolist(), strict=True))
    assert found == expected
    assert len(kept) == len(expected)
    assert not (order.is_changed & ~order.is_superseded).any()
    assert not (order.is_tie & ~order.is_changed).any()


def log_of(rows: list[tuple[int, int, int, int]]) -> VoteLog:
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    n = columns.shape[1]
    log = VoteLog(
        columns[0].astype(np.int32),
        columns[1].astype(np.int32),
        columns[2].astype(np.int8),
        np.ones(n, bool),
        np.zeros(n, bool),
        columns[3],
        np.zeros(n, np.int32),
    )
    return VoteLog.join([NO_VOTES, log])


@given(st.lists(st.integers(0, 5)))
def test_successive_links_every_value_to_its_next_occurrence(keys: list[int]) -> None:
    earlier, later = successive(np.array(keys, np.int64))
    expected = {i: keys.index(key, i + 1) for i, key in enumerate(keys) if key in keys[i + 1 :]}
    assert dict(zip(earlier.tolist(), later.tolist(), strict=True)) == expected


TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2026, 10, 31))
ZONES = ["Z", "+00:00", "+02:00", "-0330", "+05", " UTC", " +0100"]


@given(st.lists(st.tuples(TIMES, st.sampled_from(ZONES), st.sampled_from("T ")), min_size=1), st.booleans())
def test_dates_are_read_alike_alone_and_beside_unreadable_ones(
    rows: list[tuple[datetime, str, str]], is_spoilt: bool
) -> None:
    texts = [time.isoformat(sep) + zone for time, zone, sep in rows] + ["2026-02-30T00:00:00Z"] * is_spoilt
    resolved = resolve(read_times(pa.array(texts)), unit="auto", now=NOW)
    expected = [
        epoch_microseconds(datetime.fromisoformat(text.replace(" UTC", "Z").replace(" +", "+")))
        for text in texts[: len(rows)]
    ]
    assert resolved.microseconds[: len(rows)].tolist() == expected
    assert resolved.faults["timestamp_unreadable"].sum() == is_spoilt


def epoch_microseconds(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@given(st.lists(TIMES, min_size=1), st.sampled_from(["s", "ms", "us", "ns"]), st.sampled_from(["", ".0", ".000"]))
def test_numbers_are_read_in_the_unit_they_are_in(times: list[datetime], unit: str, suffix: str) -> None:
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    seconds = [int(time.replace(tzinfo=UTC).timestamp()) for time in times]
    texts = pa.array([f"{second * per_second}{suffix}" for second in seconds])
    resolved = resolve(read_times(texts), unit="auto", now=NOW)
    assert resolved.unit == unit
    assert resolved.microseconds.tolist() == [second * 10**6 for second in seconds]
    assert resolved.is_good.all()


def test_fractions_of_seconds_are_read() -> None:
    resolved = resolve(read_times(pa.array(["1790000000.25", "1790000000"])), unit="auto", now=NOW)
    assert resolved.microseconds.tolist() == [1790000000250000, 1790000000000000]


@given(st.lists(st.text(max_size=30)))
def test_any_text_is_either_a_time_or_has_one_fault(texts: list[str]) -> None:
    resolved = resolve(read_times(pa.array(texts, pa.string())), unit="auto", now=NOW)
    faults = sum(rows.astype(int) for rows in resolved.faults.values())
    assert ((faults == 1) | resolved.is_good).all()
    assert (faults <= 1).all()
