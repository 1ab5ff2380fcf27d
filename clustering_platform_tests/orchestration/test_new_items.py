"""New items through the whole chain: placed in the published tree, until it is made anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from clustering_platform.orchestration.recipes import REFIT_TAG
from clustering_platform.store.catalog import connect
from clustering_platform_tests.orchestration.platform import Platform, materialized, new_platform, write_conversation

ITEMS = 60


@pytest.fixture(scope="module")
def with_tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """To be copied only: a tree is published that is kept until somebody asks for another."""
    with new_platform(tmp_path_factory.mktemp("tree")) as made:
        (made.dataset().folder / "dataset.yaml").write_text("topics: {refit: ask}")
        write_conversation(made.dataset().folder, items=ITEMS, voters=5)
        assert made.run("topics", "talk").success
        yield made


@pytest.fixture
def published(with_tree: Platform, tmp_path: Path) -> Iterator[Platform]:
    """A platform with a tree published that is kept until somebody asks for another."""
    with with_tree.copied(tmp_path) as copy:
        yield copy


def origins(platform: Platform) -> dict[str, int]:
    with connect(platform.settings.catalog) as catalog:
        rows = catalog.execute("SELECT origin, count(*) FROM item_topics GROUP BY origin").fetchall()
    return dict(rows)


def placed_before_and_after(platform: Platform) -> int:
    """Return how many items lie elsewhere on the map than in the first commit."""
    first, newest = (platform.commits.committed_file(commit, "projection") for commit in reversed(platform.log()))
    before, after = (platform.commits.files.read(file).to_pylist() for file in (first, newest))
    places = {row["item_id"]: (row["x"], row["y"]) for row in after}
    return sum(places[row["item_id"]] != (row["x"], row["y"]) for row in before)


def fits(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    return next(one for one in result.get_asset_check_evaluations() if one.check_name == "fits_its_items")


def test_new_items_are_placed_and_nothing_else_moves(published: Platform) -> None:
    write_conversation(published.dataset().folder, items=ITEMS + 6, voters=5)
    result = published.run("topics", "talk")
    assert result.success
    assert materialized(result, "found_topics")["tree"] == "kept, new items placed in it"
    found = origins(published)
    assert found.pop("fitted") == ITEMS
    assert sum(found.values()) == 6
    assert placed_before_and_after(published) == 0
    assert fits(result).passed


def test_a_refit_is_proposed_and_made_when_it_is_asked_for(published: Platform) -> None:
    write_conversation(published.dataset().folder, items=2 * ITEMS, voters=5)
    result = published.run("topics", "talk")
    assert result.success
    proposal = fits(result)
    assert not proposal.passed
    assert proposal.severity == dg.AssetCheckSeverity.WARN
    assert "clustering run NAME --refit" in str(proposal.description)
    unchanged = published.run("topics", "talk")
    assert not fits(unchanged).passed
    again = published.run("topics", "talk", tags={REFIT_TAG: "true"})
    assert again.success
    assert materialized(again, "found_topics")["tree"] == "made anew"
    assert origins(published) == {"fitted": 2 * ITEMS}
    assert fits(again).passed
