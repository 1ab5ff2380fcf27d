"""Examples and edge cases of the whole computation; its laws stand in ``test_properties``."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.compute import compute_opinions
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

CONFIG = OpinionsConfig(min_voters=2, resamples=2)
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
    tables = compute(log, items, config=OpinionsConfig(min_voters=2, min_votes=1))
    assert {name: faults(table, TABLES[name]) for name, table in tables.items()} == {name: [] for name in tables}
    for table in tables.values():
        for column in table.columns:
            assert not pa.types.is_floating(column.type) or pc.all(pc.is_finite(column), min_count=0).as_py()
    is_ready = tables["opinion_snapshot"]["status"][0].as_py() == "ready"
    assert (tables["groups"].num_rows >= 2) == is_ready
    assert sum(tables["groups"]["size"].to_pylist()) == sum(tables["base_clusters"]["size"].to_pylist())
