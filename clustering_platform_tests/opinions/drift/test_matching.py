"""Groups are matched by the voters they have in common."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from clustering_platform.opinions.drift.lettering import PALETTE, Badges
from clustering_platform.opinions.drift.matching import NOWHERE, Transition, match_groups

OVERLAPS = hnp.arrays(np.int64, st.tuples(st.integers(0, 5), st.integers(0, 5)), elements=st.integers(0, 30))


@pytest.mark.parametrize(
    ("overlap", "keeps", "changes", "gone"),
    [
        ([[40, 2], [1, 30]], [0, 1], ("continued", "continued"), []),
        ([[2, 40], [30, 1]], [1, 0], ("continued", "continued"), []),
        ([[40, 20], [0, 0]], [0, NOWHERE], ("split", "split"), [1]),
        ([[40, 0], [30, 0]], [0, NOWHERE], ("merged", "new"), [1]),
        ([[40], [30]], [0], ("merged",), [1]),
        ([[40, 15, 0], [0, 0, 30]], [0, NOWHERE, 1], ("split", "split", "continued"), []),
        ([[40, 0, 5], [0, 30, 6]], [0, 1, NOWHERE], ("continued", "split", "split"), []),
        ([[40, 0, 6], [0, 30, 6]], [0, 1, NOWHERE], ("continued", "continued", "new"), []),
        ([[4, 4, 4], [4, 4, 4]], [NOWHERE] * 3, ("new", "new", "new"), [0, 1]),
        ([[10, 0], [0, 0]], [0, NOWHERE], ("continued", "new"), [1]),
    ],
    ids=[
        "same",
        "swapped ids",
        "split",
        "merged",
        "merged into one",
        "split beside",
        "more of one",
        "half and half",
        "stirred",
        "gone",
    ],
)
def test_what_becomes_of_groups(
    overlap: list[list[int]], keeps: list[int], changes: tuple[str, ...], gone: list[int]
) -> None:
    found = match_groups(np.array(overlap))
    assert found.keeps.tolist() == keeps
    assert found.changes == changes
    assert found.gone.tolist() == gone


def test_a_merged_group_names_all_its_sources() -> None:
    found = match_groups(np.array([[40], [30], [0]]))
    assert found.sources == ((0, 1),)
    assert found.targets.tolist() == [0, 0, NOWHERE]


@given(OVERLAPS)
def test_no_letter_is_kept_twice_and_only_by_a_group_with_voters_of_it(overlap: np.ndarray) -> None:
    found = match_groups(overlap)
    kept = found.keeps[found.keeps != NOWHERE]
    assert len(set(kept.tolist())) == kept.size
    assert all(overlap[source, place] > 0 for place, source in enumerate(found.keeps) if source != NOWHERE)
    assert {*kept.tolist(), *found.gone.tolist()} == set(range(len(overlap)))


@given(OVERLAPS, st.randoms(use_true_random=False))
def test_the_numbers_of_groups_do_not_matter(overlap: np.ndarray, random: Random) -> None:
    order = list(range(overlap.shape[1]))
    random.shuffle(order)
    found, shuffled = match_groups(overlap), match_groups(overlap[:, order])
    assert [NOWHERE if place == NOWHERE else order[place] for place in shuffled.targets] == found.targets.tolist()
    for changes in ("merged", "split"):  # where voters tie, either of two groups may have continued
        assert {order[place] for place, change in enumerate(shuffled.changes) if change == changes} == {
            place for place, change in enumerate(found.changes) if change == changes
        }
    assert _keeping(overlap[:, order], shuffled) == _keeping(overlap, found)


def _keeping(overlap: np.ndarray, found: Transition) -> int:
    """Count the voters who keep their letter."""
    return sum(int(overlap[source, place]) for place, source in enumerate(found.keeps) if source != NOWHERE)


def test_letters_are_never_given_twice_and_colours_not_at_a_time() -> None:
    badges = Badges()
    assert [badge.letter for badge in badges.begin(2)] == ["A", "B"]
    merged = badges.go_on(match_groups(np.array([[40], [30]])))
    assert [badge.letter for badge in merged] == ["A"]
    split = badges.go_on(match_groups(np.array([[40, 30]])))
    assert [badge.letter for badge in split] == ["A", "C"]
    assert [badge.colour for badge in split] == [0, 1]
    many = badges.go_on(match_groups(np.zeros((2, PALETTE), np.int64)))
    assert len({badge.colour for badge in many}) == PALETTE
    assert [badge.letter for badge in many] == list("DEFGHIJK")
