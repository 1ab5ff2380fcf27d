"""Laws of the whole computation, whatever the votes.

What follows from single examples stands in ``test_compute`` and beside the stages.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.compute import compute_opinions
from clustering_platform.opinions.item_statistics import build_item_statistics
from clustering_platform.opinions.matrix import build_vote_matrix
from clustering_platform.opinions.patterns import build_voting_patterns
from clustering_platform.opinions.representative import build_representative_items
from clustering_platform.opinions.space import read_components, read_places
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.strategies import Log, camps, crowds, logs, rank_one_logs
from clustering_platform_tests.opinions.tables import (
    DAY,
    FIRST,
    faults,
    ingested,
    items_table,
    plain_items,
    votes_table,
)

CONFIG = OpinionsConfig(min_voters=2, resamples=2)
ANY_LOG = st.one_of(logs(max_size=120), crowds(), camps(), rank_one_logs()).filter(bool)
SWAPPED = {"agree": "disagree", "disagree": "agree"}
COUNTS = ("agree", "pass", "disagree", "seen")
Row = dict[str, object]


def ingest(
    log: Log, items: pa.Table | None = None, *, times: Sequence[datetime] | None = None
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return the tables that opinions are made from."""
    return ingested(votes_table(log, times=times), plain_items() if items is None else items)


def compute(
    log: Log, items: pa.Table | None = None, *, times: Sequence[datetime] | None = None, config: OpinionsConfig = CONFIG
) -> dict[str, pa.Table]:
    """Run all stages."""
    return compute_opinions(*ingest(log, items, times=times), day=DAY, config=config)


def count(log: Log, tables: dict[str, pa.Table]) -> tuple[pa.Table, pa.Table]:
    """Return the table `voted_items` of a log and its patterns, with groups and map as they are in `tables`."""
    matrix, voted = build_vote_matrix(*ingest(log), day=DAY, config=CONFIG)
    groups = {row["voter_id"]: row for row in tables["voter_groups"].to_pylist()}
    voters = [groups[voter] for voter in matrix["voter_id"].to_pylist()]
    return voted, build_voting_patterns(
        matrix, voted, pa.Table.from_pylist(voters, schema=tables["voter_groups"].schema)
    )


def by_key(table: pa.Table, name: str, *, without: Sequence[str] = ()) -> dict[tuple[object, ...], Row]:
    """Return the rows of a table by its key, whatever their order."""
    rows = table.drop_columns([column for column in without if column in table.column_names]).to_pylist()
    return {tuple(row[key] for key in TABLES[name].key): row for row in rows}


def but_for_the_log(table: pa.Table) -> pa.Table:
    """Return a table without the columns that describe the log: times of votes, its length and the like."""
    return table.drop_columns([name for name in table.column_names if name.endswith("_at") or name.startswith("log_")])


def swapped(row: Row) -> Row:
    """Return a row with agree and disagree in each other's place, as names of columns and as values."""
    return {SWAPPED.get(name, name): SWAPPED.get(str(value), value) for name, value in row.items()}


def partition(tables: dict[str, pa.Table], column: str) -> set[frozenset[str]]:
    """Return which voters are together."""
    members: dict[int | None, set[str]] = {}
    for row in tables["voter_groups"].to_pylist():
        members.setdefault(row[column], set()).add(row["voter_id"])
    return {frozenset(voters) for cluster, voters in members.items() if cluster is not None}


@given(ANY_LOG)
def test_the_same_log_gives_the_same_tables(log: Log):
    assert compute(log) == compute(log)


@given(ANY_LOG, st.data())
def test_the_order_of_voters_and_items_changes_no_count_of_given_groups(log: Log, data: st.DataObject):
    tables = compute(log)
    pairs = list(dict.fromkeys((voter, item) for voter, item, _ in log))
    place = {pair: place for place, pair in enumerate(data.draw(st.permutations(pairs)))}
    voted, patterns = count(sorted(log, key=lambda vote: place[vote[:2]]), tables)
    assert by_key(voted, "voted_items", without=["position"]) == by_key(
        tables["voted_items"], "voted_items", without=["position"]
    )
    assert by_key(patterns, "voting_patterns") == by_key(tables["voting_patterns"], "voting_patterns")


