"""The numbers in the log, and the table of voters that they point into."""

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.ingest.ingest import Ingested
from clustering_platform.orchestration.checks import violations
from clustering_platform.tables import TABLES
from clustering_platform_tests.ingest.folders import ITEMS, KEYED, VOTES_HEADER, T, ingest, votes_csv

ROWS = [("b", "s2", 1, T + 2), ("a", "s1", -1, T), ("b", "s9", 0, T + 5), ("a", "s1", 1, T + 9)]


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def read(folder: Path) -> Ingested:
    return ingest(folder, {"items.csv": ITEMS, "votes.csv": votes_csv(ROWS)})


def test_voters_stand_in_order_of_their_first_vote(tmp_path: Path) -> None:
    assert read(tmp_path).voters.to_pylist() == [
        {
            "voter_number": 0,
            "voter_id": "a",
            "voter_type": "user",
            "votes": 2,
            "first_vote_at": at(T),
            "last_vote_at": at(T + 9),
        },
        {
            "voter_number": 1,
            "voter_id": "b",
            "voter_type": "user",
            "votes": 2,
            "first_vote_at": at(T + 2),
            "last_vote_at": at(T + 5),
        },
    ]


def test_numbers_in_the_log_are_rows_of_voters_and_items(tmp_path: Path) -> None:
    ingested = read(tmp_path)
    votes = ingested.votes.to_pylist()
    assert [row["voter_number"] for row in votes] == [0, 1, 1, 0]
    assert [row["item_number"] for row in votes] == [0, 1, 2, 0]
    items, voters = ingested.items["item_id"].to_pylist(), ingested.voters["voter_id"].to_pylist()
    assert items == ["s1", "s2", "s9"]
    assert [items[row["item_number"]] for row in votes] == [row["item_id"] for row in votes]
    assert [voters[row["voter_number"]] for row in votes] == [row["voter_id"] for row in votes]


def test_an_item_knows_when_it_was_first_voted_on(tmp_path: Path) -> None:
    rows = [("a", "s2", 1, T + 7), ("b", "s2", 1, T + 3)]
    items = ingest(tmp_path, {"items.csv": ITEMS, "votes.csv": votes_csv(rows)}).items
    assert items["first_vote_at"].to_pylist() == [None, at(T + 3)]


def test_the_type_of_a_voter_is_that_of_the_first_vote(tmp_path: Path) -> None:
    rows = [("a", "s1", 1, T + 5, "session"), ("a", "s2", 1, T, "user")]
    header = VOTES_HEADER.replace("\n", ",voter_type\n")
    voters = ingest(tmp_path, {"votes.csv": votes_csv(rows, header)}).voters
    assert voters["voter_type"].to_pylist() == ["user"]


def test_voters_of_a_pseudonymous_dataset_are_pseudonyms(tmp_path: Path) -> None:
    voters = ingest(tmp_path, {"votes.csv": votes_csv(ROWS)}, pseudonyms=KEYED).voters
    assert voters["voter_id"].to_pylist() == [KEYED.of("a"), KEYED.of("b")]


vote = st.tuples(st.sampled_from("abcd"), st.sampled_from(["s1", "s2", "s3"]), st.just(1), st.integers(T, T + 5))


@given(st.lists(vote, min_size=1, max_size=20))
def test_every_log_keeps_its_contract(tmp_path_factory, rows) -> None:
    folder = tmp_path_factory.mktemp("log")
    ingested = ingest(folder, {"items.csv": ITEMS, "votes.csv": votes_csv(rows)})
    assert violations(ingested.votes, TABLES["votes"]) == []
    assert violations(ingested.voters, TABLES["voters"]) == []
    assert sum(ingested.voters["votes"].to_pylist()) == len(rows)
