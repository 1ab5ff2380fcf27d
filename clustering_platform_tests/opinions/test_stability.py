"""How sure groups are, on conversations where the answer is known."""

from itertools import permutations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.compute import compute_opinions
from clustering_platform.opinions.stability import STABILITY_TABLES, build_stability, compare
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.polis_data import LAST_DAY, load_conversation
from clustering_platform_tests.opinions.tables import DAY, faults, ingested, one_vote_each

Tables = dict[str, pa.Table]
CONFIG = OpinionsConfig(min_voters=2)


def opinions(rows: NDArray[np.int8] | list[list[int]], *, config: OpinionsConfig = CONFIG) -> Tables:
    """Return the opinion tables of a full matrix of votes, without stability."""
    rows = np.asarray(rows).tolist()
    return compute_opinions(*one_vote_each(rows), day=DAY, config=config.model_copy(update={"resamples": 0}))


def stability(tables: Tables, *, config: OpinionsConfig = CONFIG, workers: int | None = None) -> Tables:
    names = ("vote_matrix", "voted_items", "base_clusters", "groupings", "voter_groups")
    found = build_stability(*(tables[name] for name in names), config=config, workers=workers)
    return dict(zip(STABILITY_TABLES, found, strict=True))


def camps(*sizes: int, items: int = 30, noise: float = 0.1, seed: int = 1) -> NDArray[np.int8]:
    """Return votes of camps, mixed, of which each votes its own way but for a share of `noise`."""
    rng = np.random.default_rng(seed)
    own = rng.choice([-1, 1], (len(sizes), items))
    members = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return np.where(
        rng.random((members.size, items)) < noise, rng.choice([-1, 0, 1], (members.size, items)), own[members]
    )


def noise(voters: int, items: int = 30) -> NDArray[np.int8]:
    return np.random.default_rng(5).choice([-1, 0, 1], (voters, items))


def regrouped(tables: Tables, group_of_base_cluster: NDArray[np.int32]) -> Tables:
    """Return the tables as if other groups had been published."""
    base = tables["base_clusters"]["base_cluster_id"].to_pylist()
    owner = dict(zip(base, group_of_base_cluster.tolist(), strict=True))
    voters = tables["voter_groups"]
    group_id = [owner.get(row) for row in voters["base_cluster_id"].to_pylist()]
    place = voters.column_names.index("group_id")
    return tables | {"voter_groups": voters.set_column(place, "group_id", pa.array(group_id, pa.int32()))}


def chosen(tables: Tables) -> dict[str, float]:
    [row] = [row for row in tables["grouping_stability"].to_pylist() if row["is_chosen"]]
    return row


@pytest.mark.parametrize("sizes", [(60, 40), (50, 40, 30)], ids=["two", "three"])
def test_clear_camps_are_found_again_nearly_always(sizes: tuple[int, ...]):
    found = stability(opinions(camps(*sizes)))
    assert chosen(found)["groups"] == len(sizes)
    assert chosen(found)["support"] >= 0.9
    assert chosen(found)["adjusted_rand"] >= 0.95
    assert min(found["group_stability"]["stability"].to_pylist()) >= 0.95
    assert max(found["group_stability"]["dissolved"].to_pylist()) <= 0.1
    assert np.mean(found["voter_stability"]["stability"].to_pylist()) >= 0.95


def test_groups_of_pure_noise_are_not_found_again():
    found = stability(opinions(noise(120)))
    assert chosen(found)["adjusted_rand"] <= 0.3
    assert max(found["group_stability"]["stability"].to_pylist()) <= 0.65
    assert min(found["group_stability"]["dissolved"].to_pylist()) >= 0.2


def test_halves_of_a_camp_are_unsure_while_the_other_camp_is_sure():
    tables = opinions(camps(80, 40))
    base = dict(
        zip(*(tables["voter_groups"][name].to_pylist() for name in ("base_cluster_id", "group_id")), strict=True)
    )
    groups = np.array([base[row] for row in tables["base_clusters"]["base_cluster_id"].to_pylist()])
    sizes = {row["group_id"]: row["size"] for row in tables["groups"].to_pylist()}
    large = max(sizes, key=lambda group: sizes[group])
    in_half = (groups == large) & (np.random.default_rng(3).random(groups.size) < 0.5)
    found = stability(regrouped(tables, np.where(in_half, 2, groups)))["group_stability"].to_pylist()
    by_group = {row["group_id"]: row for row in found}
    assert by_group[1 - large]["stability"] >= 0.95
    for half in (large, 2):
        assert by_group[half]["stability"] <= 0.65
        assert by_group[half]["stability_same_k"] <= 0.65
        assert by_group[half]["dissolved"] >= 0.4


