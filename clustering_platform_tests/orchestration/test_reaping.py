"""Runs whose process is gone are ended, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import cast

import dagster as dg
import pytest

from clustering_platform.orchestration import reaping
from clustering_platform.orchestration.jobs import TOPICS_JOB
from clustering_platform.orchestration.reaping import build_reaper, reap
from clustering_platform.orchestration.warehouse import Warehouse
from clustering_platform.store.alive import sign_of_life
from clustering_platform.store.locks import LockBusyError, dataset_lock
from clustering_platform_tests.orchestration.platform import Platform
from clustering_platform_tests.store.test_alive import RUN, killed_run

STARTED, CANCELING = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING
TALK = {"dagster/partition": "talk"}


def begin(
    platform: Platform,
    *,
    status: dg.DagsterRunStatus = STARTED,
    tags: Mapping[str, str] = TALK,
) -> None:
    """Make a run that is under way by name."""
    job = platform.definitions.resolve_job_def(TOPICS_JOB)
    run = platform.instance.create_run_for_job(job, run_id=RUN, status=status, tags=tags)
    platform.instance.report_engine_event("the last that is heard of it", run)


def status(platform: Platform) -> str:
    """Return the status of the run."""
    run = platform.instance.get_run_by_id(RUN)
    assert run
    return run.status.value


def test_a_killed_run_is_marked_as_failed_and_leaves_nothing_behind(platform: Platform) -> None:
    begin(platform)
    killed_run(platform.settings.warehouse)
    assert reap(platform.instance, platform.settings) == [RUN]
    assert status(platform) == "FAILURE"
    (failure,) = platform.instance.all_logs(RUN, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert "process of this run is gone" in failure.message
    assert "clustering resume" in failure.message
    assert list(platform.settings.warehouse.rglob("locks/runs/*")) == []
    assert reap(platform.instance, platform.settings) == []


def test_a_killed_run_that_was_to_be_cancelled_is_not_started_again(platform: Platform) -> None:
    begin(platform, status=CANCELING)
    killed_run(platform.settings.warehouse)
    assert reap(platform.instance, platform.settings) == [RUN]
    assert status(platform) == "CANCELED"


def test_a_run_that_gives_a_sign_of_life_stays_however_long_nothing_is_heard_of_it(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaping, "GRACE_SECONDS", -1.0)
    begin(platform)
    with sign_of_life(platform.settings.warehouse, RUN):
        assert reap(platform.instance, platform.settings) == []
    assert status(platform) == "STARTED"


def test_a_run_that_waits_for_its_dataset_is_alive(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaping, "GRACE_SECONDS", -1.0)
    begin(platform)
    ended: list[list[str]] = []
    log = SimpleNamespace(info=lambda waiting: ended.append(reap(platform.instance, platform.settings)))
    context = SimpleNamespace(run=platform.instance.get_run_by_id(RUN), log=log, instance=platform.instance)
    warehouse = Warehouse(data_folder=str(platform.settings.data_folder), lock_timeout=0.1)
    with (
        dataset_lock(platform.settings.warehouse, "talk", holder="run 0", timeout=0),
        pytest.raises(LockBusyError, match="run 0"),
    ):
        warehouse.setup_for_execution(cast("dg.InitResourceContext", context))
    assert ended == [[]]
    assert reap(platform.instance, platform.settings) == [RUN]


def test_a_run_that_never_gave_a_sign_has_some_time_to_do_so(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(platform)
    assert reap(platform.instance, platform.settings) == []
    monkeypatch.setattr(reaping, "GRACE_SECONDS", -1.0)
    assert reap(platform.instance, platform.settings) == [RUN]


def test_runs_that_take_no_lock_are_left_alone(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaping, "GRACE_SECONDS", -1.0)
    begin(platform, tags={})
    assert reap(platform.instance, platform.settings) == []


def test_the_sensor_says_which_runs_it_ended(platform: Platform) -> None:
    reaper = build_reaper(platform.settings)
    assert _said(reaper, platform) == "all runs are alive"
    begin(platform)
    killed_run(platform.settings.warehouse)
    assert _said(reaper, platform) == f"ended, as their process is gone: {RUN}"


def _said(reaper: dg.SensorDefinition, platform: Platform) -> str | None:
    result = reaper(dg.build_sensor_context(instance=platform.instance))
    assert isinstance(result, dg.SkipReason)
    return result.skip_message
