import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.opinions import voter_measures
from clustering_platform.opinions.voter_measures import bridging, build_voter_measures
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.measured import FIVE, Measured
from clustering_platform_tests.opinions.polis_data import CONVERSATIONS, load_conversation
from clustering_platform_tests.opinions.strategies import grouped_voters
from clustering_platform_tests.opinions.tables import faults

CONTRACT = TABLES["voter_measures"]


def column(voters: Measured, name: str) -> list[float | None]:
    return voters.voter_measures[name].to_pylist()


def test_distances_are_those_to_the_centroids():
    assert column(FIVE, "distance_to_group") == pytest.approx([math.sqrt(2), math.sqrt(2), 2, 1, 1])
    assert column(FIVE, "distance_to_base_cluster") == pytest.approx([1, 1, 0, 1, 1])
    assert column(FIVE, "distance_to_centre")[0] == pytest.approx(math.sqrt(10))
    assert column(FIVE, "nearest_other_group") == [1, 1, 1, 0, 0]
    assert column(FIVE, "distance_to_nearest_other")[0] == pytest.approx(math.sqrt(37))


def test_bridging_is_the_distance_to_the_own_centroid_over_that_to_the_nearest_other():
    assert column(FIVE, "bridging")[0] == pytest.approx(math.sqrt(2) / math.sqrt(37))
    assert column(FIVE, "bridging")[3] == pytest.approx(1 / 4)


def test_bridging_is_at_most_one_and_one_where_both_centroids_are_at_the_place():
    own, other = np.array([0.0, 1.0, 2.0, 0.0]), np.array([1.0, 1.0, 1.0, 0.0])
    assert bridging(own, other).tolist() == [0, 1, 1, 1]


def test_representativeness_is_the_mean_share_of_the_others_of_the_group_with_the_same_vote():
    # v0: i0 as one of two others, i1 as none of one. v3 alone voted on i0 in its group: only i1 counts.
    assert column(FIVE, "representativeness") == [0.25, 0.25, 0, 1, 1]


def test_agreement_with_the_nearest_other_group_is_the_mean_share_of_its_voters_with_the_same_vote():
    assert column(FIVE, "agreement_nearest_other") == pytest.approx([0.5, 0, 1, (1 / 3 + 1 / 2) / 2, 1 / 2])


def test_where_nobody_else_voted_on_the_items_there_is_no_share():
    apart = Measured([[1, None], [None, 1]], [(0, 0), (1, 0)], [0, 1])
    assert column(apart, "representativeness") == [None, None]
    assert column(apart, "agreement_nearest_other") == [None, None]


def test_polis_participant_statistics():
    assert column(FIVE, "centricness")[0] == pytest.approx(1 - math.sqrt(10))
    assert column(FIVE, "coreness")[0] == pytest.approx(1 - math.sqrt(2))
    # Away from the centre at (3, 1), the centroid of group 0 lies in the direction (-1, 0).
    assert column(FIVE, "extremeness") == pytest.approx([1, -1, 0, -1, 1])


def test_only_grouped_voters_are_measured_and_others_count_for_nothing():
    more = Measured([*FIVE.rows, [1, 1]], [*FIVE.places, (50, 50)], [*FIVE.groups, None], [0, 0, 1, 2, 2, None])
    assert more.voter_measures == FIVE.voter_measures


def test_a_single_group_has_no_other():
    alone = Measured([[1], [1]], [(0, 0), (2, 0)], [0, 0])
    assert column(alone, "nearest_other_group") == [None, None]
    assert column(alone, "bridging") == [None, None]
    assert column(alone, "agreement_nearest_other") == [None, None]
    assert column(alone, "extremeness") == [0, 0]
    assert faults(alone.voter_measures, CONTRACT) == []


def test_without_groups_the_table_is_empty():
    assert Measured([[1]], [(0, 0)], [None]).voter_measures == CONTRACT.empty()


def test_voters_in_another_order_are_refused():
    with pytest.raises(ValueError, match="different order"):
        build_voter_measures(*FIVE.tables, FIVE.voter_groups.take([1, 0, 2, 3, 4]), FIVE.patterns)


@given(grouped_voters())
def test_measures_keep_their_contract(voters: Measured):
    assert faults(voters.voter_measures, CONTRACT) == []


@given(grouped_voters(), st.permutations(range(3)))
def test_other_numbers_for_the_groups_change_nothing_else(voters: Measured, numbers: list[int]):
    renamed = [None if group is None else numbers[group] for group in voters.groups]
    other = Measured(voters.rows, voters.places, renamed, voters.groups).voter_measures
    assert [numbers[group] for group in column(voters, "nearest_other_group")] == (
        other["nearest_other_group"].to_pylist()
    )
    for name in CONTRACT.schema().names:
        if name != "nearest_other_group":
            assert same(other[name], voters.voter_measures[name]), name


@given(grouped_voters())
def test_flipping_all_votes_changes_nothing(voters: Measured):
    rows = [[None if vote is None else -vote for vote in row] for row in voters.rows]
    flipped = Measured(rows, voters.places, voters.groups).voter_measures
    assert all(same(flipped[name], voters.voter_measures[name]) for name in flipped.column_names)


@given(grouped_voters(), st.integers(1, 5))
def test_the_number_of_voters_at_a_time_changes_nothing(voters: Measured, at_a_time: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voter_measures, "VOTERS_AT_A_TIME", at_a_time)
        table = build_voter_measures(*voters.tables, voters.voter_groups, voters.patterns)
    assert table == voters.voter_measures


@given(grouped_voters())
def test_representativeness_is_the_mean_agreement_with_the_others_item_by_item(voters: Measured):
    """The same in plain words, voter by voter."""
    expected = []
    for number, (row, group) in enumerate(zip(voters.rows, voters.groups, strict=True)):
        if group is None:
            continue
        others = [r for n, r in enumerate(voters.rows) if n != number and voters.groups[n] == group]
        shares = []
        for item, vote in enumerate(row):
            cast = [other[item] for other in others if other[item] is not None]
            if vote is not None and cast:
                shares.append(sum(theirs == vote for theirs in cast) / len(cast))
        expected.append(sum(shares) / len(shares) if shares else None)
    assert column(voters, "representativeness") == pytest.approx(expected)


def same(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    """Tell whether two columns hold the same, but for rounding."""
    if not pa.types.is_floating(one.type):
        return bool(one == other)
    return one.to_pylist() == pytest.approx(other.to_pylist(), abs=1e-12)


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_in_real_conversations_voters_vote_more_like_their_own_group(conversation: str, shared_data: Path):
    polis = load_conversation(shared_data / "polis-math" / conversation)
    table = build_voter_measures(*polis.tables, polis.voter_groups, polis.patterns)
    assert faults(table, CONTRACT) == []
    assert pc.mean(table["representativeness"]).as_py() > pc.mean(table["agreement_nearest_other"]).as_py()
    assert pc.mean(table["bridging"]).as_py() < 0.7
