import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.opinions.item_statistics import META_PRIORITY, priority
from clustering_platform.opinions.voters import (
    agreement,
    draw_items,
    find_voter,
    next_items,
    recommended_items,
    similar_voters,
)
from clustering_platform_tests.opinions.measured import Measured, Rows
from clustering_platform_tests.opinions.strategies import grouped_voters
from clustering_platform_tests.opinions.tables import items_table


def voters_of(rows: Rows, **options: frozenset[str]) -> Measured:
    return Measured(rows, [(0.0, 0.0)] * len(rows), [0] * len(rows), **options)


ALIKE = voters_of(
    [
        [1, 1, 0, -1, None],
        [1, 1, 0, -1, 1],  # the same on all four
        [1, 1, 0, 1, None],  # on three of four
        [1, 1, None, None, None],  # on both of two
        [-1, -1, 1, 1, 1],  # on none
        [None, None, None, None, 1],  # nothing in common
    ]
)


def test_voters_are_found_by_id():
    assert find_voter(ALIKE.matrix, "v3") == 3
    assert find_voter(ALIKE.matrix, "nobody") is None


def test_agreement_counts_shared_items_passes_included_and_equal_votes():
    shared, same = agreement(ALIKE.matrix, 0)
    assert shared.tolist() == [4, 4, 4, 2, 4, 0]
    assert same.tolist() == [4, 4, 3, 2, 0, 0]


def test_agreement_on_many_items_counts_for_more_than_on_few():
    rows = similar_voters(ALIKE.matrix, 0, min_shared=1).to_pylist()
    assert [(row["voter_id"], row["agreement"]) for row in rows] == [("v1", 1), ("v3", 1), ("v2", 0.75), ("v4", 0)]
    assert [row["score"] for row in rows] == pytest.approx([5 / 6, 3 / 4, 4 / 6, 1 / 6])


def test_voters_with_fewer_shared_items_are_left_out():
    rows = similar_voters(ALIKE.matrix, 0, min_shared=4, most=2).to_pylist()
    assert [row["voter_id"] for row in rows] == ["v1", "v2"]
    assert similar_voters(ALIKE.matrix, 0).num_rows == 0


def test_among_equals_the_earlier_voter_comes_first():
    crowd = voters_of([[1, 1, 1]] * 30)
    assert similar_voters(crowd.matrix, 7, min_shared=3, most=3)["voter_id"].to_pylist() == ["v0", "v1", "v2"]


@given(grouped_voters())
def test_agreement_is_symmetric_and_whole_with_oneself(voters: Measured):
    found = [agreement(voters.matrix, voter) for voter in range(len(voters.rows))]
    shared, same = (np.stack(figures) for figures in zip(*found, strict=True))
    assert np.array_equal(shared, shared.T)
    assert np.array_equal(same, same.T)
    assert (same <= shared).all()
    assert np.array_equal(np.diag(shared), voters.matrix.votes_cast)
    assert np.array_equal(np.diag(same), voters.matrix.votes_cast)


@given(grouped_voters())
def test_flipping_all_votes_changes_no_agreement(voters: Measured):
    flipped = voters_of([[None if vote is None else -vote for vote in row] for row in voters.rows])
    for ours, theirs in zip(agreement(voters.matrix, 0), agreement(flipped.matrix, 0), strict=True):
        assert np.array_equal(ours, theirs)


def test_recommended_are_open_items_that_the_group_takes_one_side_of():
    voters = voters_of([[1, None, None, None, None, None], [1, 1, 1, -1, 1, 1]], moderated_out=frozenset({"i4"}))
    counts = np.array([[0, 0, 20], [1, 0, 9], [5, 0, 5], [9, 1, 0], [0, 0, 20], [0, 0, 12]])
    rows = recommended_items(voters.matrix, 0, counts).to_pylist()
    assert [(row["item_id"], row["side"]) for row in rows] == [("i5", "agree"), ("i1", "agree"), ("i3", "disagree")]
    assert (rows[1]["n_success"], rows[1]["n_trials"], rows[1]["p_success"]) == (9, 10, pytest.approx(10 / 12))
    assert recommended_items(voters.matrix, 0, counts, most=1)["item_id"].to_pylist() == ["i5"]


