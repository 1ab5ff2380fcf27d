from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.components import project
from clustering_platform.opinions.compute import compute_opinions
from clustering_platform.opinions.log import as_log
from clustering_platform.opinions.matrix import read_vote_matrix, split_cells
from clustering_platform.opinions.space import read_components
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.strategies import Log, logs
from clustering_platform_tests.opinions.tables import (
    DAY,
    FIRST,
    faults,
    ingested,
    items_table,
    one_vote_each,
    plain_items,
    votes_table,
)


def snapshot(rows: list[list[int | None]], *, min_voters: int = 2) -> dict[str, object]:
    tables = compute_opinions(*one_vote_each(rows), day=DAY, config=OpinionsConfig(min_voters=min_voters))
    assert faults(tables["opinion_snapshot"], TABLES["opinion_snapshot"]) == []
    (row,) = tables["opinion_snapshot"].to_pylist()
    return row


def test_too_few_voters_are_said_with_have_and_need():
    row = snapshot([[1, -1]] * 11 + [[-1, 1]], min_voters=50)
    assert row["status"] == "insufficient_voters"
    assert row["reason"] == "12 < 50 voters: groups are formed from 50 on (opinions.min_voters)"
    assert (row["groups"], row["base_clusters"], row["silhouette"]) == (0, 0, None)


@pytest.mark.parametrize("vote", [1, 0, -1])
def test_no_groups_are_invented_where_all_vote_alike(vote: int):
    row = snapshot([[vote, vote, vote]] * 20)
    assert row["status"] == "no_variation"
    assert row["reason"] == "all 20 voters with enough votes stand at one place"
    assert (row["groups"], row["variance_shares"]) == (0, [0, 0])


def test_two_camps_are_two_groups_along_one_component():
    row = snapshot([[1, 1, -1]] * 12 + [[-1, -1, 1]] * 8)
    assert (row["status"], row["reason"]) == ("ready", None)
    assert (row["groups"], row["base_clusters"]) == (2, 2)
    assert row["variance_shares"] == pytest.approx([1, 0])


def test_it_counts_voters_items_votes_and_times():
    row = snapshot([[1, 0, -1]] * 9 + [[-1, None, 1]] * 8)
    assert [row[name] for name in ("voters", "grouped_voters", "items", "votes")] == [17, 15, 3, 43]
    assert (row["first_vote_at"], row["last_vote_at"]) == (FIRST, FIRST + timedelta(seconds=42))


def test_it_says_of_which_votes_it_was_made():
    times = [FIRST, FIRST + timedelta(hours=1), FIRST + timedelta(days=1)]
    votes, voters, items = ingested(
        votes_table([("y", "a", 1), ("z", "a", 0), ("y", "b", 1)], times=times), plain_items()
    )
    config = OpinionsConfig(window=1)
    first, second = (
        compute_opinions(votes, voters, items, day=day, config=config)["opinion_snapshot"].to_pylist()[0]
        for day in (DAY, DAY + timedelta(days=1))
    )
    assert (first["log_rows"], second["log_rows"]) == (2, 3)
    assert (first["first_vote_at"], first["last_vote_at"]) == (times[0], times[1])
    assert (second["first_vote_at"], second["last_vote_at"]) == (times[2], times[2])
    assert first["log_digest"] == as_log(votes.slice(0, 2)).digest(2)


@given(logs(min_size=4), st.sets(st.integers(0, 5)))
def test_shares_of_the_variance_are_those_of_the_projected_votes(log: Log, rejected: set[int]):
    items = items_table([(f"i{item}", -1 if item in rejected else 0, False) for item in range(6)])
    tables = compute_opinions(*ingested(votes_table(log), items), day=DAY, config=OpinionsConfig())
    matrix = read_vote_matrix(tables["vote_matrix"], tables["voted_items"])
    means, components = read_components(tables["opinion_space"])
    columns, votes = split_cells(matrix.cells)
    total = np.square((votes - means[columns])[~matrix.is_moderated_out[columns]]).sum()
    expected = np.square(project(matrix, means=means, components=components)).sum(axis=0) / (total or 1)
    (row,) = tables["opinion_snapshot"].to_pylist()
    assert row["variance_shares"] == pytest.approx(expected, abs=1e-12)


def test_an_empty_log_has_a_snapshot_too():
    row = snapshot([])
    assert (row["status"], row["reason"]) == (
        "insufficient_voters",
        "0 < 2 voters: groups are formed from 2 on (opinions.min_voters)",
    )
    assert (row["first_vote_at"], row["last_vote_at"], row["variance_shares"]) == (None, None, [0, 0])
