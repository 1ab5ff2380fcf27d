"""The history of runs: who launched what, and what came of it, whoever saw it end."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from clustering_platform.orchestration.reaping import reap
from clustering_platform.orchestration.run_history import RunHistory, build_run_history
from clustering_platform.orchestration.run_rows import run_row, status_of
from clustering_platform.store.catalog import connect
from clustering_platform_tests.orchestration.platform import DAY, QUIET, Platform

KEY = f"talk|{DAY}"
CREATED = datetime(2026, 4, 1, 12, tzinfo=UTC)
PARTITION = {"dagster/partition": KEY}
SENSOR = {"dagster/sensor_name": "inbox", "dagster/tick": "2"}


def record(
    tags: dict[str, str], *, status: dg.DagsterRunStatus = dg.DagsterRunStatus.SUCCESS, **more: Any
) -> dg.RunRecord:
    run = dg.DagsterRun(
        job_name=more.pop("job_name", "opinions"), run_id="r1", status=status, tags=PARTITION | tags, **more
    )
    start = CREATED.timestamp()
    return dg.RunRecord(1, run, CREATED, CREATED, start_time=start + 60, end_time=start + 62.5)


def history(platform: Platform) -> RunHistory:
    return RunHistory(platform.instance, platform.settings)


def recorded(platform: Platform) -> list[dict[str, Any]]:
    """Return the runs as the catalog shows them, oldest first."""
    with connect(platform.settings.catalog) as catalog:
        relation = catalog.execute("SELECT * FROM runs ORDER BY created_at")
        names = [column[0] for column in relation.description or []]
        return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]


def test_a_row_tells_what_was_run_when_and_what_came_of_it() -> None:
    published = {"clustering/outcome": "published commit 3", "clustering/commit": "3", "clustering/clusters": "2"}
    row = run_row(record(published | {"clustering/voters": "80"}), "succeeded")
    assert {name: row.get(name) for name in ("dataset", "day", "job", "partition", "seconds")} == {
        "dataset": "talk",
        "day": DAY,
        "job": "opinions",
        "partition": KEY,
        "seconds": 2.5,
    }
    assert (row["outcome"], row["commit"], row["voters"], row["clusters"]) == ("published commit 3", 3, 80, 2)


@pytest.mark.parametrize(
    ("tags", "launched"),
    [
        ({"clustering/command": "clustering run"}, ("command line", "clustering run")),
        (SENSOR, ("sensor", "inbox")),
        (SENSOR | {"dagster/from_automation_condition": "true"}, ("automation", "inbox")),
        ({"dagster/schedule_name": "daily_snapshots"}, ("schedule", "daily_snapshots")),
        ({"dagster/backfill": "abcd"}, ("backfill", "abcd")),
        (SENSOR | {"dagster/parent_run_id": "r0", "dagster/root_run_id": "r0"}, ("re-execution", "r0")),
        (
            SENSOR | {"dagster/parent_run_id": "r0", "dagster/root_run_id": "r0", "dagster/retry_number": "1"},
            ("retry", "r0"),
        ),
        ({}, ("Dagster command", None)),
    ],
)
def test_who_or_what_launched_a_run_is_told_by_its_tags(tags: dict[str, str], launched: tuple[str, str]) -> None:
    row = run_row(record(tags), "succeeded")
    assert (row["launched_by"], row["launcher"]) == launched


def test_parameters_are_what_differs_from_the_usual_and_hold_no_secret() -> None:
    config = {"resources": {"warehouse": {"config": {"lock_timeout": 5, "api_key": "sk-1"}}}, **QUIET}
    chosen = frozenset({dg.AssetKey("groups"), dg.AssetKey("base_clusters")})
    row = run_row(
        record({"clustering/force": "true"}, job_name="__ASSET_JOB", run_config=config, asset_selection=chosen),
        "succeeded",
    )
    assert row["job"] is None
    assert json.loads(row["parameters"]) == {
        "force": True,
        "assets": ["base_clusters", "groups"],
        "config": {"resources": {"warehouse": {"config": {"lock_timeout": 5, "api_key": "***"}}}},
    }
    assert json.loads(run_row(record({}, run_config=QUIET), "succeeded")["parameters"]) == {}


@pytest.mark.parametrize(
    ("reason", "status"),
    [("STEP_FAILURE", "failed"), ("UNEXPECTED_TERMINATION", "cancelled"), (None, "killed")],
)
def test_a_failure_to_dagster_may_be_an_interruption_or_a_killed_worker(reason: str | None, status: str) -> None:
    tags = {"dagster/failure_reason": reason} if reason else {}
    assert status_of(record(tags, status=dg.DagsterRunStatus.FAILURE).dagster_run) == status


def test_a_run_of_a_partition_that_is_none_of_ours_has_a_row_all_the_same() -> None:
    row = run_row(record({"dagster/partition": "a|b|c"}), "failed")
    assert (row["dataset"], row["partition"]) == (None, "a|b|c")


def test_what_was_published_is_in_the_history_and_in_the_tags_of_the_runs(platform: Platform) -> None:
    runs = [*platform.publish(), platform.run("topics", "talk")]
    history(platform).catch_up()
    topics, day, again = recorded(platform)
    assert (topics["outcome"], topics["commit"]) == ("published commit 1", 1)
    assert (day["outcome"], day["commit"]) == ("published commit 2", 2)
    assert (day["voters"], day["items"], day["clusters"]) == (80, 24, 2)
    assert (topics["voters"], topics["items"]) == (80, 24)
    assert (again["outcome"], again["commit"], again["voters"]) == ("nothing new since commit 1", None, 80)
    assert {row["status"] for row in (topics, day, again)} == {"succeeded"}
    tags = platform.instance.get_run_by_id(runs[1].run_id).tags
    assert (tags["clustering/outcome"], tags["clustering/clusters"]) == ("published commit 2", "2")


def test_a_failed_run_is_in_the_history_with_what_people_need_to_know(platform: Platform) -> None:
    (platform.dataset().folder / "dataset.yaml").write_text("topics: {strategie: flat}\n")
    assert not platform.run("topics", "talk").success
    history(platform).catch_up()
    (row,) = recorded(platform)
    assert (row["status"], row["commit"], row["outcome"]) == ("failed", None, "failed")
    assert "did you mean 'strategy'" in row["error"]
    assert "\n" not in row["error"]


def test_a_repeated_run_tells_nothing_of_the_results_of_the_one_before(platform: Platform) -> None:
    results = {"clustering/outcome": "published commit 1", "clustering/commit": "1", "clustering/voters": "80"}
    repeats = {"dagster/parent_run_id": "r0", "dagster/root_run_id": "r0"}
    assert not platform.run("export_topics", "talk", tags=results | repeats).success
    history(platform).catch_up()
    (row,) = recorded(platform)
    assert (row["launched_by"], row["launcher"]) == ("re-execution", "r0")
    assert (row["outcome"], row["commit"], row["voters"]) == ("failed", None, None)


def test_a_run_that_never_began_is_in_the_history(platform: Platform) -> None:
    job = platform.definitions.resolve_job_def("topics")
    run = platform.instance.create_run_for_job(job, tags={"dagster/partition": "talk"})
    platform.run("export_topics", "talk")
    history(platform).catch_up()
    assert [row["status"] for row in recorded(platform)] == ["queued", "failed"]
    platform.instance.report_run_canceled(run)
    history(platform).catch_up()
    row = recorded(platform)[0]
    assert (row["status"], row["started_at"], row["seconds"]) == ("cancelled", None, None)


def test_the_sensor_records_what_ended_since_it_looked_last(platform: Platform) -> None:
    platform.run("export_topics", "talk")
    assert [row["status"] for row in recorded(platform)] == ["running"]
    sensor = build_run_history(platform.settings)
    with dg.build_sensor_context(instance=platform.instance) as context:
        first, second = (sensor.evaluate_tick(context).skip_message for _ in range(2))
    assert (first, second) == ("recordings made: 1", "no run has changed")
    assert [row["status"] for row in recorded(platform)] == ["failed"]


def _run_until_killed(folder: Path, home: Path) -> None:
    """Run topics and be killed as soon as the run has its dataset to itself."""
    begin = RunHistory.begin

    def begin_and_die(self: RunHistory, run_id: str) -> None:
        begin(self, run_id)
        os.kill(os.getpid(), signal.SIGKILL)

    RunHistory.begin = begin_and_die
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        Platform(folder, instance).run("topics", "talk")


def test_a_killed_run_is_caught_up_with_later(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        platform = Platform(tmp_path, instance)
        platform.dataset()
        process = multiprocessing.get_context("spawn").Process(target=_run_until_killed, args=(tmp_path, home))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert [row["status"] for row in recorded(platform)] == ["running"]
        assert reap(instance, platform.settings)
        assert history(platform).catch_up() == 1
        (row,) = recorded(platform)
        assert (row["status"], row["outcome"]) == ("killed", "killed")
        assert row["error"].startswith("The process of this run is gone")
