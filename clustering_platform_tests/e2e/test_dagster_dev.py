"""The platform as `clustering dev` runs it: a dropped dataset, a launched partition, a killed worker."""

from pathlib import Path

import pytest

from clustering_platform.store.catalog import connect
from clustering_platform.store.commits import Commits
from clustering_platform.store.files import Files
from clustering_platform_tests.e2e.processes import SAMPLE, DagsterDev, clustering_here, wait_for

pytestmark = pytest.mark.e2e


def test_a_dropped_dataset_is_published_and_a_day_can_be_launched(tmp_path: Path) -> None:
    data = tmp_path / "data of mine"
    clustering_here(data, "add", str(SAMPLE))
    commits = Commits(Files(data / "warehouse"))
    with DagsterDev(data) as dagster:
        wait_for(lambda: commits.newest("town-plans", None), seconds=180, what="the inbox sensor publishes topics")
        wait_for(lambda: commits.last_sequence("town-plans") == 2, seconds=120, what="today's snapshot is published")

        key = "town-plans|2026-10-15"
        tags = {
            "dagster/partition": key,
            "dagster/partition/dataset": "town-plans",
            "dagster/partition/day": "2026-10-15",
        }
        run_id = dagster.launch("opinions", tags)
        assert dagster.wait_for_run(run_id) == "SUCCESS"
        commit = next(commits.log("town-plans"))
        assert (commit.sequence, str(commit.day), commit.run_id) == (3, "2026-10-15", run_id)

        again = dagster.launch("opinions", tags)
        assert dagster.wait_for_run(again) == "SUCCESS"
        assert commits.last_sequence("town-plans") == 3

    history = clustering_here(data, "runs", "town-plans").stdout
    for launched, outcome in (
        ("sensor inbox", "published commit 1"),
        ("sensor new_votes", "published commit 2"),
        ("Dagster UI", "published commit 3"),
        ("Dagster UI", "nothing new since commit 3"),
    ):
        assert [line for line in history.splitlines() if launched in line and outcome in line], history
    with connect(data / "catalog.duckdb") as catalog:
        days = catalog.execute("SELECT DISTINCT day::VARCHAR FROM groups_history ORDER BY 1").fetchall()
        assert days[0] == ("2026-10-15",)
        assert len(days) == 2
