from datetime import timedelta

import pytest

from clustering_platform.datasets import OpinionsConfig
from clustering_platform.opinions.compute import compute_opinions
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.tables import DAY, FIRST, faults, one_vote_each


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


def test_an_empty_log_has_a_snapshot_too():
    row = snapshot([])
    assert (row["status"], row["reason"]) == (
        "insufficient_voters",
        "0 < 2 voters: groups are formed from 2 on (opinions.min_voters)",
    )
    assert (row["first_vote_at"], row["last_vote_at"], row["variance_shares"]) == (None, None, [0, 0])
