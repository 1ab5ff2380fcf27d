"""Laws and edge cases of the whole computation."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.datasets import OpinionsConfig
from clustering_platform.opinions.compute import compute_opinions
from clustering_platform.opinions.patterns import build_voting_patterns
from clustering_platform.opinions.representative import build_representative_items
from clustering_platform.opinions.space import read_places
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.strategies import Log, logs
from clustering_platform_tests.opinions.tables import (
    DAY,
    faults,
    ingested,
    items_table,
    one_vote_each,
    plain_items,
    votes_table,
)

CONFIG = OpinionsConfig(min_voters=2, resamples=3)
OPINION_TABLES = {name for name, table in TABLES.items() if table.room == "opinions"}


def compute(log: Log, items: pa.Table | None = None, *, config: OpinionsConfig = CONFIG) -> dict[str, pa.Table]:
    tables = ingested(votes_table(log), plain_items() if items is None else items)
    return compute_opinions(*tables, day=DAY, config=config)


def planted(seed: int, *, groups: int = 3, voters: int = 40, items: int = 40) -> tuple[Log, list[int]]:
    """Return a log in which each group mostly votes its own way, and the group of each voter."""
    rng = np.random.default_rng(seed)
    opinions = rng.choice([-1, 1], (groups, items))
    members = rng.permutation(np.repeat(np.arange(groups), voters))
    rows = np.where(rng.random((members.size, items)) < 0.1, 0, opinions[members])
    seen = rng.random(rows.shape) < 0.7
    log = [(f"v{row}", f"i{item}", int(rows[row, item])) for row, item in zip(*np.nonzero(seen), strict=True)]
    return log, members.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_planted_groups_are_found(seed: int):
    log, members = planted(seed)
    voters = compute(log)["voter_groups"].to_pylist()
    pairs = {(members[int(row["voter_id"][1:])], row["group_id"]) for row in voters if row["group_id"] is not None}
    assert len(pairs) == 3


def test_representative_items_are_those_a_planted_group_alone_agrees_with():
    group_a, group_b = [1, 1, -1, 1], [-1, 1, 1, 1]
    tables = compute_opinions(*one_vote_each([group_a] * 20 + [group_b] * 20), day=DAY, config=CONFIG)
    rows = tables["representative_items"].to_pylist()
    first = [(row["item_id"], row["side"]) for row in rows if row["group_id"] == 0]
    assert first == [("i0", "agree"), ("i2", "disagree")]
    consensus = tables["consensus_items"].to_pylist()
    assert [(row["item_id"], row["side"]) for row in consensus] == [("i1", "agree"), ("i3", "agree")]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [[1]],
        [[1, -1, 0, 1]],
        [[vote] for vote in (1, -1, 0, 1, 1, -1)],
        [[0, 0, 0]] * 6,
        [[1, 1, 1]] * 6,
        [[1, 1, -1]] * 4 + [[-1, -1, 1]] * 3,
        [[1, None], [None, 1], [-1, None], [None, -1]],
        [[1, -1], [-1, 1]],
    ],
    ids=["empty", "1x1", "one voter", "one item", "passes", "agree", "rank one", "disjoint", "2x2"],
)
def test_the_smallest_logs_give_whole_tables(rows: list[list[int | None]]):
    tables = compute_opinions(*one_vote_each(rows), day=DAY, config=CONFIG)
    assert set(tables) == OPINION_TABLES
    assert {name: faults(table, TABLES[name]) for name, table in tables.items()} == {name: [] for name in tables}


@given(logs(), st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)))
def test_every_log_gives_tables_that_keep_the_contract(log: Log, rejected: set[int], meta: set[int]):
    items = items_table([(f"i{item}", -1 if item in rejected else 0, item in meta) for item in range(6)])
    tables = compute(log, items, config=OpinionsConfig(min_voters=2, min_votes=1, resamples=3))
    assert {name: faults(table, TABLES[name]) for name, table in tables.items()} == {name: [] for name in tables}
    for table in tables.values():
        for column in table.columns:
            assert not pa.types.is_floating(column.type) or pc.all(pc.is_finite(column), min_count=0).as_py()
    is_ready = tables["opinion_snapshot"]["status"][0].as_py() == "ready"
    assert (tables["groups"].num_rows >= 2) == is_ready
    assert sum(tables["groups"]["size"].to_pylist()) == sum(tables["base_clusters"]["size"].to_pylist())


@given(logs())
def test_the_same_log_gives_the_same_tables(log: Log):
    assert compute(log) == compute(log)


@given(logs(max_size=120), st.randoms(use_true_random=False))
def test_the_order_of_voters_changes_no_statistic_of_given_groups(log: Log, random):
    tables = compute(log)
    matrix, voted, voters = (tables[name] for name in ("vote_matrix", "voted_items", "voter_groups"))
    order = list(range(matrix.num_rows))
    random.shuffle(order)
    patterns = build_voting_patterns(matrix.take(order), voted, voters.take(order))
    assert patterns == tables["voting_patterns"]
    assert build_representative_items(voted, patterns) == tables["representative_items"]


@given(logs(max_size=120))
def test_flipping_all_votes_mirrors_the_map_and_swaps_agree_and_disagree(log: Log):
    straight, flipped = compute(log), compute([(voter, item, -vote) for voter, item, vote in log])
    for kind in ("voter", "item"):
        ids, places = read_places(straight["opinion_space"], kind)
        other_ids, other_places = read_places(flipped["opinion_space"], kind)
        assert ids == other_ids
        if kind == "voter":
            assert np.array_equal(places, -other_places)
    swapped = {"agree": "disagree", "disagree": "agree"}
    for name in ("voting_patterns", "voted_items"):
        names = straight[name].column_names
        ours, theirs = straight[name].drop_columns([n for n in names if n == "majority"]), flipped[name]
        assert theirs.select([swapped.get(n, n) for n in ours.column_names]).rename_columns(ours.column_names) == ours
    sides = [{(row["item_id"], row["side"]) for row in t["consensus_items"].to_pylist()} for t in (straight, flipped)]
    assert sides[0] == {(item, swapped[side]) for item, side in sides[1]}


@given(logs())
def test_an_item_that_nobody_voted_on_changes_nothing(log: Log):
    assert compute(log, plain_items("i0")) == compute(log, plain_items("i0", "unseen"))


@given(logs(), st.integers(0, 5))
def test_rejecting_an_item_puts_it_at_the_centre_and_out_of_the_lists(log: Log, item: int):
    name = f"i{item}"
    tables = compute(log, items_table([(name, -1, False)]))
    rows = [row for row in tables["item_statistics"].to_pylist() if row["item_id"] == name]
    assert [row["extremity"] for row in rows] == [0] * len(rows)
    for listed in ("representative_items", "consensus_items"):
        assert name not in tables[listed]["item_id"].to_pylist()


@given(logs())
def test_replaying_the_same_votes_changes_nothing_but_the_log_and_the_time_of_the_last(log: Log):
    once, twice = compute(log), compute(log + list({(v, i): (v, i, vote) for v, i, vote in log}.values()))
    for name, table in once.items():
        of_log = [column for column in table.column_names if column in ("last_vote_at", "log_rows", "log_digest")]
        assert twice[name].drop_columns(of_log) == table.drop_columns(of_log), name
