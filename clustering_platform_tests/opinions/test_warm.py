"""Going on from an earlier day: what Polis says of its ticks, on small logs and by hand."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.compute import compute_opinions
from clustering_platform.opinions.groups import build_groups
from clustering_platform.opinions.space import read_components, read_places
from clustering_platform.opinions.warm import (
    NO_CLUSTER,
    Clusters,
    EarlierLevels,
    align,
    clusters_from,
    go_on,
    keep_grouped,
)
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.strategies import Log, logs
from clustering_platform_tests.opinions.tables import DAY, FIRST, faults, ingested, plain_items, votes_table
from clustering_platform_tests.opinions.test_groups import base_clusters, camps

WARM = OpinionsConfig(min_voters=2, continuity="warm")
NONE = NO_CLUSTER


def going_on(
    places: Sequence[Sequence[float]], last: Sequence[int], *, k: int, weights: Sequence[float] | None = None
) -> Clusters:
    weight = np.ones(len(places)) if weights is None else np.array(weights, np.float64)
    return go_on(np.array(places, np.float64), np.array(last, np.int32), k=k, weights=weight, max_steps=100)


def ids_of(clusters: Clusters) -> list[int]:
    """Return the id of the cluster of each point."""
    return clusters.ids[clusters.labels].tolist()


def test_clusters_keep_their_ids_when_their_points_move():
    clusters = going_on([(5, 5), (6, 5), (-3, 0), (-4, 0)], [7, 7, 2, 2], k=2)
    assert ids_of(clusters) == [7, 7, 2, 2]
    assert clusters.ids.tolist() == [2, 7]
    assert clusters.centres.tolist() == [[-3.5, 0], [5.5, 5]]


def test_a_point_that_moved_changes_its_cluster():
    assert ids_of(going_on([(0, 0), (1, 0), (9, 0), (8.5, 0), (10, 0)], [0, 0, 4, 0, 4], k=2)) == [0, 0, 4, 4, 4]


def test_new_points_join_the_nearest_cluster_once_there_are_enough_clusters():
    assert ids_of(going_on([(0, 0), (9, 0), (2, 0), (8, 0)], [3, 5, NONE, NONE], k=2)) == [3, 5, 3, 5]


def test_the_farthest_point_becomes_a_cluster_with_the_next_id_while_there_are_too_few():
    clusters = going_on([(0, 0), (1, 0), (50, 0), (90, 0)], [3, 3, 3, NONE], k=3)
    assert ids_of(clusters) == [3, 3, 5, 4]


def test_there_are_no_more_clusters_than_distinct_points():
    clusters = going_on([(0, 0), (0, 0), (5, 0), (5, 0)], [1, 1, NONE, NONE], k=4)
    assert ids_of(clusters) == [1, 1, 2, 2]


def test_clusters_at_one_place_become_one_with_the_id_of_the_heaviest():
    assert ids_of(going_on([(0, 0), (0, 0), (0, 0), (9, 0)], [1, 4, 4, 2], k=2)) == [4, 4, 4, 2]
    assert ids_of(going_on([(0, 0), (0, 0), (9, 0)], [1, 4, 2], k=2, weights=[5, 1, 1])) == [1, 1, 2]
    assert ids_of(going_on([(0, 0), (0, 0), (9, 0)], [4, 1, 2], k=2)) == [1, 1, 2]


def test_a_merged_cluster_makes_room_for_a_new_one():
    clusters = going_on([(0, 0), (0, 0), (9, 0), (40, 0)], [0, 1, 2, 2], k=3)
    assert len(clusters.ids) == 3
    assert ids_of(clusters) == [0, 0, 2, 3]


def test_of_more_clusters_than_allowed_the_heaviest_stay():
    assert ids_of(going_on([(0, 0), (1, 0), (20, 0), (40, 0), (41, 0)], [0, 0, 1, 2, 2], k=2)) == [0, 0, 0, 2, 2]


def test_weights_count_where_clusters_lie():
    clusters = going_on([(0, 0), (4, 0), (90, 0)], [0, 0, 1], k=2, weights=[3, 1, 1])
    assert clusters.centres[:, 0].tolist() == [1, 90]


@pytest.mark.parametrize("last", [None, [NONE, NONE, NONE]])
def test_without_earlier_clusters_the_start_is_cold(last: list[int] | None):
    points = np.array([[0.0, 0], [9, 0], [1, 0]])
    before = None if last is None else np.array(last, np.int32)
    clusters = clusters_from(points, before, k=2, max_steps=100)
    assert (clusters.ids.tolist(), clusters.labels.tolist()) == ([0, 1], [0, 1, 0])


POINTS = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4), st.integers(NONE, 5)), min_size=1, max_size=30)


@given(POINTS, st.integers(1, 6))
def test_every_start_gives_filled_clusters_with_ascending_ids_at_the_mean_of_their_points(
    rows: list[tuple[int, int, int]], k: int
):
    points = np.array([row[:2] for row in rows], np.float64)
    clusters = clusters_from(points, np.array([row[2] for row in rows], np.int32), k=k, max_steps=100)
    assert len(clusters.ids) <= min(k, len(np.unique(points, axis=0)))
    assert (np.diff(clusters.ids) > 0).all()
    assert set(clusters.labels.tolist()) == set(range(len(clusters.ids)))
    for cluster, centre in enumerate(clusters.centres):
        assert centre == pytest.approx(points[clusters.labels == cluster].mean(axis=0))


@given(POINTS, st.integers(1, 6))
def test_going_on_with_the_same_points_soon_changes_nothing(rows: list[tuple[int, int, int]], k: int):
    points = np.array([row[:2] for row in rows], np.float64)

    def again(last: NDArray[np.int32] | None) -> Clusters:
        return clusters_from(points, last, k=k, max_steps=100)

    clusters = again(None)
    for _ in range(20):
        before, clusters = clusters, again(clusters.ids[clusters.labels])
        if ids_of(before) == ids_of(clusters):
            break
    assert ids_of(again(clusters.ids[clusters.labels])) == ids_of(clusters)


def matrix(grouped: dict[str, bool]) -> pa.Table:
    field = TABLES["vote_matrix"].schema().field("is_grouped")
    return pa.table(
        [pa.array(grouped), pa.array(grouped.values())], schema=pa.schema([("voter_id", pa.string()), field])
    )


def test_who_was_grouped_once_stays_so():
    earlier = matrix({"a": True, "b": False, "gone": True})
    now = keep_grouped(matrix({"b": False, "c": True, "a": False}), earlier)
    assert now.to_pydict() == {"voter_id": ["b", "c", "a"], "is_grouped": [False, True, True]}
    assert now.schema.field("is_grouped") == TABLES["vote_matrix"].schema().field("is_grouped")


def space_of(log: Log) -> pa.Table:
    return compute_opinions(*ingested(votes_table(log), plain_items()), day=DAY, config=OpinionsConfig(min_voters=2))[
        "opinion_space"
    ]


def mirrored(space: pa.Table, axes: set[int]) -> pa.Table:
    for axis in axes:
        for name in ("xy"[axis], f"component_{axis + 1}"):
            place = space.schema.get_field_index(name)
            space = space.set_column(place, space.schema.field(place), pc.negate(space[name]))
    return space


@given(logs(), st.sets(st.sampled_from([0, 1])))
def test_components_point_the_way_they_did_before(log: Log, axes: set[int]):
    space = space_of(log)
    before = mirrored(space, axes)
    aligned = align(space, before)
    assert np.array_equal(read_components(aligned)[1], read_components(before)[1])
    for kind in ("voter", "item"):
        assert np.array_equal(read_places(aligned, kind)[1], read_places(before, kind)[1])
    assert aligned.schema == space.schema


def test_components_are_compared_over_the_items_of_both_days():
    log = [
        (f"v{voter}", f"i{item}", 1 if (voter < 6) == (item < 3) else -1) for voter in range(11) for item in range(6)
    ]
    earlier = mirrored(space_of([vote for vote in log if vote[1] != "i0"]), {0})
    aligned = align(space_of(log), earlier)
    common = read_components(aligned)[1][0][1:]
    assert (common @ read_components(earlier)[1][0]) > 0


def on_day(base: pa.Table, previous: EarlierLevels | None = None) -> EarlierLevels:
    return EarlierLevels(base, build_groups(base, config=WARM, previous=previous)[1])


def numbers(levels: EarlierLevels, column: str) -> list[int]:
    return levels.groupings.filter(levels.groupings[column])["groups"].to_pylist()


def test_a_new_number_of_groups_is_kept_out_until_it_was_best_four_days_in_a_row():
    three_camps = base_clusters(camps((0, 0), (8, 0), (0, 8), members=4))
    levels = on_day(three_camps.filter(pc.less(three_camps["y"], 4)))
    assert (numbers(levels, "is_best"), numbers(levels, "is_chosen")) == ([2], [2])
    chosen = []
    for _ in range(5):
        levels = on_day(three_camps, levels)
        assert numbers(levels, "is_best") == [3]
        chosen += numbers(levels, "is_chosen")
    assert chosen == [2, 2, 2, 3, 3]
    assert levels.groupings.filter(levels.groupings["is_best"])["best_in_a_row"].to_pylist() == [5]


def test_groups_keep_their_ids_where_a_cold_start_would_swap_them():
    places = camps((0, 0), (8, 0))
    before = on_day(base_clusters(places))
    moved = [(x + 100, y) for x, y in places]
    order = [len(moved) - 1, *range(len(moved) - 1)]
    base = base_clusters(moved).take(order)
    cold, _ = build_groups(base, config=OpinionsConfig())
    warm, _ = build_groups(base, config=WARM, previous=before)
    assert cold["x"].to_pylist() == pytest.approx([108, 100], abs=0.3)
    assert warm["x"].to_pylist() == pytest.approx([100, 108], abs=0.3)


def test_a_new_base_cluster_joins_the_group_it_lies_in():
    places = camps((0, 0), (8, 0))
    groups, _ = build_groups(base_clusters([*places, (8, 1)]), config=WARM, previous=on_day(base_clusters(places)))
    assert groups["size"].to_pylist() == [12, 13]
    assert groups["base_cluster_ids"].to_pylist()[1][-1] == 10 * len(places)


def two_days() -> tuple[pa.Table, pa.Table]:
    """Return votes and items of two days: 20 voters, of whom v0 changes sides, and 6 who come on the second day."""
    rng = np.random.default_rng(3)

    def opinions(voter: int, side: int) -> Log:
        votes = np.where(rng.random(12) < 0.2, 0, side * np.where(np.arange(12) % 3, 1, -1))
        return [(f"v{voter}", f"i{item}", int(vote)) for item, vote in enumerate(votes)]

    first = [vote for voter in range(20) for vote in opinions(voter, 1 if voter % 2 else -1)]
    second = opinions(0, 1) + [vote for voter in range(20, 26) for vote in opinions(voter, 1 if voter % 2 else -1)]
    log = first + second + [("once", "i0", 1)]
    times = [FIRST + timedelta(seconds=row, days=row >= len(first)) for row in range(len(log))]
    return votes_table(log, times=times), plain_items(*(f"i{item}" for item in range(12)))


def warm_days(config: OpinionsConfig = WARM) -> tuple[dict[str, pa.Table], dict[str, pa.Table]]:
    votes, items = two_days()
    first = compute_opinions(*ingested(votes, items), day=DAY, config=config)
    return first, compute_opinions(*ingested(votes, items), day=DAY + timedelta(days=1), config=config, previous=first)


def test_a_day_that_goes_on_keeps_the_contract_and_gives_the_same_each_time():
    for tables in warm_days():
        assert {name: faults(table, TABLES[name]) for name, table in tables.items()} == {name: [] for name in tables}
        assert tables["earlier_groupings"].num_rows == 0
    assert warm_days() == warm_days()


def owners(tables: dict[str, pa.Table]) -> dict[str, tuple[int | None, int | None]]:
    columns = ("voter_id", "base_cluster_id", "group_id")
    voters = tables["voter_groups"].select(list(columns)).to_pylist()
    return {row["voter_id"]: (row["base_cluster_id"], row["group_id"]) for row in voters}


def test_voters_who_did_not_change_stay_in_their_group_and_who_changed_sides_leaves_it():
    first, second = (owners(tables) for tables in warm_days())
    assert {voter for voter in first if first[voter][1] != second[voter][1]} == {"v0"}
    assert second["v0"][1] == second["v1"][1]
    for voter in range(20, 26):
        assert second[f"v{voter}"][1] == second[f"v{voter % 2 + 2}"][1]
    assert second["once"] == (None, None)


def test_base_clusters_of_the_day_before_keep_their_ids_and_new_ones_get_higher_ids():
    first, second = warm_days()
    before, after = owners(first), owners(second)
    largest = max(first["base_clusters"]["base_cluster_id"].to_pylist())
    assert sum(before[voter][0] == after[voter][0] for voter in before) >= 15
    assert max(after[f"v{voter}"][0] or 0 for voter in range(20, 26)) > largest
    assert second["base_clusters"]["base_cluster_id"].to_pylist() == sorted(
        second["base_clusters"]["base_cluster_id"].to_pylist()
    )


def test_a_voter_who_was_grouped_when_there_were_few_items_stays_so():
    few = [(f"v{voter}", f"i{item}", 1 if voter % 2 else -1) for voter in range(20) for item in range(3)]
    more = [(f"v{voter}", f"i{item}", 1 if voter % 2 else -1) for voter in range(1, 20) for item in range(3, 9)]
    times = [FIRST + timedelta(days=row >= len(few)) for row in range(len(few + more))]
    votes, items = votes_table(few + more, times=times), plain_items()
    first = compute_opinions(*ingested(votes, items), day=DAY, config=WARM)
    next_day = DAY + timedelta(days=1)
    warm = compute_opinions(*ingested(votes, items), day=next_day, config=WARM, previous=first)
    cold = compute_opinions(*ingested(votes, items), day=next_day, config=OpinionsConfig(min_voters=2))
    assert owners(cold)["v0"] == (None, None)
    assert owners(warm)["v0"][1] is not None


def test_subgroups_go_on_too():
    first, second = warm_days()
    rows = second["groupings"].filter(pc.is_valid(second["groupings"]["parent_id"]))
    assert rows.num_rows > 0
    assert all(row["best_in_a_row"] in (1, 2) for row in rows.to_pylist() if row["is_best"])
    assert first["subgroups"].num_rows > 0


def test_a_first_day_that_was_not_ready_is_as_none():
    votes, items = two_days()
    config = OpinionsConfig(min_voters=25, continuity="warm")
    first = compute_opinions(*ingested(votes, items), day=DAY, config=config)
    assert first["groups"].num_rows == 0
    next_day = DAY + timedelta(days=1)
    warm = compute_opinions(*ingested(votes, items), day=next_day, config=config, previous=first)
    assert warm["groups"] == compute_opinions(*ingested(votes, items), day=next_day, config=config)["groups"]
