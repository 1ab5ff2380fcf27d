"""The benchmarks run: what they print is no test, but that they still fit the platform is."""

import tempfile
from pathlib import Path

import pytest

from clustering_platform_tests.benchmarks.pipeline import run_stored
from clustering_platform_tests.benchmarks.stored import WARM_UP, stored_set
from clustering_platform_tests.benchmarks.topic_checks import kept_ids
from clustering_platform_tests.benchmarks.topic_methods import run_method
from clustering_platform_tests.benchmarks.topic_sets import made_file


@pytest.mark.parametrize("is_increment", [False, True])
def test_a_day_of_a_made_conversation_is_timed_from_its_log_to_the_commit(
    is_increment: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    chosen = stored_set(WARM_UP)
    timed, voters = run_stored(chosen, is_increment=is_increment)
    assert voters["voter_id"].combine_chunks().equals(chosen.planted()[0])
    assert {"read votes", "groups", "writing", "commit"} <= timed.steps.keys()
    assert {"stability", "catalog"} <= timed.beyond.keys()
    assert timed.seconds > 0


def test_our_tree_of_made_vectors_is_measured(tmp_path: Path) -> None:
    found = run_method("ours", made_file(600, tmp_path, seed=1))
    assert found.levels.shape[1] == 600
    assert found.topics > 1
    assert found.cpu > 0


def test_items_that_are_placed_leave_every_topic_its_id(tmp_path: Path) -> None:
    kept = kept_ids(made_file(600, tmp_path, seed=1), 7)
    assert kept["placed"] == (1.0, 1.0)
    assert min(kept["made anew"]) > 0.5
