import numpy as np
import pytest

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.matrix import VoteMatrix, build_vote_matrix, read_vote_matrix
from clustering_platform.opinions.snapshot import variance_shares
from clustering_platform.opinions.space import (
    build_opinion_space,
    opinion_space,
    project_items,
    project_voters,
    read_components,
    read_places,
)
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.tables import DAY, faults, ingested, items_table, votes_table

MEANS = np.array([0.0, 0.25, -0.5])
COMPONENTS = np.array([[0.0, 0.6, 0.8], [0.0, 0.8, -0.6]])


def matrix_with_first_item_rejected() -> VoteMatrix:
    votes = votes_table([("y", "a", 1), ("y", "b", 1), ("z", "c", -1), ("y", "c", 0)])
    items = items_table([("a", -1, False), ("b", 0, False), ("c", 0, False)])
    return read_vote_matrix(*build_vote_matrix(*ingested(votes, items), day=DAY, config=OpinionsConfig()))


def test_a_rejected_item_counts_as_voted_by_everybody_and_moves_nobody():
    places = project_voters(matrix_with_first_item_rejected(), means=MEANS, components=COMPONENTS)
    y = np.sqrt(3 / 3) * np.array([0.75 * 0.6 + 0.5 * 0.8, 0.75 * 0.8 - 0.5 * 0.6])
    z = np.sqrt(3 / 2) * np.array([-0.5 * 0.8, 0.5 * 0.6])
    assert places == pytest.approx(np.array([y, z]))


def test_an_item_lies_where_a_voter_would_who_only_agrees_with_it():
    votes = votes_table([("y", "a", 1), ("z", "b", 1), ("x", "c", 1)])
    tables = build_vote_matrix(*ingested(votes, items_table([])), day=DAY, config=OpinionsConfig())
    components = np.array([[0.6, 0.0, 0.8], [0.0, 1.0, 0.0]])
    voters = project_voters(read_vote_matrix(*tables), means=MEANS, components=components)
    assert project_items(means=MEANS, components=components) == pytest.approx(voters)


def test_a_rejected_item_lies_at_the_centre_and_shifts_no_component():
    log = [("v1", "a", 1), ("v2", "a", -1), ("v1", "b", 1), ("v2", "b", -1), ("v3", "b", 1), ("v3", "c", -1)]
    votes = votes_table([*log, ("v1", "c", 1)])
    rejected = items_table([("a", 0, False), ("b", -1, False), ("c", 0, False)])
    space = build_opinion_space(*build_vote_matrix(*ingested(votes, rejected), day=DAY, config=OpinionsConfig()))
    means, components = read_components(space)
    assert means.tolist() == [0, 0, 0]
    assert components[:, 1].tolist() == [0, 0]
    assert read_places(space, "item")[1][1].tolist() == [0, 0]


def test_a_space_can_be_made_from_given_means_and_components():
    space = opinion_space(matrix_with_first_item_rejected(), means=MEANS, components=COMPONENTS)
    assert faults(space, TABLES["opinion_space"]) == []
    assert space["kind"].to_pylist() == ["voter"] * 2 + ["item"] * 3
    assert space["id"].to_pylist() == ["y", "z", "a", "b", "c"]
    means, components = read_components(space)
    assert np.array_equal(means, MEANS)
    assert np.array_equal(components, COMPONENTS)


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_shares_of_variance_are_those_of_the_matrix_filled_with_means(missing: float):
    rng = np.random.default_rng(2)
    rows = np.sign(rng.normal(size=(30, 2)) @ rng.normal(size=(2, 12)) + rng.normal(size=(30, 12))).astype(int)
    log = [(f"v{row}", f"i{item}", int(vote)) for (row, item), vote in np.ndenumerate(rows) if rng.random() >= missing]
    tables = build_vote_matrix(
        *ingested(votes_table(log), items_table([("i3", -1, False)])), day=DAY, config=OpinionsConfig()
    )
    dense = np.full(rows.shape, np.nan)
    for voter, item, vote in log:
        dense[int(voter[1:]), int(item[1:])] = vote
    dense[:, 3] = 0
    filled = np.where(np.isnan(dense), np.nanmean(dense, axis=0), dense)
    sizes = np.square(np.linalg.svd(filled - filled.mean(axis=0), compute_uv=False))
    shares = variance_shares(*tables, build_opinion_space(*tables))
    assert shares == pytest.approx((sizes / sizes.sum())[:2])
