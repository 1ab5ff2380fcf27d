from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.matrix import build_vote_matrix
from clustering_platform.opinions.patterns import build_voting_patterns
from clustering_platform.tables import TABLES, conform
from clustering_platform_tests.opinions.strategies import Log, logs
from clustering_platform_tests.opinions.tables import DAY, faults, ingested, items_table, plain_items, votes_table


def clusters_of(vote_matrix: pa.Table, base: list[int | None], group: list[int | None]) -> pa.Table:
    n_voters = vote_matrix.num_rows
    table = {
        "voter_id": vote_matrix["voter_id"],
        "votes_cast": vote_matrix["votes_cast"],
        "x": [0.0] * n_voters,
        "y": [0.0] * n_voters,
        "base_cluster_id": pa.array(base, pa.int32()),
        "group_id": pa.array(group, pa.int32()),
        "subgroup_id": pa.nulls(n_voters, pa.int32()),
    }
    return conform(pa.table(table), TABLES["voter_groups"])


@given(logs(), st.lists(st.sampled_from([None, 2, 5, 11]), min_size=8, max_size=8))
def test_patterns_are_what_counting_one_by_one_gives(log: Log, base: list[int | None]):
    tables = build_vote_matrix(*ingested(votes_table(log), plain_items()), day=DAY, config=OpinionsConfig())
    base = base[: tables[0].num_rows]
    group = [None if cluster is None else cluster // 10 for cluster in base]
    patterns = build_voting_patterns(*tables, clusters_of(tables[0], base, group))
    assert faults(patterns, TABLES["voting_patterns"]) == []

    rows = dict(enumerate(tables[0]["voter_id"].to_pylist()))
    expected: Counter[tuple[str, int, str, int]] = Counter()
    for (voter, item), vote in {(voter, item): vote for voter, item, vote in log}.items():
        for level, clusters in (("base_cluster", base), ("group", group)):
            cluster = {rows[row]: cluster for row, cluster in enumerate(clusters)}[voter]
            if cluster is not None:
                expected[level, cluster, item, vote] += 1
    found = {
        (row["level"], row["cluster_id"], row["item_id"], vote): row[name]
        for row in patterns.to_pylist()
        for vote, name in ((1, "agree"), (0, "pass"), (-1, "disagree"))
    }
    assert {key: count for key, count in found.items() if count} == dict(expected)
    items = tables[1]["item_id"].to_pylist()
    every = [("base_cluster", cluster, item) for cluster in sorted(set(base) - {None}) for item in items]
    every += [("group", cluster, item) for cluster in sorted(set(group) - {None}) for item in items]
    keys = patterns.select(["level", "cluster_id", "item_id"]).to_pydict().values()
    assert list(zip(*keys, strict=True)) == every


@pytest.mark.parametrize(
    ("votes", "majority", "consensus"),
    [
        ([1, 1, 0], "agree", 2 / 3),
        ([0, 0, -1], "pass", 2 / 3),
        ([-1], "disagree", 1),
        ([1, -1, 0, 0, -1], "split", 2 / 5),
        ([], "none", None),
    ],
)
def test_the_majority_is_the_most_frequent_vote(votes: list[int], majority: str, consensus: float | None):
    log = [("x", "i", 1), *((f"v{voter}", "i", vote) for voter, vote in enumerate(votes)), ("z", "j", 1)]
    tables = build_vote_matrix(*ingested(votes_table(log), plain_items()), day=DAY, config=OpinionsConfig())
    group = [None, *(0 for _ in votes), 0]
    patterns = build_voting_patterns(*tables, clusters_of(tables[0], group, group))
    assert patterns["majority"][0].as_py() == majority
    assert patterns["consensus"][0].as_py() == pytest.approx(consensus)


def test_votes_on_moderated_items_are_counted():
    items = items_table([("i", -1, False)])
    tables = build_vote_matrix(*ingested(votes_table([("v", "i", 1)]), items), day=DAY, config=OpinionsConfig())
    assert build_voting_patterns(*tables, clusters_of(tables[0], [0], [0]))["agree"].to_pylist() == [1, 1]


def test_voters_in_another_order_are_refused():
    log = votes_table([("v", "i", 1), ("w", "i", 1)])
    tables = build_vote_matrix(*ingested(log, plain_items()), day=DAY, config=OpinionsConfig())
    voters = clusters_of(tables[0], [0, 1], [0, 1]).take([1, 0])
    with pytest.raises(ValueError, match="different order"):
        build_voting_patterns(*tables, voters)


def test_groups_need_not_be_made_of_base_clusters():
    tables = build_vote_matrix(
        *ingested(votes_table([(f"v{voter}", "i", 1) for voter in range(5)]), plain_items()),
        day=DAY,
        config=OpinionsConfig(),
    )
    base, group = [3, 3, None, 4, None], [0, 7, 7, None, None]
    patterns = build_voting_patterns(*tables, clusters_of(tables[0], base, group))
    found = zip(*patterns.select(["level", "cluster_id", "agree"]).to_pydict().values(), strict=True)
    assert list(found) == [("base_cluster", 3, 2), ("base_cluster", 4, 1), ("group", 0, 1), ("group", 7, 2)]


def test_every_level_that_voters_have_is_counted():
    tables = build_vote_matrix(
        *ingested(votes_table([(f"v{voter}", "i", 1) for voter in range(4)]), plain_items()),
        day=DAY,
        config=OpinionsConfig(),
    )
    voters = clusters_of(tables[0], [0, 1, 2, None], [0, 0, 1, None]).drop_columns(
        [name for name in ("subgroup_id",) if "subgroup_id" in TABLES["voter_groups"].schema().names]
    )
    voters = voters.append_column("subgroup_id", pa.array([0, 1, None, None], pa.int32()))
    patterns = build_voting_patterns(*tables, voters)
    assert patterns["level"].value_counts().to_pylist() == [
        {"values": "base_cluster", "counts": 3},
        {"values": "group", "counts": 2},
        {"values": "subgroup", "counts": 2},
    ]
