from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.matrix import build_vote_matrix, has_enough_votes, read_vote_matrix
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.strategies import Log, logs
from clustering_platform_tests.opinions.tables import (
    DAY,
    faults,
    ingested,
    items_table,
    plain_items,
    unpacked,
    votes_table,
)

CONFIG = OpinionsConfig()
ITEMS = plain_items(*"abcd")


def build(votes: pa.Table, items: pa.Table = ITEMS, *, day: date = DAY, config: OpinionsConfig = CONFIG):
    matrix, voted = build_vote_matrix(*ingested(votes, items), day=day, config=config)
    assert faults(matrix, TABLES["vote_matrix"]) == []
    assert faults(voted, TABLES["voted_items"]) == []
    return matrix, voted


def cells(matrix: pa.Table, voted: pa.Table) -> dict[tuple[str, str], int]:
    items = voted["item_id"].to_pylist()
    return {
        (voter, items[position]): vote
        for voter, votes in zip(matrix["voter_id"].to_pylist(), unpacked(matrix), strict=True)
        for position, vote in votes
    }


def test_rows_and_columns_stand_in_order_of_first_vote():
    matrix, voted = build(votes_table([("z", "c", 1), ("y", "a", 0), ("z", "b", -1), ("y", "c", 1)]))
    assert matrix["voter_id"].to_pylist() == ["z", "y"]
    assert voted["item_id"].to_pylist() == ["c", "a", "b"]
    assert unpacked(matrix) == [[(0, 1), (2, -1)], [(0, 1), (1, 0)]]


def test_the_last_vote_by_sequence_counts_and_keeps_the_place_of_the_first():
    log = votes_table([("y", "a", 1), ("z", "a", 1), ("y", "a", -1), ("z", "b", 0)])
    for votes in (log, log.take([3, 2, 1, 0])):
        matrix, voted = build(votes)
        assert matrix["voter_id"].to_pylist() == ["y", "z"]
        assert cells(matrix, voted) == {("y", "a"): -1, ("z", "a"): 1, ("z", "b"): 0}


def test_a_day_ends_at_midnight_utc():
    midnight = datetime(2026, 1, 2, tzinfo=UTC)
    times = [midnight - timedelta(microseconds=1), midnight]
    matrix, _ = build(votes_table([("y", "a", 1), ("z", "a", 1)], times=times), day=date(2026, 1, 1))
    assert matrix["voter_id"].to_pylist() == ["y"]


def test_a_window_of_two_days_holds_the_day_and_the_one_before():
    times = [datetime(2026, 1, day, 12, tzinfo=UTC) for day in (1, 2, 3, 3, 4)]
    log = votes_table([("w", "a", 1), ("z", "b", 1), ("w", "a", -1), ("y", "c", 0), ("x", "d", 1)], times=times)
    matrix, voted = build(log, day=date(2026, 1, 3), config=OpinionsConfig(window=2))
    assert matrix["voter_id"].to_pylist() == ["z", "w", "y"]
    assert voted["item_id"].to_pylist() == ["b", "a", "c"]


def test_items_are_moderated_out_where_rejected_or_meta_only():
    items = items_table([("a", -1, False), ("b", 0, False), ("c", 1, False), ("d", 1, True)])
    _, voted = build(votes_table([("y", item, 1) for item in "abcde"]), items)
    assert voted["is_moderated_out"].to_pylist() == [True, False, False, True, False]
    assert voted["is_meta"].to_pylist() == [False, False, False, True, False]


def test_passes_count_as_seen_and_cast():
    matrix, voted = build(votes_table([("y", "a", 0), ("z", "a", 1), ("x", "a", -1), ("w", "a", -1)]))
    counts = voted.select(["agree", "pass", "disagree", "seen"]).to_pylist()
    assert counts == [{"agree": 1, "pass": 1, "disagree": 2, "seen": 4}]
    assert matrix["votes_cast"].to_pylist() == [1, 1, 1, 1]


def test_an_empty_log_gives_empty_tables():
    matrix, voted = build(votes_table([]))
    assert (matrix.num_rows, voted.num_rows) == (0, 0)


@given(logs())
def test_the_matrix_is_what_a_dictionary_of_last_votes_holds(log: Log):
    expected = {(voter, item): vote for voter, item, vote in log}
    matrix, voted = build(votes_table(log), plain_items())
    assert cells(matrix, voted) == expected
    assert matrix["voter_id"].to_pylist() == list(dict.fromkeys(voter for voter, _, _ in log))
    assert voted["item_id"].to_pylist() == list(dict.fromkeys(item for _, item, _ in log))
    for item in voted.to_pylist():
        votes = [vote for (_, other), vote in expected.items() if other == item["item_id"]]
        assert [item["agree"], item["pass"], item["disagree"]] == [votes.count(1), votes.count(0), votes.count(-1)]


@given(logs())
def test_tables_in_many_chunks_give_the_same_matrix(log: Log):
    votes = votes_table(log)
    chunked = pa.concat_tables([votes.slice(row, 1) for row in range(votes.num_rows)])
    whole, parts = build(votes), build(chunked)
    assert whole == parts
    sliced = [pa.concat_tables([table.slice(row, 1) for row in range(table.num_rows)]) for table in whole]
    ours, theirs = read_vote_matrix(*whole), read_vote_matrix(*sliced)
    assert np.array_equal(ours.starts, theirs.starts)
    assert np.array_equal(ours.cells, theirs.cells)


def test_reading_the_matrix_copies_no_votes():
    tables = build(votes_table([("y", "a", 1), ("z", "b", -1)]))
    stored = np.frombuffer(tables[0]["votes"].chunk(0).buffers()[2], np.uint16)
    assert np.shares_memory(read_vote_matrix(*tables).cells, stored)


@pytest.mark.parametrize(
    ("n_items", "expected"),
    [(40, [True, False, True]), (5, [True, True, True]), (6, [True, False, True])],
    ids=["seven votes", "fewer items: all of them", "six items"],
)
def test_voters_with_seven_votes_or_votes_on_all_items_are_grouped(n_items: int, expected: list[bool]):
    votes_cast = np.array([7, 5, 8])
    grouped = has_enough_votes(votes_cast, n_items=n_items, min_votes=7, smallest=0)
    assert grouped.tolist() == expected


def test_the_most_active_voters_fill_up_to_fifteen_first_voters_first():
    votes_cast = np.array([9] * 12 + [2, 3, 1, 3, 2, 2])
    grouped = has_enough_votes(votes_cast, n_items=40, min_votes=7)
    assert np.flatnonzero(grouped).tolist() == [*range(12), 12, 13, 15]
