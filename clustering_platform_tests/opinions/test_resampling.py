"""A resample is a conversation of its own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.base_clusters import most_base_clusters
from clustering_platform.opinions.compute import compute_opinions
from clustering_platform.opinions.matrix import read_vote_matrix
from clustering_platform.opinions.resampling import Division, divide_resample, draw
from clustering_platform_tests.opinions.tables import DAY, one_vote_each

CONFIG = OpinionsConfig(min_voters=2, resamples=0)


def conversation(seed: int, voters: int = 80, items: int = 30) -> list[list[int | None]]:
    """Return votes of two camps with gaps; a few voters have too few votes to be grouped."""
    rng = np.random.default_rng(seed)
    camp = rng.choice([-1, 1], (2, items))[rng.integers(0, 2, voters)]
    votes = np.where(rng.random(camp.shape) < 0.4, rng.choice([-1, 0, 1], camp.shape), camp)
    seen = rng.random(camp.shape) < np.where(rng.random((voters, 1)) < 0.1, 0.15, 0.7)
    seen[:, 0] = True
    return [
        [int(vote) if is_seen else None for vote, is_seen in zip(*row, strict=True)]
        for row in zip(votes, seen, strict=True)
    ]


def divided(rows: list[list[int | None]], drawn: NDArray[np.int64], times: NDArray[np.int64]) -> list[Division]:
    tables = compute_opinions(*one_vote_each(rows), day=DAY, config=CONFIG)
    matrix = read_vote_matrix(tables["vote_matrix"], tables["voted_items"])
    largest = max(tables["groupings"]["groups"].to_pylist())
    return divide_resample(matrix, matrix.is_grouped, rows=drawn, times=times, largest=largest, starts=1, config=CONFIG)


def is_same_division(ours: list[int], others: NDArray[np.int64]) -> bool:
    """Return whether two divisions are the same but for the names of the groups."""
    pairs = set(zip(ours, others.tolist(), strict=True))
    return len(pairs) == len(set(ours)) == len(set(others.tolist()))


@pytest.mark.parametrize("seed", range(5))
def test_drawing_every_voter_once_in_order_gives_the_groups_of_the_snapshot(seed: int):
    rows = conversation(seed)
    tables = compute_opinions(*one_vote_each(rows), day=DAY, config=CONFIG)
    divisions = divided(rows, np.arange(len(rows)), np.ones(len(rows), np.int64))
    tried = [row for row in tables["groupings"].to_pylist() if row["parent_id"] is None]
    assert [division.groups for division in divisions] == [row["groups"] for row in tried]
    assert [division.silhouette for division in divisions] == pytest.approx([row["silhouette"] for row in tried])
    best = max(divisions, key=lambda division: division.silhouette)
    assert best.labels.tolist() == tables["voter_groups"]["group_id"].drop_null().to_pylist()


@pytest.mark.parametrize("seed", range(5))
def test_drawing_a_voter_twice_is_having_two_of_them(seed: int):
    rows = conversation(seed)
    drawn, times = draw(len(rows), np.random.default_rng(seed))
    copies = [rows[row] for row, n in zip(drawn, times, strict=True) for _ in range(n)]
    whole = compute_opinions(*one_vote_each(copies), day=DAY, config=CONFIG)
    expected = dict(zip(*(whole["voter_groups"][name].to_pylist() for name in ("voter_id", "group_id")), strict=True))
    tables = compute_opinions(*one_vote_each(rows), day=DAY, config=CONFIG)
    is_grouped = tables["vote_matrix"]["is_grouped"].to_numpy()
    found = next(division for division in divided(rows, drawn, times) if division.groups == whole["groups"].num_rows)
    label = np.full(len(rows), -1)
    label[is_grouped] = found.labels
    first = np.cumsum(times) - times
    theirs = [expected[f"v{row}"] for row in first[is_grouped[drawn]]]
    assert is_same_division(theirs, label[drawn[is_grouped[drawn]]])


def test_voters_that_stand_at_one_place_are_one_group():
    rows = [[1, 1], [1, 1], [-1, 1], [1, -1]]
    [division] = divided(rows, np.array([0, 1]), np.array([2, 2]))
    assert (division.groups, division.labels.tolist()) == (1, [0, 0, 0, 0])


def test_items_that_no_drawn_voter_voted_on_do_no_harm():
    rows = [[1, 1, None], [1, -1, None], [-1, 1, None], [-1, -1, 1], [1, 1, -1]]
    divisions = divided(rows, np.array([0, 1, 2]), np.array([1, 2, 2]))
    assert all(division.labels.size == 5 for division in divisions)


@given(st.integers(1, 200), st.integers(0, 10))
def test_as_many_are_drawn_as_there_are(n: int, seed: int):
    rows, times = draw(n, np.random.default_rng(seed))
    assert times.sum() == n
    assert len(set(rows.tolist())) == rows.size
    drawn = np.random.default_rng(seed).integers(0, n, n).tolist()
    assert rows.tolist() == list(dict.fromkeys(drawn))


@pytest.mark.parametrize(
    ("voters", "each", "most"), [(500, 1, 100), (40, 1, 40), (500, 10, 50), (5000, 10, 100), (5, 10, 2)]
)
def test_base_clusters_are_as_many_as_the_settings_allow(voters: int, each: int, most: int):
    assert most_base_clusters(voters, config=OpinionsConfig(voters_per_base_cluster=each)) == most