@given(ANY_LOG, st.data())
def test_the_order_of_voters_changes_no_statistic_of_given_groups(log: Log, data: st.DataObject):
    """Of items with equal scores the first listed is the first that was voted on: items keep their order here."""
    tables = compute(log)
    first = {item: row for row, item in enumerate(tables["voted_items"]["item_id"].to_pylist())}
    place = {pair: place for place, pair in enumerate(data.draw(st.permutations(sorted({v[:2] for v in log}))))}
    voted, patterns = count(sorted(log, key=lambda vote: (first[vote[1]], place[vote[:2]])), tables)
    assert build_representative_items(voted, patterns) == tables["representative_items"]
    assert build_item_statistics(voted, tables["opinion_space"], patterns) == tables["item_statistics"]


@given(ANY_LOG)
def test_flipping_all_votes_mirrors_the_map(log: Log):
    straight, flipped = compute(log), compute([(voter, item, -vote) for voter, item, vote in log])
    (voters, places), (other_voters, other_places) = (
        read_places(tables["opinion_space"], "voter") for tables in (straight, flipped)
    )
    assert voters == other_voters
    assert np.array_equal(places, -other_places)
    (means, components), (other_means, other_components) = (
        read_components(tables["opinion_space"]) for tables in (straight, flipped)
    )
    assert np.array_equal(means, -other_means)
    assert np.array_equal(components, other_components)


@given(ANY_LOG)
def test_flipping_all_votes_leaves_everybody_in_their_group(log: Log):
    straight, flipped = compute(log), compute([(voter, item, -vote) for voter, item, vote in log])
    for level in ("base_cluster_id", "group_id"):
        assert partition(straight, level) == partition(flipped, level)
    assert straight["groupings"] == flipped["groupings"]


@given(ANY_LOG)
def test_flipping_all_votes_swaps_agree_and_disagree_everywhere(log: Log):
    straight, flipped = compute(log), compute([(voter, item, -vote) for voter, item, vote in log])
    for name in ("voted_items", "voting_patterns"):
        expected = {key: swapped(row) for key, row in by_key(straight[name], name).items()}
        assert by_key(flipped[name], name) == expected
    for row, other in zip(straight["item_statistics"].to_pylist(), flipped["item_statistics"].to_pylist(), strict=True):
        assert {name: row[SWAPPED.get(name, name)] for name in COUNTS} == {name: other[name] for name in COUNTS}
    expected = {key: swapped(row) for key, row in by_key(straight["consensus_items"], "consensus_items").items()}
    assert list(expected.values()) == sorted(
        flipped["consensus_items"].to_pylist(), key=lambda row: (row["side"] != "disagree", row["rank"])
    )


@given(ANY_LOG)
def test_an_item_that_nobody_voted_on_changes_nothing(log: Log):
    names = sorted({item for _, item, _ in log})
    assert compute(log, plain_items(*names)) == compute(log, plain_items("unseen", *names))


@given(ANY_LOG, st.data(), st.booleans())
def test_an_item_that_is_moderated_out_lies_at_the_centre_and_keeps_its_counts(
    log: Log, data: st.DataObject, is_meta: bool
):
    name = data.draw(st.sampled_from(sorted({item for _, item, _ in log})))
    before, after = compute(log), compute(log, items_table([(name, 0 if is_meta else -1, is_meta)]))
    (space,) = [row for row in after["opinion_space"].to_pylist() if (row["kind"], row["id"]) == ("item", name)]
    assert [space[column] for column in ("x", "y", "mean", "component_1", "component_2")] == [0] * 5
    assert by_key(after["item_statistics"], "item_statistics")[name,]["extremity"] == 0
    for table in ("voted_items", "item_statistics"):
        assert before[table].select(["item_id", *COUNTS]) == after[table].select(["item_id", *COUNTS])
    for listed in ("representative_items", "consensus_items"):
        assert name not in after[listed]["item_id"].to_pylist()
    for column in ("votes_cast", "is_grouped"):
        assert before["vote_matrix"][column] == after["vote_matrix"][column]