def test_where_resamples_prefer_another_number_of_groups_the_same_number_is_still_found_again():
    rng = np.random.default_rng(2)
    first = rng.choice([-1, 1], 30)
    near_opposite = -first
    near_opposite[:5] *= -1
    members = rng.permutation(np.repeat(np.arange(3), [50, 40, 40]))
    own = np.array([first, -first, near_opposite])[members]
    found = stability(opinions(np.where(rng.random(own.shape) < 0.15, rng.choice([-1, 0, 1], own.shape), own)))
    assert (chosen(found)["groups"], chosen(found)["rank"]) == (2, 1)
    assert chosen(found)["support"] <= 0.5
    assert chosen(found)["adjusted_rand"] <= 0.8
    assert chosen(found)["adjusted_rand_same_k"] >= 0.95
    split = min(found["group_stability"].to_pylist(), key=lambda row: row["stability"])
    assert split["stability"] <= 0.75
    assert split["stability_same_k"] >= 0.95


def test_the_runner_up_and_its_silhouette_are_shown():
    tables = opinions(camps(50, 40, 30))
    found = stability(tables)["grouping_stability"].to_pylist()
    whole = [row for row in tables["groupings"].to_pylist() if row["parent_id"] is None]
    silhouettes = {row["groups"]: row["silhouette"] for row in whole}
    assert {row["groups"]: row["silhouette"] for row in found} == silhouettes
    ranked = [row["groups"] for row in sorted(found, key=lambda row: row["rank"])]
    assert ranked == sorted(silhouettes, key=lambda k: -silhouettes[k])
    assert sum(row["support"] for row in found) == pytest.approx(1)
    assert [row["groups"] for row in found if row["adjusted_rand"] is not None] == [3]


def test_one_row_for_every_group_and_every_grouped_voter():
    rows = [*camps(40, 30).tolist(), [1, *([None] * 29)]]
    tables = opinions(rows)
    found = stability(tables)
    assert {name: faults(found[name], TABLES[name]) for name in found} == {name: [] for name in found}
    assert found["group_stability"]["group_id"].to_pylist() == tables["groups"]["group_id"].to_pylist()
    voters = tables["voter_groups"].select(["voter_id", "group_id"])
    assert found["voter_stability"].select(["voter_id", "group_id"]).to_pylist() == voters.to_pylist()[:-1]


@pytest.mark.parametrize(
    ("rows", "config"),
    [
        (camps(20, 20), CONFIG.model_copy(update={"resamples": 0})),
        (camps(10, 10), OpinionsConfig(min_voters=50)),
        (np.ones((20, 5), np.int8), CONFIG),
        (np.empty((0, 0), np.int8), CONFIG),
    ],
    ids=["no resamples", "too few voters", "no variation", "no votes"],
)
def test_without_resamples_or_groups_the_tables_are_empty(rows: NDArray[np.int8], config: OpinionsConfig):
    tables = opinions(rows, config=config)
    assert stability(tables, config=config) == {name: TABLES[name].empty() for name in STABILITY_TABLES}


@pytest.mark.parametrize("rows", [noise(200), camps(100, 60, noise=0.4)], ids=["noise", "camps"])
def test_the_result_is_the_same_for_any_number_of_workers_and_differs_by_seed(rows: NDArray[np.int8]):
    tables = opinions(rows)
    one, three = stability(tables, workers=1), stability(tables, workers=3)
    assert one == three
    assert stability(tables, config=CONFIG.model_copy(update={"seed": 1})) != one


def test_ids_do_not_matter():
    tables = opinions(camps(30, 25, noise=0.5))
    voters = tables["voter_groups"]
    renamed = [f"x{name[::-1]}" for name in voters["voter_id"].to_pylist()]
    groups = regrouped(tables, 0 * tables["base_clusters"]["base_cluster_id"].to_numpy())
    places = pa.array(
        [None if group is None else 7 + 10 * group for group in voters["group_id"].to_pylist()], pa.int32()
    )
    column = voters.column_names.index("group_id")
    other = groups | {
        "voter_groups": voters.set_column(0, "voter_id", pa.array(renamed)).set_column(column, "group_id", places),
        "vote_matrix": tables["vote_matrix"].set_column(1, "voter_id", pa.array(renamed)),
    }
    before, after = stability(tables), stability(other)
    figures = ["stability", "stability_same_k"]
    assert after["grouping_stability"] == before["grouping_stability"]
    for name in ("group_stability", "voter_stability"):
        assert after[name].select(figures) == before[name].select(figures)
    assert set(after["group_stability"]["group_id"].to_pylist()) <= {7, 17, 27, 37, 47}


