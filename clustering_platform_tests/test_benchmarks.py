"""The benchmarks run: what they print is no test, but that they still fit the platform is."""

from pathlib import Path

from clustering_platform_tests.benchmarks.topic_checks import kept_ids
from clustering_platform_tests.benchmarks.topic_methods import run_method
from clustering_platform_tests.benchmarks.topic_sets import made_file


def test_our_tree_of_made_vectors_is_measured(tmp_path: Path) -> None:
    found = run_method("ours", made_file(600, tmp_path, seed=1))
    assert found.levels.shape[1] == 600
    assert found.topics > 1
    assert found.cpu > 0


def test_items_that_are_placed_leave_every_topic_its_id(tmp_path: Path) -> None:
    kept = kept_ids(made_file(600, tmp_path, seed=1), 7)
    assert kept["placed"] == (1.0, 1.0)
    assert min(kept["made anew"]) > 0.5
