"""Topics keep their ids over refits, no id is given twice, and the history says what became of each."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

from clustering_platform.semantics.identity import lasting_ids, number_of, relabel
from clustering_platform.semantics.lineage import Before, build_topic_lineage
from clustering_platform.semantics.membership import Membership, overlap_of, read_membership
from clustering_platform.tables import TABLES
from clustering_platform_tests.semantics.trees import Tree, drawn_trees, membership, paths_of, tables


def numbered(prefix: str, *runs: range) -> list[str]:
    return [f"{prefix}{number}" for run in runs for number in run]


SPORT, MUSIC, FOOD = numbered("s", range(10)), numbered("m", range(10)), numbered("f", range(10))
BEFORE: Tree = {"t0": {"t1": SPORT, "t2": MUSIC, "t3": FOOD}}


def ids_of(found: Tree, before: Tree | None = BEFORE, **options: Any) -> dict[str, str]:
    return lasting_ids(membership(found), membership(before) if before else None, **options)


def test_for_the_first_time_topics_are_numbered_in_the_order_of_the_tree() -> None:
    assert ids_of({"f0": {"f1": SPORT, "f2": {"f3": MUSIC, "f4": FOOD}}}, None) == {
        "f0": "t0",
        "f1": "t1",
        "f2": "t2",
        "f3": "t3",
        "f4": "t4",
    }


def test_a_topic_with_the_same_items_keeps_its_id_wherever_it_stands() -> None:
    deeper: Tree = {"f0": {"f1": {"f2": FOOD, "f3": SPORT}, "f4": MUSIC}}
    assert ids_of(deeper) == {"f0": "t0", "f1": "t4", "f2": "t3", "f3": "t1", "f4": "t2"}


def test_only_the_items_of_both_trees_count() -> None:
    grown: Tree = {"f0": {"f1": SPORT[:6] + numbered("x", range(40)), "f2": MUSIC, "f3": FOOD}}
    assert ids_of(grown)["f1"] == "t1"


def test_half_of_two_topics_together_is_enough_and_less_is_not() -> None:
    half: Tree = {"f0": {"f1": SPORT[:5], "f2": SPORT[5:] + MUSIC, "f3": FOOD}}
    less: Tree = {"f0": {"f1": SPORT[:4], "f2": SPORT[4:8] + MUSIC[:4], "f3": MUSIC[4:] + SPORT[8:], "f4": FOOD}}
    assert ids_of(half) == {"f0": "t0", "f1": "t1", "f2": "t2", "f3": "t3"}
    assert ids_of(less) == {"f0": "t0", "f1": "t4", "f2": "t5", "f3": "t2", "f4": "t3"}


def test_of_several_that_could_have_an_id_the_one_with_most_in_common_gets_it() -> None:
    assert ids_of({"f0": {"f1": {"f2": SPORT[:8], "f3": SPORT[8:]}, "f4": MUSIC, "f5": FOOD}})["f1"] == "t1"
    nested: Tree = {"f0": {"f1": {"f2": SPORT, "f3": ["x1", "x2"]}, "f4": MUSIC, "f5": FOOD}}
    assert ids_of(nested)["f2"] == "t1", "a leaf before is a leaf now, where both have the same in common"


def test_a_chain_of_topics_with_the_same_items_keeps_its_order() -> None:
    before: Tree = {"t0": {"t1": {"t2": {"t3": SPORT}}, "t4": MUSIC}}
    deeper: Tree = {"f0": {"f1": {"f2": {"f3": {"f4": SPORT}}, "f5": MUSIC}}}
    assert [ids_of(deeper, before)[key] for key in ("f2", "f3", "f4", "f5")] == ["t1", "t2", "t3", "t4"]


def test_numbers_are_never_given_again() -> None:
    other: Tree = {"f0": {"f1": numbered("a", range(9)), "f2": numbered("b", range(9))}}
    assert ids_of(other, used=["t40", "t7"]) == {"f0": "t0", "f1": "t41", "f2": "t42"}


def test_a_topic_that_is_remembered_is_known_again_but_never_instead_of_one_that_is_there() -> None:
    back: Tree = {"f0": {"f1": SPORT, "f2": numbered("h", range(8)), "f3": FOOD}}
    ids = ids_of(back, retired={"t9": numbered("h", range(6)), "t8": SPORT})
    assert ids == {"f0": "t0", "f1": "t1", "f2": "t9", "f3": "t3"}


def test_a_remembered_topic_is_not_found_in_one_many_times_its_size() -> None:
    assert ids_of({"f0": {"f1": SPORT + MUSIC + FOOD, "f2": ["x1"]}}, None, retired={"t9": SPORT[:2]})["f1"] == "t10"


def test_with_nothing_in_common_only_the_root_keeps_its_id() -> None:
    assert ids_of({"f0": {"f1": ["a", "b"], "f2": ["c", "d"]}}) == {"f0": "t0", "f1": "t4", "f2": "t5"}


def test_empty_trees_have_no_topics_and_take_no_numbers() -> None:
    empty = read_membership(
        pa.table({"item_id": pa.array([], pa.string()), "path": pa.array([], pa.list_(pa.string()))})
    )
    assert lasting_ids(empty, membership(BEFORE)) == {}
    assert lasting_ids(membership(BEFORE), empty, used=["t5"])["t1"] == "t6"


@given(before=drawn_trees(), found=drawn_trees(prefix="f"))
def test_whatever_the_trees_ids_are_unique_and_kept_only_with_half_in_common(before: Tree, found: Tree) -> None:
    earlier, later = membership(before), membership(found)
    ids = lasting_ids(later, earlier)
    assert ids == lasting_ids(later, earlier)
    assert len(set(ids.values())) == len(ids) == len(later.topic_ids)
    assert ids[later.topic_ids[0]] == "t0"
    overlap = overlap_of(earlier, later)
    for found_id, lasting in list(ids.items())[1:]:
        if lasting in earlier.place:
            assert overlap.jaccard(earlier.place[lasting], later.place[found_id]) >= 0.5
        else:
            assert number_of(lasting) > max(map(number_of, earlier.topic_ids))


@given(drawn_trees())
def test_the_same_tree_keeps_all_its_ids(tree: Tree) -> None:
    before = membership(tree)
    assert set(lasting_ids(before, before).items()) == {(topic_id, topic_id) for topic_id in before.topic_ids}


@given(before=drawn_trees(), found=drawn_trees(prefix="f"))
def test_no_assignment_has_more_in_common(before: Tree, found: Tree) -> None:
    from scipy.optimize import linear_sum_assignment

    earlier, later = membership(before), membership(found)
    overlap = overlap_of(earlier, later)
    gains = np.array(
        [[overlap.jaccard(b, a) for a in range(1, len(later.topic_ids))] for b in range(1, len(earlier.topic_ids))]
    )
    gains = np.where(gains >= 0.5, gains, 0).reshape(len(earlier.topic_ids) - 1, len(later.topic_ids) - 1)
    best = gains[linear_sum_assignment(gains, maximize=True)].sum()
    ids = lasting_ids(later, earlier)
    got = sum(
        overlap.jaccard(earlier.place[lasting], later.place[key])
        for key, lasting in list(ids.items())[1:]
        if lasting in earlier.place
    )
    assert got == pytest.approx(best, abs=1e-4)


@given(drawn_trees(prefix="f"))
def test_relabelling_changes_ids_everywhere_and_nothing_else(tree: Tree) -> None:
    topic_tree, item_topics, _ = tables(tree)
    ids = {topic_id: f"t{number_of(topic_id) + 5}" for topic_id in topic_tree["topic_id"].to_pylist()}
    for table in (topic_tree, item_topics):
        other = relabel(table, ids)
        assert other.schema == table.schema
        for row, changed in zip(table.to_pylist(), other.to_pylist(), strict=True):
            expected = row | {"topic_id": ids[row["topic_id"]], "path": [ids[key] for key in row["path"]]}
            if "parent_id" in row:
                expected["parent_id"] = ids.get(row["parent_id"])
            assert changed == expected
        assert relabel(other, {new: old for old, new in ids.items()}).equals(table)


def test_a_thousand_topics_of_a_hundred_thousand_items_take_less_than_two_seconds() -> None:
    rng = np.random.default_rng(7)
    leaves = rng.integers(0, 961, 105_000)
    before, later = leaves[:100_000], np.where(rng.random(100_000) < 0.1, rng.integers(0, 961, 100_000), leaves[5_000:])
    earlier, found = _wide(before, "t", first=0), _wide(later, "f", first=5_000)
    build = overlap_of(membership(BEFORE), membership(BEFORE))  # scipy is loaded before the clock starts
    assert build.counts.sum() > 0
    started = time.process_time()
    ids = lasting_ids(found, earlier)
    build_topic_lineage(found, Before(1, earlier, earlier), found_ids={})
    assert time.process_time() - started < 2
    assert sum(lasting in earlier.place for lasting in ids.values()) > 0.95 * len(ids)


def _wide(leaves: np.ndarray[Any, Any], prefix: str, *, first: int) -> Membership:
    """Return a tree of 31 topics of 31 leaves each."""
    ids = np.concatenate([np.zeros((len(leaves), 1), int), 1 + leaves[:, None] // 31, 32 + leaves[:, None]], axis=1)
    names = pa.array([f"{prefix}{number}" for number in range(993)]).take(pa.array(ids.ravel()))
    paths = pa.ListArray.from_arrays(pa.array(np.arange(len(leaves) + 1) * 3, pa.int32()), names)
    return read_membership(pa.table({"item_id": numbered("i", range(first, first + len(leaves))), "path": paths}))


def history(
    after: Tree, before: Tree | None = BEFORE, lineage: pa.Table | None = None, **options: Any
) -> dict[str, dict[str, Any]]:
    """Return the rows of the lineage of a tree that has its lasting ids, by topic."""
    earlier = Before(7, membership(before), membership(before), lineage) if before else None
    table = build_topic_lineage(membership(after), earlier, found_ids=options.pop("found_ids", {}), **options)
    assert table.schema == TABLES["topic_lineage"].schema()
    return {row["topic_id"]: row for row in table.to_pylist()}


def told(after: Tree, before: Tree | None = BEFORE) -> dict[str, tuple[str, list[str], list[str]]]:
    rows = history(after, before).values()
    return {row["topic_id"]: (row["status"], row["previous_ids"], row["next_ids"]) for row in rows}


def test_for_the_first_time_every_topic_is_new() -> None:
    rows = history(BEFORE, None)
    assert list(rows) == ["t0", "t1", "t2", "t3"]
    assert {row["status"] for row in rows.values()} == {"new"}
    assert {row["compared_with"] for row in rows.values()} == {None}


def test_the_same_tree_is_continued() -> None:
    for row in history(BEFORE).values():
        assert (row["status"], row["previous_ids"], row["next_ids"]) == (
            "continued",
            [row["topic_id"]],
            [row["topic_id"]],
        )
        assert (row["jaccard"], row["compared_with"]) == (1, 7)
        assert row["common_items"] == row["size_before"] == row["size_after"]


def test_a_topic_that_is_divided_is_continued_and_its_parts_are_split_from_it() -> None:
    lines = told({"t0": {"t1": {"t4": SPORT[:5], "t5": SPORT[5:]}, "t2": MUSIC, "t3": FOOD}})
    assert lines["t1"] == ("continued", ["t1"], ["t1", "t4", "t5"])
    assert lines["t4"] == ("split", ["t1"], [])


def test_a_topic_whose_parts_stand_alone_is_retired_and_they_are_split_from_it() -> None:
    lines = told({"t0": {"t4": SPORT[:4], "t5": SPORT[4:8], "t2": MUSIC + SPORT[8:], "t3": FOOD}})
    assert lines["t1"] == ("retired", [], ["t4", "t5"])
    assert lines["t4"] == ("split", ["t1"], [])
    assert lines["t2"] == ("continued", ["t2"], ["t2"])


def test_a_topic_that_takes_in_another_is_merged() -> None:
    lines = told({"t0": {"t1": SPORT + FOOD[:7], "t2": MUSIC + FOOD[7:]}})
    assert lines["t1"] == ("merged", ["t1", "t3"], ["t1"])
    assert lines["t3"] == ("retired", [], ["t1"])
    assert lines["t2"][0] == "continued"


def test_a_new_topic_of_two_earlier_ones_is_merged() -> None:
    lines = told({"t0": {"t4": SPORT + MUSIC, "t3": FOOD}})
    assert lines["t4"] == ("merged", ["t1", "t2"], [])
    assert lines["t1"] == lines["t2"] == ("retired", [], ["t4"])


def test_a_topic_that_is_divided_no_more_has_not_taken_in_its_own_parts() -> None:
    before: Tree = {"t0": {"t1": {"t2": SPORT, "t3": MUSIC}, "t4": FOOD}}
    lines = told({"t0": {"t1": SPORT + MUSIC, "t4": FOOD}}, before)
    assert lines["t1"] == ("continued", ["t1"], ["t1"])
    assert lines["t2"] == ("retired", [], ["t1"])


def test_a_level_that_gathers_topics_is_new() -> None:
    lines = told({"t0": {"t4": {"t1": SPORT, "t2": MUSIC}, "t3": FOOD}})
    assert lines["t4"] == ("new", [], [])
    assert lines["t1"][0] == lines["t2"][0] == "continued"


def test_a_topic_of_new_items_is_new_also_with_a_few_of_an_earlier_one() -> None:
    lines = told({"t0": {"t1": SPORT[:8], "t2": MUSIC, "t3": FOOD, "t4": SPORT[8:] + numbered("x", range(9))}})
    assert lines["t4"] == ("new", [], [])


def test_a_topic_that_is_scattered_is_retired_to_nowhere() -> None:
    lines = told({"t0": {"t1": SPORT + FOOD[:5], "t2": MUSIC + FOOD[5:]}})
    assert lines["t3"] == ("retired", [], [])


def test_retired_topics_stay_in_the_history_as_they_went() -> None:
    second: Tree = {"t0": {"t1": SPORT + FOOD[:7], "t2": MUSIC + FOOD[7:]}}
    earlier = Before(1, membership(BEFORE), membership(BEFORE))
    went = build_topic_lineage(membership(second), earlier, found_ids={})
    later = history({"t0": {"t4": SPORT + FOOD[:7] + MUSIC, "t5": FOOD[7:]}}, second, went)
    assert later["t3"] == {row["topic_id"]: row for row in went.to_pylist()}["t3"]
    assert list(later) == ["t0", "t4", "t5", "t1", "t2", "t3"]


def test_the_items_of_a_decided_topic_are_remembered_for_as_long_as_it_is_not_found() -> None:
    second: Tree = {"t0": {"t4": SPORT + FOOD + MUSIC}}
    rows = history(second, decided={"t1", "t4"})
    assert rows["t1"]["last_item_ids"] == SPORT
    assert rows["t2"]["last_item_ids"] is rows["t4"]["last_item_ids"] is None
    lineage = build_topic_lineage(
        membership(second), Before(1, membership(BEFORE), membership(BEFORE)), found_ids={"t4": "f1"}, decided={"t1"}
    )
    assert history(second, second, lineage, decided={"t1"})["t1"]["last_item_ids"] == SPORT
    assert history(second, second, lineage, decided={"t1"}, found_ids={"t1": "f9"})["t1"]["last_item_ids"] is None


def test_when_no_item_is_left_every_topic_is_retired_and_the_root_comes_back() -> None:
    empty = read_membership(
        pa.table({"item_id": pa.array([], pa.string()), "path": pa.array([], pa.list_(pa.string()))})
    )
    gone = build_topic_lineage(empty, Before(1, membership(BEFORE), membership(BEFORE)), found_ids={})
    assert gone["status"].to_pylist() == ["retired"] * 4
    back = build_topic_lineage(membership({"t0": ["x"]}), Before(2, empty, empty, gone), found_ids={"t0": "f0"})
    assert back["status"].to_pylist() == ["new", "retired", "retired", "retired"]


@given(before=drawn_trees(), found=drawn_trees(prefix="f"))
def test_every_id_has_one_row_that_says_what_became_of_it(before: Tree, found: Tree) -> None:
    earlier = membership(before)
    ids = lasting_ids(membership(found), earlier)
    paths = paths_of(found)
    after = read_membership(
        pa.table({"item_id": list(paths), "path": [[ids[key] for key in path] for path in paths.values()]})
    )
    table = build_topic_lineage(after, Before(3, earlier, earlier), found_ids={new: old for old, new in ids.items()})
    rows = {row["topic_id"]: row for row in table.to_pylist()}
    assert len(rows) == table.num_rows
    assert set(rows) == {*earlier.topic_ids, *after.topic_ids}
    assert list(rows)[: len(after.topic_ids)] == list(after.topic_ids)
    for topic_id, row in rows.items():
        assert (row["status"] == "retired") == (topic_id not in after.place) == (row["size_after"] is None)
        assert (row["size_before"] is None) == (topic_id not in earlier.place)
        assert (row["status"] in ("continued", "merged")) >= (topic_id in earlier.place and topic_id in after.place)
        assert set(row["previous_ids"]) <= set(earlier.topic_ids)
        assert set(row["next_ids"]) <= set(after.topic_ids)
        assert row["status"] != "merged" or len(row["previous_ids"]) > 1
        assert (row["found_id"] is None) == (topic_id not in after.place)


def test_overlaps_are_those_of_sets() -> None:
    other: Tree = {"f0": {"f1": SPORT[:4] + FOOD[:2], "f2": [*MUSIC[3:], "new"]}}
    earlier, later = membership(BEFORE), membership(other)
    overlap = overlap_of(earlier, later)
    common = {*paths_of(BEFORE)} & {*paths_of(other)}
    for b, one in enumerate(earlier.topic_ids):
        for a, two in enumerate(later.topic_ids):
            x, y = set(earlier.members(b)) & common, set(later.members(a)) & common
            assert overlap.shared(b, a) == len(x & y), (one, two)
            assert overlap.jaccard(b, a) == pytest.approx(len(x & y) / len(x | y))
