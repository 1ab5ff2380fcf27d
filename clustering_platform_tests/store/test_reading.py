"""A stored table is read piece by piece, and says what its first rows are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.store import digests, encoding, reading
from clustering_platform.store.digests import NO_ROWS, digest
from clustering_platform.store.files import Files
from clustering_platform.store.reading import StoredTable
from clustering_platform.tables import TABLES, conform
from clustering_platform_tests.store.versions import sample

VOTES = TABLES["votes"]
START = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = 23
GROUP = 5


def log(rows: int = ROWS, **changes: object) -> pa.Table:
    """Return a log of votes, two at a time in a minute."""
    voters, items = np.arange(rows) % 7, np.arange(rows) * 3 % 4
    columns = {
        "sequence": np.arange(rows),
        "voter_number": voters,
        "voter_id": [f"voter {number}" for number in voters],
        "voter_type": ["user"] * rows,
        "item_number": items,
        "item_id": [f"item {number}" for number in items],
        "vote": np.arange(rows) % 3 - 1,
        "voted_at": [START + timedelta(minutes=row // 2) for row in range(rows)],
        "is_superseded": [False] * rows,
    }
    return conform(pa.table(columns | changes), VOTES)


@pytest.fixture(autouse=True)
def small_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (digests, encoding, reading):
        monkeypatch.setattr(module, "ROWS", GROUP)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def store(files: Files, table: pa.Table, run_id: str = "run") -> StoredTable:
    return files.open(files.write(table, VOTES, dataset="talk", day=None, run_id=run_id, inputs={}))


def test_it_says_how_many_rows_it_has_and_what_its_content_is(files: Files) -> None:
    stored = store(files, log())
    assert stored.num_rows == ROWS
    assert stored.content == files.describe(stored.path).content


def test_read_returns_the_columns_of_the_contract_or_those_named(files: Files) -> None:
    stored = store(files, log())
    assert stored.read().equals(log())
    assert stored.read("vote", "sequence").equals(log().select(["vote", "sequence"]))


@pytest.mark.parametrize("start", [0, 1, 4, 5, 6, 22, 23])
@pytest.mark.parametrize("stop", [0, 1, 5, 10, 11, 23, None])
def test_batches_hold_exactly_the_rows_asked_for(files: Files, start: int, stop: int | None) -> None:
    stored = store(files, log())
    batches = list(stored.batches(["sequence", "vote"], start, stop))
    expected = range(start, ROWS if stop is None else stop)
    assert [row for batch in batches for row in batch["sequence"].to_pylist()] == list(expected)
    assert all(batch.schema.names == ["sequence", "vote"] for batch in batches)


@pytest.mark.parametrize("minutes", [-1, 0, 1, 2, 3, 5, 11, 12])
@pytest.mark.parametrize("seconds", [0, 1])
def test_search_counts_the_rows_before_a_moment(files: Files, minutes: int, seconds: int) -> None:
    moment = START + timedelta(minutes=minutes, seconds=seconds)
    expected = sum(time < moment for time in log()["voted_at"].to_pylist())
    assert store(files, log()).search("voted_at", moment) == expected


def test_a_log_without_rows_can_be_asked_too(files: Files) -> None:
    stored = store(files, VOTES.empty())
    assert stored.num_rows == 0
    assert list(stored.batches(["vote"])) == []
    assert stored.search("voted_at", START) == 0
    assert stored.digest(0) == NO_ROWS


@pytest.mark.parametrize("stop", range(ROWS + 1))
def test_the_digest_of_the_first_rows_is_that_of_a_log_that_ends_there(files: Files, stop: int) -> None:
    found = store(files, log()).digest(stop)
    assert found == store(files, log().slice(0, stop), "shorter").digest(stop)
    assert found == digest(log(), VOTES.digested, stop=stop)
    assert found != digest(log(), VOTES.digested, stop=stop + 1) or stop == ROWS


@pytest.mark.parametrize("stop", [3, 5, 7, 20, 22])
def test_a_digest_reads_one_row_group_at_most(files: Files, monkeypatch: pytest.MonkeyPatch, stop: int) -> None:
    stored = store(files, log())
    read = []
    plain = pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_group", lambda file, group, **how: (read.append(group), plain(file, group, **how))[1]
    )
    stored.digest(stop)
    assert read == ([] if stop % GROUP == 0 else [stop // GROUP])


def test_rows_after_the_first_ones_do_not_change_their_digest() -> None:
    other = pa.concat_tables([log().slice(0, 12), log(vote=-log()["vote"].to_numpy()).slice(12)])
    assert digest(other, VOTES.digested, stop=12) == digest(log(), VOTES.digested, stop=12)
    assert digest(other, VOTES.digested) != digest(log(), VOTES.digested)


@given(
    st.integers(0, ROWS - 1),
    st.sampled_from(["voter_id", "item_id", "vote", "voted_at"]),
)
def test_any_change_of_a_vote_changes_the_digest(row: int, column: str) -> None:
    values = log()[column].to_pylist()
    changed = {
        "voter_id": "voter x",
        "item_id": "item x",
        "vote": 1 if values[row] != 1 else 0,
        "voted_at": START - timedelta(days=1),
    }[column]
    other = log(**{column: [*values[:row], changed, *values[row + 1 :]]})
    if column.endswith("_id"):  # another id of the same number: the number is another, too
        number = column.replace("_id", "_number")
        numbers = log()[number].to_pylist()
        other = other.set_column(
            other.column_names.index(number),
            other.schema.field(number),
            pa.array([*numbers[:row], 99, *numbers[row + 1 :]], pa.int32()),
        )
    assert digest(other, VOTES.digested) != digest(log(), VOTES.digested)


def test_other_numbers_for_the_same_ids_change_no_digest() -> None:
    numbers = pa.array([17, 3, 99, 0])
    renumbered = log(item_number=numbers.take(log()["item_number"]))
    assert digest(renumbered, VOTES.digested) == digest(log(), VOTES.digested)


def test_what_is_not_part_of_a_vote_changes_no_digest() -> None:
    other = log(is_superseded=[True] * ROWS, voter_type=["session"] * ROWS)
    assert digest(other, VOTES.digested) == digest(log(), VOTES.digested)


def test_more_rows_than_there_are_have_no_digest(files: Files) -> None:
    with pytest.raises(ValueError, match=f"no digest of its first {ROWS + 1} rows"):
        store(files, log()).digest(ROWS + 1)


def test_tables_whose_contract_asks_for_none_have_no_digests(files: Files) -> None:
    groups = TABLES["groups"]
    day = START.date()
    stored = files.open(files.write(sample(groups), groups, dataset="talk", day=day, run_id="run", inputs={}))
    with pytest.raises(ValueError, match="no digest"):
        stored.digest(1)


def test_how_a_table_was_put_together_does_not_show_in_its_content(files: Files) -> None:
    pieces = pa.concat_tables([log().slice(row, 1) for row in range(ROWS)])
    assert store(files, pieces, "pieces").content == store(files, log()).content


def test_floats_texts_and_packed_values_come_back_bit_by_bit(files: Files) -> None:
    rng = np.random.default_rng(3)
    contract = TABLES["vote_matrix"]
    matrix = {
        "position": np.arange(12),
        "voter_id": [f"é{number}" for number in range(12)],
        "votes_cast": rng.integers(1, 9, 12),
        "is_grouped": rng.random(12) < 0.5,
        "votes": [rng.bytes(size) for size in range(12)],
    }
    table = conform(pa.table(matrix), contract)
    day = START.date()
    stored = files.write(table, contract, dataset="talk", day=day, run_id="run", inputs={})
    assert files.read(stored).equals(table)