OPEN = voters_of([[1, None, None, None], [1, 1, 1, 1]])
STATISTICS = pa.table({"priority": [9.0, 3.0, 0.0, 1.0]})
ITEMS = items_table([("i0", 0, False), ("i1", 0, False), ("i2", 1, False), ("i3", -1, False)])


def test_next_items_are_drawn_by_priority_among_those_not_voted_on_and_not_rejected():
    rows = next_items(OPEN.matrix, 0, STATISTICS, ITEMS, polis_parity=False).to_pylist()
    assert [(row["item_id"], row["probability"]) for row in rows] == [("i1", 1), ("i2", 0)]


def test_with_parity_a_priority_of_zero_or_none_counts_as_one():
    items = pa.concat_tables([ITEMS, items_table([("unseen", 0, False), ("bad", -1, False)])])
    rows = next_items(OPEN.matrix, 0, STATISTICS, items, polis_parity=True).to_pylist()
    assert [(row["item_id"], row["probability"]) for row in rows] == [
        ("i1", pytest.approx(3 / 5)),
        ("i2", pytest.approx(1 / 5)),
        ("unseen", pytest.approx(1 / 5)),
    ]


def test_without_parity_an_item_without_votes_has_the_priority_that_no_votes_give():
    items = pa.concat_tables([ITEMS, items_table([("unseen", 0, False), ("meta", 0, True)])])
    found = next_items(OPEN.matrix, 0, STATISTICS, items, polis_parity=False)
    priorities = dict(zip(found["item_id"].to_pylist(), found["priority"].to_pylist(), strict=True))
    none = np.zeros(1, np.int64)
    assert priorities["unseen"] == priority(none, none, none, np.zeros(1))[0]
    assert priorities["meta"] == META_PRIORITY


def test_meta_statements_are_shown_though_they_count_for_no_map():
    voters = voters_of([[1, None], [1, 1]], moderated_out=frozenset({"i1"}))
    items = items_table([("i0", 0, False), ("i1", 0, True)])
    statistics = pa.table({"priority": [1.0, META_PRIORITY]})
    assert next_items(voters.matrix, 0, statistics, items, polis_parity=False)["item_id"].to_pylist() == ["i1"]


def test_who_has_voted_on_everything_has_no_next_item():
    found = next_items(OPEN.matrix, 1, STATISTICS, ITEMS, polis_parity=False)
    assert found.num_rows == 0
    assert draw_items(found, seed=1).num_rows == 0


def test_a_draw_follows_the_probabilities_and_its_seed():
    candidates = pa.table({"item_id": ["a", "b", "c"], "probability": [0.75, 0.25, 0.0]})
    drawn = [draw_items(candidates, seed=seed)["item_id"][0].as_py() for seed in range(400)]
    assert drawn.count("a") == pytest.approx(300, abs=40)
    assert "c" not in drawn
    assert draw_items(candidates, seed=7) == draw_items(candidates, seed=7)
    assert sorted(draw_items(candidates, seed=7, number=9)["item_id"].to_pylist()) == ["a", "b"]


@given(grouped_voters(), st.booleans())
def test_probabilities_add_up_to_one(voters: Measured, parity: bool):
    n_items = voters.matrix.shape[1]
    items = items_table([(item, 0, False) for item in voters.matrix.item_ids.to_pylist()])
    statistics = pa.table({"priority": np.arange(n_items) + 1.0})
    found = next_items(voters.matrix, 0, statistics, items, polis_parity=parity)
    assert found.num_rows == n_items - voters.matrix.votes_cast[0]
    assert sum(found["probability"].to_pylist()) == pytest.approx(1 if found.num_rows else 0)