@settings(max_examples=8)
@given(st.integers(0, 10**6))
def test_the_order_of_voters_changes_little(seed: int):
    rows = camps(40, 30)
    config = CONFIG.model_copy(update={"resamples": 30})
    straight = chosen(stability(opinions(rows), config=config))
    mixed = chosen(stability(opinions(np.random.default_rng(seed).permutation(rows)), config=config))
    assert mixed["adjusted_rand_same_k"] == pytest.approx(straight["adjusted_rand_same_k"], abs=0.1)


@given(st.data())
def test_few_voters_at_few_places_give_whole_tables(data: st.DataObject):
    distinct = data.draw(st.integers(2, 4))
    kinds = np.array([[1, 1, 1, -1], [-1, -1, 1, 1], [0, 1, -1, 0], [1, 0, 0, 1]])[:distinct]
    who = data.draw(st.lists(st.integers(0, distinct - 1), min_size=2, max_size=15))
    found = stability(opinions(kinds[who]), config=CONFIG.model_copy(update={"resamples": 8}))
    assert {name: faults(found[name], TABLES[name]) for name in found} == {name: [] for name in found}


def test_of_a_real_conversation_some_groups_are_surer_than_others(shared_data: Path):
    talk = load_conversation(shared_data / "polis-math" / "above-100-ptpts")
    found = stability(compute_opinions(*ingested(talk.votes, talk.items), day=LAST_DAY, config=CONFIG))
    figures = sorted(found["group_stability"]["stability"].to_pylist())
    assert len(figures) == 4
    assert figures[0] <= 0.6
    assert figures[-1] >= 0.75


def test_two_places_are_two_sure_groups_although_a_resample_may_miss_one():
    found = stability(opinions([[1, -1, 1]] * 13 + [[-1, 1, 0]] * 2))
    assert [row["groups"] for row in found["grouping_stability"].to_pylist()] == [2]
    missed = 1 - chosen(found)["support"]
    assert 0 < missed < 0.4
    assert chosen(found)["adjusted_rand"] == pytest.approx(1 - missed)
    large, small = found["group_stability"].to_pylist()
    assert large["stability"] == pytest.approx(1 - missed + missed * 13 / 15)
    assert small["stability"] == pytest.approx(1 - missed + missed * 2 / 15)
    assert small["dissolved"] == pytest.approx(missed)


def test_of_many_voters_a_fixed_sample_takes_part():
    tables = opinions(camps(90, 70))
    config = CONFIG.model_copy(update={"resampled_voters": 100})
    found = stability(tables, config=config)
    assert found["voter_stability"].num_rows == 100
    assert found == stability(tables, config=config)
    assert chosen(found)["adjusted_rand"] >= 0.95
    in_order = tables["voter_groups"]["voter_id"].to_pylist()
    sampled = found["voter_stability"]["voter_id"].to_pylist()
    assert sampled == [voter for voter in in_order if voter in set(sampled)]


def test_of_a_group_outside_the_sample_nothing_is_said():
    tables = opinions(camps(100, 80))
    base = tables["base_clusters"]
    rare = np.zeros(base.num_rows, np.int32)
    rare[base["size"].to_numpy().argmin()] = 1
    config = CONFIG.model_copy(update={"resampled_voters": 100, "resamples": 5})
    seeds = (stability(regrouped(tables, rare), config=config.model_copy(update={"seed": seed})) for seed in range(9))
    rows = [found["group_stability"].to_pylist()[1] for found in seeds]
    assert any(row["stability"] is None and row["dissolved"] is None for row in rows)
    assert any(row["stability"] is not None for row in rows)


divisions = st.integers(1, 30).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 3), min_size=n, max_size=n).map(np.array) for _ in range(2)])
)


@given(divisions)
def test_overlaps_are_those_of_the_definitions(pair: tuple[NDArray[np.int64], NDArray[np.int64]]):
    from sklearn.metrics import adjusted_rand_score

    ours, others = pair
    found = compare(ours, others, n_groups=4, n_others=4)
    assert found.adjusted_rand == pytest.approx(adjusted_rand_score(ours, others))
    for group in range(4):
        members = set(np.flatnonzero(ours == group))
        sets = [set(np.flatnonzero(others == other)) for other in range(4)]
        expected = (
            max(len(members & other) / len(members | other) for other in sets if members | other) if members else np.nan
        )
        assert found.jaccard[group] == pytest.approx(expected, nan_ok=True)
    best = max(
        sum(np.sum((ours == row) & (others == pairing[row])) for row in range(4)) for pairing in permutations(range(4))
    )
    assert found.stays.sum() == best


def test_groups_that_a_resample_merges_keep_the_voters_of_the_larger_only():
    found = compare(np.array([0, 0, 0, 1, 1]), np.zeros(5, np.int64), n_groups=2, n_others=1)
    assert found.stays.tolist() == [True, True, True, False, False]
    assert found.jaccard.tolist() == [3 / 5, 2 / 5]
    assert found.adjusted_rand == 0
