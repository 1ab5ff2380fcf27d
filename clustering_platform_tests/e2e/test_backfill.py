"""A range of days, backfilled in the Dagster UI in any order, is the same as one made day by day."""

import random
from datetime import date
from pathlib import Path

import pytest

from clustering_platform.store.commits import Commits
from clustering_platform.store.files import Files
from clustering_platform_tests.e2e.processes import SAMPLE, DagsterDev, clustering, wait_for

pytestmark = pytest.mark.e2e

DAYS = [date(2026, 10, number) for number in (3, 4, 5, 6)]


def contents(commits: Commits) -> dict[date | None, dict[str, str]]:
    """Return the content of every table of each day, and of drift under None."""
    drift = commits.newest("town-plans", None, scope="days")
    days = [commit for commit in commits.current("town-plans") if commit.day]
    found = [*days, drift] if drift else days
    return {commit.day: {name: table.content for name, table in commit.tables.items()} for commit in found}


def test_days_backfilled_in_any_order_are_those_made_in_order_and_drift_follows_once(tmp_path: Path) -> None:
    shuffled, ordered = (tmp_path / name / "data" for name in ("shuffled", "ordered"))
    for data in (ordered, shuffled):
        clustering(data, "add", str(SAMPLE))
    printed = clustering(ordered, "backfill", "town-plans", "--from", str(DAYS[0]), "--to", str(DAYS[-1])).stdout
    assert "4 days from 2026-10-03 to 2026-10-06: 4 published, 0 unchanged, 0 failed" in printed
    expected = contents(Commits(Files(ordered / "warehouse")))
    assert set(expected) == {*DAYS, None}

    commits = Commits(Files(shuffled / "warehouse"))
    keys = [f"town-plans|{day}" for day in DAYS]
    random.Random(4).shuffle(keys)
    with DagsterDev(shuffled) as dagster:
        wait_for(lambda: commits.newest("town-plans", None), seconds=180, what="the inbox sensor publishes topics")
        wait_for(lambda: commits.newest("town-plans", None, scope="days"), seconds=180, what="drift of today")
        dagster.backfill("opinions", keys, seconds=240)
        wait_for(
            lambda: len(contents(commits).get(None, {})) and _days_of_drift(commits) == 5, seconds=120, what="drift"
        )
    found = contents(commits)
    assert {day: found[day] for day in DAYS} == {day: expected[day] for day in DAYS}


def _days_of_drift(commits: Commits) -> int:
    drift = commits.newest("town-plans", None, scope="days")
    return drift.tables["drift_days"].rows if drift else 0
