"""The platform as `clustering dev` runs it: what happens without a hand, a launched day, days backfilled in any order.

The tests of this file tell one story on one platform, in their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from clustering_platform.store.catalog import connect
from clustering_platform.store.commits import Commits
from clustering_platform.store.files import Files
from clustering_platform_tests.e2e.processes import DagsterDev, clustering_here, wait_for
from clustering_platform_tests.orchestration.platform import write_conversation

pytestmark = pytest.mark.e2e

DAYS = [date(2026, 3, number) for number in (26, 27)]
LAUNCHED = date(2026, 3, 20)
_TICKS = 2


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dev") / "data of mine"


@pytest.fixture(scope="module")
def commits(data: Path) -> Commits:
    return Commits(Files(data / "warehouse"))


@pytest.fixture(scope="module")
def dagster(data: Path, instance: dict[str, str]) -> Iterator[DagsterDev]:
    (data / "inbox" / "talk").mkdir(parents=True)
    write_conversation(data / "inbox" / "talk")
    with DagsterDev(data, **instance) as running:
        yield running


def published_days(commits: Commits) -> dict[date, dict[str, str]]:
    """Return the content of the tables of each day."""
    current = (commit for commit in commits.current("talk") if commit.day)
    return {commit.day: {name: one.content for name, one in commit.tables.items()} for commit in current if commit.day}


def days_of_drift(commits: Commits) -> int:
    drift = commits.newest("talk", None, scope="days")
    return drift.tables["drift_days"].rows if drift else 0


def test_a_dropped_dataset_is_published_without_a_hand(dagster: DagsterDev, commits: Commits) -> None:
    wait_for(lambda: len(commits.paths("talk")) >= 3, seconds=180, what="dataset, today and drift")
    assert [commit.scope for commit in commits.log("talk")] == ["days", "day", "dataset"]


def test_a_launched_day_is_published_once(dagster: DagsterDev, commits: Commits) -> None:
    tags = {
        "dagster/partition": f"talk|{LAUNCHED}",
        "dagster/partition/dataset": "talk",
        "dagster/partition/day": str(LAUNCHED),
    }
    run_id = dagster.launch("opinions", tags)
    assert dagster.wait_for_run(run_id) == "SUCCESS"
    (commit,) = (one for one in commits.log("talk") if one.day == LAUNCHED)
    assert commit.run_id == run_id
    assert dagster.wait_for_run(dagster.launch("opinions", tags)) == "SUCCESS"
    assert [one for one in commits.log("talk") if one.day == LAUNCHED] == [commit]


def test_days_backfilled_in_any_order_are_all_published_and_drift_follows(
    dagster: DagsterDev, commits: Commits
) -> None:
    dagster.backfill("opinions", [f"talk|{day}" for day in reversed(DAYS)], seconds=240)
    published = published_days(commits)
    assert set(published) >= {LAUNCHED, *DAYS}
    wait_for(lambda: days_of_drift(commits) == len(published), seconds=120, what=f"drift of {sorted(published)}")


def test_a_changed_dataset_is_published_once_more_and_nothing_new_causes_no_run(
    dagster: DagsterDev, commits: Commits, data: Path
) -> None:
    before = commits.last_sequence("talk")
    write_conversation(data / "inbox" / "talk", extra=5)
    wait_for(lambda: commits.last_sequence("talk") >= before + 3, seconds=180, what="dataset, today and drift anew")
    wait_for(lambda: not dagster.runs_under_way(), seconds=60, what="rest")
    runs, ticks = dagster.run_ids(), dagster.ticks("inbox")
    wait_for(lambda: dagster.ticks("inbox") >= ticks + _TICKS, seconds=120, what="more looks into the inbox")
    assert dagster.run_ids() == runs
    assert [commit.scope for commit in commits.log("talk")][:3] == ["days", "day", "dataset"]


def test_who_launched_what_is_in_the_history_of_runs(dagster: DagsterDev, data: Path) -> None:
    history = clustering_here(data, "runs", "talk")
    for launched, outcome in (
        ("sensor inbox", "published commit 1"),
        ("sensor new_votes", "published commit 2"),
        ("sensor changed_days", "published commit 3"),
        ("Dagster UI", "published commit"),
        ("Dagster UI", "nothing new since commit"),
        ("backfill", "published commit"),
    ):
        assert [line for line in history.splitlines() if launched in line and outcome in line], history
    assert "changed_tables" not in history  # jobs make all that follows, whoever launches them


def test_days_made_again_in_order_are_the_same(
    dagster: DagsterDev, commits: Commits, data: Path, instance: dict[str, str]
) -> None:
    before = published_days(commits)
    first, last = str(DAYS[0]), str(DAYS[-1])
    printed = clustering_here(data, "backfill", "talk", "--from", first, "--to", last, "--force", **instance)
    assert f"2 days from {first} to {last}: 2 published, 0 unchanged, 0 failed" in printed
    assert published_days(commits) == before
    with connect(data / "catalog.duckdb") as catalog:
        days = [day for (day,) in catalog.execute("SELECT DISTINCT day FROM groups_history ORDER BY 1").fetchall()]
    assert days[:3] == [LAUNCHED, *DAYS]
