"""A matrix that goes on from a stored one is the one made of the whole log, bit by bit."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions import gather, increment
from clustering_platform.opinions.increment import StoredMatrix, go_on
from clustering_platform.opinions.log import as_log
from clustering_platform.opinions.matrix import build_vote_matrix
from clustering_platform_tests.opinions.strategies import Log, logs
from clustering_platform_tests.opinions.tables import DAY, ingested, items_table, plain_items, votes_table

CONFIG = OpinionsConfig(min_votes=2)
ALL = [f"i{number}" for number in range(6)]


def matrix_of(log: Log, items: pa.Table, stored: StoredMatrix | None = None) -> tuple[pa.Table, pa.Table]:
    return build_vote_matrix(*ingested(votes_table(log), items), day=DAY, config=CONFIG, stored=stored)


def stored_matrix(log: Log, items: pa.Table) -> StoredMatrix:
    return StoredMatrix(*matrix_of(log, items), len(log))


def bits(table: pa.Table) -> list[object]:
    return [chunk.to_pylist() for column in table.combine_chunks().columns for chunk in column.chunks]


@given(logs(max_size=80), st.data())
def test_it_is_the_matrix_of_the_whole_log(log: Log, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(log)), "votes of the stored matrix")
    before = data.draw(st.permutations(ALL), "order of items then")
    now = data.draw(st.permutations(ALL), "order of items now")
    stored = stored_matrix(log[:cut], plain_items(*before))
    whole = matrix_of(log, plain_items(*now))
    grown = matrix_of(log, plain_items(*now), stored)
    assert whole == grown
    assert [bits(table) for table in whole] == [bits(table) for table in grown]


@pytest.fixture
def three_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (gather, increment):
        monkeypatch.setattr(module, "n_workers", lambda _: 3)


@pytest.mark.usefixtures("three_workers")
@given(logs(max_size=80), st.integers(0, 80))
def test_however_many_threads_share_the_work(log: Log, cut: int) -> None:
    stored = stored_matrix(log[:cut], plain_items())
    pieces = StoredMatrix(
        pa.concat_tables([stored.vote_matrix.slice(row, 2) for row in range(0, stored.vote_matrix.num_rows + 1, 2)]),
        stored.voted_items,
        stored.log_rows,
    )
    assert matrix_of(log, plain_items(), pieces) == matrix_of(log, plain_items())


def test_moderation_is_that_of_now(three_workers: None) -> None:
    log = [("y", "a", 1), ("z", "b", -1), ("z", "a", 0)]
    stored = stored_matrix(log[:2], plain_items("a", "b"))
    _, voted = matrix_of(log, items_table([("a", -1, False), ("b", 0, True)]), stored)
    assert voted["is_moderated_out"].to_pylist() == [True, True]
    assert voted["is_meta"].to_pylist() == [False, True]


@pytest.mark.parametrize("other", [[("x", "a", 1)], [("y", "c", 1)]], ids=["another voter", "an item that is gone"])
def test_a_matrix_of_other_voters_or_items_is_left_aside(other: Log) -> None:
    log = [("y", "a", 1), ("z", "b", -1)]
    stored = stored_matrix(other, plain_items())
    votes, voters, items = ingested(votes_table(log), plain_items())
    assert go_on(stored, as_log(votes), 2, voters, items) is None
    assert matrix_of(log, plain_items(), stored) == matrix_of(log, plain_items())


def test_only_the_new_rows_of_the_log_are_read() -> None:
    log = [("y", "a", 1), ("z", "b", -1), ("y", "b", 0)]
    votes, voters, items = ingested(votes_table(log), plain_items())
    read = []

    class Watched:
        num_rows = 3

        def batches(self, columns, start, stop):
            read.append((start, stop))
            return as_log(votes).batches(columns, start, stop)

        def search(self, column, value):
            return as_log(votes).search(column, value)

        def digest(self, stop):
            return as_log(votes).digest(stop)

    stored = stored_matrix(log[:2], plain_items())
    build_vote_matrix(Watched(), voters, items, day=DAY, config=CONFIG, stored=stored)
    assert set(read) == {(2, 3)}
