"""Rows of last votes from a log, against a dictionary, where there are many items, many threads or stored files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions import gather as gathering
from clustering_platform.opinions.gather import gather
from clustering_platform.opinions.log import as_log
from clustering_platform.opinions.matrix import build_vote_matrix, read_vote_matrix, split_cells
from clustering_platform.opinions.packing import pack, unpack
from clustering_platform.store.files import Files
from clustering_platform.tables import TABLES, conform

VOTERS = 300
START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1e6)
DAY = date(2026, 12, 31)


def tables(rows: int, n_items: int) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return a random log in which some voters vote on most items and most voters on few."""
    rng = np.random.default_rng(rows)
    voters = (VOTERS * rng.random(rows) ** 4).astype(int)
    items = rng.integers(0, n_items, rows)
    voters = np.unique(voters, return_index=True)[1].argsort().argsort()[np.unique(voters, return_inverse=True)[1]]
    names, things = (
        pa.array([f"{kind}{number}" for number in range(size)]) for kind, size in (("v", VOTERS), ("i", n_items))
    )
    times = pa.array(START + np.arange(rows) * 1000, pa.timestamp("us", "UTC"))
    votes = {
        "sequence": np.arange(rows),
        "voter_number": voters,
        "voter_id": names.take(pa.array(voters)),
        "voter_type": pa.repeat("user", rows),
        "item_number": items,
        "item_id": things.take(pa.array(items)),
        "vote": rng.integers(-1, 2, rows),
        "voted_at": times,
        "is_superseded": pa.repeat(False, rows),
    }
    listed = pa.table({"item_id": things, "moderation": np.zeros(n_items, np.int8), "is_meta": np.zeros(n_items, bool)})
    return conform(pa.table(votes), TABLES["votes"]), pa.table({"voter_id": names}), listed


def last_votes(votes: pa.Table) -> dict[tuple[int, int], int]:
    columns = (votes[name].to_pylist() for name in ("voter_number", "item_number", "vote"))
    return {(voter, item): vote for voter, item, vote in zip(*columns, strict=True)}


@pytest.mark.parametrize("n_items", [1, 63, 64, 65, 1000, 16_384, 16_385, 70_000])
@pytest.mark.parametrize("workers", [1, 3])
def test_rows_hold_the_last_votes_columns_ascending(n_items: int, workers: int, monkeypatch) -> None:
    monkeypatch.setattr(gathering, "n_workers", lambda _: workers)
    votes, _, _ = tables(5000, n_items)
    found = gather(as_log(votes), range(5000), n_voters=VOTERS, n_items=n_items)
    rows = np.repeat(found.voters, np.diff(found.starts))
    columns, given = split_cells(found.cells)
    cells = zip(rows.tolist(), found.items[columns].tolist(), given.tolist(), strict=True)
    assert {(voter, item): vote for voter, item, vote in cells} == last_votes(votes)
    for row in range(found.voters.size):
        assert (np.diff(columns[found.starts[row] : found.starts[row + 1]]) > 0).all()
    assert found.voters.tolist() == list(dict.fromkeys(votes["voter_number"].to_pylist()))
    assert found.items.tolist() == list(dict.fromkeys(votes["item_number"].to_pylist()))
    counted = np.zeros_like(found.counts)
    np.add.at(counted, (columns, given + 1), 1)
    assert np.array_equal(found.counts, counted)


@pytest.mark.parametrize(("n_voters", "n_items"), [(VOTERS // 2, 20), (VOTERS, 10)])
def test_numbers_beyond_the_tables_are_refused(n_voters: int, n_items: int) -> None:
    votes, _, _ = tables(500, 20)
    with pytest.raises(ValueError, match="_number has values that are not below"):
        gather(as_log(votes), range(500), n_voters=n_voters, n_items=n_items)


def test_votes_on_more_than_16384_items_take_four_bytes_each() -> None:
    for n_items, size in ((16_384, 2), (16_385, 4)):
        votes, voters, items = tables(16_385, n_items)
        everything = np.arange(16_385) % n_items
        votes = votes.set_column(4, votes.schema.field("item_number"), pa.array(everything, pa.int32()))
        matrix, voted = build_vote_matrix(votes, voters, items, day=DAY, config=OpinionsConfig())
        assert voted.num_rows == n_items
        packed = sum(map(len, matrix["votes"].to_pylist()))
        assert packed == size * sum(matrix["votes_cast"].to_pylist())
        read = read_vote_matrix(matrix, voted)
        assert sorted(set(split_cells(read.cells)[0].tolist())) == list(range(n_items))


@pytest.mark.parametrize("window", ["all", 1])
def test_a_stored_log_gives_the_same_matrix_as_one_in_memory(tmp_path: Path, window) -> None:
    votes, voters, items = tables(200_000, 50)
    files = Files(tmp_path)
    stored = files.open(files.write(votes, TABLES["votes"], dataset="talk", day=None, run_id="run", inputs={}))
    config, day = OpinionsConfig(window=window), date(2026, 1, 1)
    expected = build_vote_matrix(votes, voters, items, day=day, config=config)
    assert build_vote_matrix(stored, voters, items, day=day, config=config) == expected


def test_packed_rows_come_back_from_any_slice_and_order() -> None:
    values, starts = np.arange(10, dtype=np.uint16), np.array([0, 3, 3, 7, 10])
    packed = pack(values, starts)
    assert unpack(packed, np.uint16).tolist() == values.tolist()
    assert unpack(packed.slice(2), np.uint16).tolist() == list(range(3, 10))
    assert unpack(packed.take([3, 0]), np.uint16).tolist() == [7, 8, 9, 0, 1, 2]
    assert unpack(packed.slice(0, 0), np.uint16).tolist() == []
    assert [len(row) for row in packed.to_pylist()] == [6, 0, 8, 6]


def test_rows_of_more_than_a_column_can_hold_in_one_piece_are_packed_in_several(monkeypatch) -> None:
    monkeypatch.setattr("clustering_platform.opinions.packing._LONGEST", 8)
    values, starts = np.arange(10, dtype=np.uint16), np.array([0, 3, 3, 7, 10])
    packed = pack(values, starts)
    assert [len(chunk) for chunk in packed.chunks] == [2, 1, 1]
    assert unpack(packed, np.uint16).tolist() == values.tolist()