@given(ANY_LOG, st.data())
def test_what_was_voted_on_an_item_that_is_moderated_out_moves_nobody(log: Log, data: st.DataObject):
    name = data.draw(st.sampled_from(sorted({item for _, item, _ in log})))
    other = [(voter, item, -1 if item == name else vote) for voter, item, vote in log]
    spaces = [compute(votes, items_table([(name, -1, False)]))["opinion_space"] for votes in (log, other)]
    assert spaces[0] == spaces[1]


@given(ANY_LOG, st.data())
def test_a_pass_counts_as_seen_and_as_nothing_else(log: Log, data: st.DataObject):
    name = data.draw(st.sampled_from(sorted({item for _, item, _ in log})))
    before, after = (
        by_key(compute(votes)["voted_items"], "voted_items") for votes in (log, [*log, ("passer-by", name, 0)])
    )
    row = before[name,]
    before[name,] = row | {"pass": row["pass"] + 1, "seen": row["seen"] + 1}
    assert after == before


@given(ANY_LOG)
def test_all_votes_are_counted_once_at_every_level(log: Log):
    tables = compute(log)
    cells = len({vote[:2] for vote in log})
    assert sum(tables["vote_matrix"]["votes_cast"].to_pylist()) == cells
    assert sum(tables["voted_items"]["seen"].to_pylist()) == cells
    grouped = [row["votes_cast"] for row in tables["voter_groups"].to_pylist() if row["group_id"] is not None]
    patterns = tables["voting_patterns"].to_pylist()
    assert sum(row["seen"] for row in patterns if row["level"] == "group") == sum(grouped)
    for row in patterns:
        assert row["seen"] == row["agree"] + row["pass"] + row["disagree"]


@given(ANY_LOG)
def test_replaying_the_same_votes_changes_nothing_but_what_is_said_of_the_log(log: Log):
    once, twice = compute(log), compute(log + log)
    for name, table in once.items():
        assert but_for_the_log(twice[name]) == but_for_the_log(table), name


@given(ANY_LOG)
def test_the_times_between_votes_change_nothing_but_what_is_said_of_the_log(log: Log):
    at_once = compute(log, times=[FIRST + timedelta(hours=23)] * len(log))
    for name, table in compute(log).items():
        assert but_for_the_log(at_once[name]) == but_for_the_log(table), name


@given(ANY_LOG)
def test_voters_who_voted_alike_stand_together(log: Log):
    """On the map always; in clusters where both are grouped."""
    tables = compute([*log, *((f"twin of {voter}", item, vote) for voter, item, vote in log)])
    voters = by_key(tables["voter_groups"], "voter_groups")
    for voter in {voter for voter, _, _ in log}:
        one, other = voters[voter,], voters[f"twin of {voter}",]
        assert (one["x"], one["y"]) == (other["x"], other["y"])
        for level in ("base_cluster_id", "group_id"):
            assert None in (one[level], other[level]) or one[level] == other[level]


@given(rank_one_logs())
def test_opinions_along_one_line_lie_on_one_line(log: Log):
    tables = compute(log)
    places = read_places(tables["opinion_space"], "voter")[1]
    assert not np.abs(places[:, 1]).max(initial=0) > 1e-9
    assert tables["groups"].num_rows <= 3


@given(st.lists(st.tuples(st.integers(0, 8).map("v{}".format), st.integers(0, 5).map("i{}".format)), min_size=1))
def test_where_all_pass_there_is_no_variation(pairs: list[tuple[str, str]]):
    tables = compute([(voter, item, 0) for voter, item in pairs])
    assume(len({voter for voter, _ in pairs}) > 1)
    assert tables["opinion_snapshot"]["status"].to_pylist() == ["no_variation"]
    assert not np.any(np.concatenate([read_places(tables["opinion_space"], kind)[1] for kind in ("voter", "item")]))
    assert tables["consensus_items"].num_rows == 0


@pytest.mark.parametrize("strategy", [logs(voters=1), logs(items=1), camps(), rank_one_logs()])
def test_degenerate_logs_give_tables_that_keep_the_contract(strategy: st.SearchStrategy[Log]):
    @given(strategy)
    def law(log: Log) -> None:
        tables = compute(log)
        assert {name: faults(table, TABLES[name]) for name, table in tables.items()} == {name: [] for name in tables}

    law()
