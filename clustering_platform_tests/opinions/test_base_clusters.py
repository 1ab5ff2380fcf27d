import numpy as np
import pyarrow as pa
import pytest

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.base_clusters import build_base_clusters, most_base_clusters
from clustering_platform.opinions.matrix import build_vote_matrix
from clustering_platform.opinions.space import build_opinion_space, read_places
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.tables import DAY, faults, one_vote_each


def voted(n_voters: int = 120, n_items: int = 20) -> tuple[pa.Table, pa.Table]:
    """Return the tables `vote_matrix` and `opinion_space` of voters who cast between 2 and all votes."""
    rng = np.random.default_rng(6)
    votes = rng.integers(-1, 2, (n_voters, n_items)).tolist()
    cast = rng.integers(2, n_items + 1, n_voters).tolist()
    rows = [[*row[:count], *[None] * (n_items - count)] for row, count in zip(votes, cast, strict=True)]
    tables = build_vote_matrix(*one_vote_each(rows), day=DAY, config=OpinionsConfig())
    return tables[0], build_opinion_space(*tables)


@pytest.mark.parametrize("voter_weights", ["equal", "votes_cast"])
def test_a_base_cluster_lies_at_the_mean_of_its_voters_as_they_weigh(voter_weights: str):
    matrix, space = voted()
    config = OpinionsConfig(base_clusters=9, voter_weights=voter_weights)
    table = build_base_clusters(matrix, space, config=config)
    assert faults(table, TABLES["base_clusters"]) == []
    _, places = read_places(space, "voter")
    cast = matrix["votes_cast"].to_pylist()
    for row in table.to_pylist():
        weights = [1 if voter_weights == "equal" else cast[voter] for voter in row["voter_positions"]]
        mean = np.average(places[row["voter_positions"]], axis=0, weights=weights)
        assert (row["x"], row["y"]) == pytest.approx(tuple(mean))
        assert (row["size"], row["weight"]) == (len(weights), sum(weights))


def test_every_grouped_voter_is_in_one_base_cluster_listed_in_matrix_order():
    matrix, space = voted()
    table = build_base_clusters(matrix, space, config=OpinionsConfig(base_clusters=9))
    members = table["voter_positions"].to_pylist()
    assert all(rows == sorted(rows) for rows in members)
    assert sorted(row for rows in members for row in rows) == np.flatnonzero(matrix["is_grouped"].to_numpy()).tolist()


@pytest.mark.parametrize(
    ("grouped", "limit", "voters_each", "most"),
    [(1000, 100, 1, 100), (1000, 100, 10, 100), (250, 100, 10, 25), (12, 100, 10, 2), (60, 100, 1, 60)],
)
def test_there_are_as_many_base_clusters_as_voters_and_settings_allow(
    grouped: int, limit: int, voters_each: int, most: int
):
    config = OpinionsConfig(base_clusters=limit, voters_per_base_cluster=voters_each)
    assert most_base_clusters(grouped, config=config) == most


def test_the_steps_of_k_means_are_limited():
    matrix, space = voted()
    few = build_base_clusters(matrix, space, config=OpinionsConfig(base_clusters=9, max_steps=1))
    assert few != build_base_clusters(matrix, space, config=OpinionsConfig(base_clusters=9))
