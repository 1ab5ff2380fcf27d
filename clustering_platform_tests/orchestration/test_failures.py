"""What can heal is tried again; what cannot is said to be permanent; faults of the program stay what they are."""

import sqlite3
import tempfile
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy.exc import OperationalError

from clustering_platform.calls.errors import CallError
from clustering_platform.config_section import SettingError
from clustering_platform.datasets import DatasetError
from clustering_platform.ingest.errors import IngestError
from clustering_platform.orchestration import failures
from clustering_platform.orchestration.failures import told_apart
from clustering_platform.orchestration.runs import faults_of
from clustering_platform.store.errors import StoreError
from clustering_platform_tests.orchestration.platform import QUIET, Platform


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "RETRIES", dg.RetryPolicy(max_retries=2, delay=0.01))


def busy() -> sqlite3.OperationalError:
    """Return the error of a database that another process holds."""
    with tempfile.NamedTemporaryFile() as file:
        holder, other = (sqlite3.connect(file.name, timeout=0, isolation_level=None) for _ in range(2))
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked") as raised:
            other.execute("BEGIN EXCLUSIVE")
        holder.close()
        other.close()
    return raised.value


def run(*errors: Exception) -> tuple[dg.ExecuteInProcessResult, int]:
    """Run an asset that fails with one error after the other; return how that went and how often it was tried."""
    left, tries = iter(errors), 0

    @dg.asset(name="made")
    def made(context: dg.AssetExecutionContext) -> None:
        nonlocal tries
        tries += 1
        with told_apart(context.log, context.retry_number):
            if error := next(left, None):
                raise error

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([made], instance=instance, run_config=QUIET, raise_on_error=False)
    return result, tries


@pytest.mark.parametrize(
    "error",
    [
        CallError("no answer in time"),
        CallError("HTTP 503: busy", status=503),
        busy(),
        OperationalError("SELECT 1", {}, Exception("the server closed the connection")),
    ],
    ids=["unreachable", "overloaded", "held", "restarted"],
)
def test_what_can_heal_is_tried_again(error: Exception) -> None:
    result, tries = run(error, error)
    assert result.success
    assert tries == 3


def test_what_does_not_heal_in_a_few_tries_is_told_as_it_is() -> None:
    result, tries = run(*[CallError("no answer in time")] * 9)
    assert tries == 3
    assert [str(fault) for fault in faults_of(result)] == ["made: no answer in time"]


@pytest.mark.parametrize(
    "error",
    [
        DatasetError("a.yaml: unknown key 'x'\na.yaml: unknown key 'y'"),
        IngestError("votes.csv: has no column of voters"),
        StoreError("the file is damaged"),
        SettingError("names.provider: is `offline`"),
        CallError("HTTP 401: wrong key ***", status=401),
        CallError("HTTP 400: unknown parameter", status=400),
    ],
    ids=lambda error: f"{type(error).__name__} {getattr(error, 'status', '')}",
)
def test_what_cannot_heal_is_said_to_be_permanent_and_not_tried_again(error: Exception) -> None:
    result, tries = run(error)
    assert tries == 1
    assert [str(fault) for fault in faults_of(result)] == [f"made: {error}"]
    (failure,) = (event for event in result.all_events if event.is_step_failure)
    assert failure.step_failure_data.user_failure_data
    assert failure.step_failure_data.user_failure_data.description == f"permanent, so not tried again: {error}"


def test_a_fault_of_the_program_keeps_its_traceback_and_is_not_tried_again() -> None:
    result, tries = run(ZeroDivisionError("division by zero"))
    assert tries == 1
    (failure,) = (event for event in result.all_events if event.is_step_failure)
    assert failure.step_failure_data.user_failure_data is None
    error = failure.step_failure_data.error
    assert error
    assert error.cause
    assert error.cause.cls_name == "ZeroDivisionError"
    assert "test_failures.py" in error.cause.to_string()


def test_a_full_disk_of_a_database_is_no_busy_one(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError) as raised:
        sqlite3.connect(tmp_path).execute("SELECT 1")
    assert not failures.can_heal(raised.value)


def test_inputs_that_are_not_there_and_names_that_cannot_be_are_permanent(platform: Platform) -> None:
    platform.instance.add_dynamic_partitions("dataset", ["../secrets"])
    for job, key, asset, told in (
        ("__ASSET_JOB", "../secrets", "projection", "cannot name a dataset"),
        ("recommend_topics", "talk", "topic_recommendation", "run the job 'topics' for it first"),
    ):
        result = platform.run(job, key, asset_selection=[dg.AssetKey(asset)])
        (failure,) = (event for event in result.all_events if event.is_step_failure)
        assert failure.step_failure_data.user_failure_data
        assert str(failure.step_failure_data.user_failure_data.description).startswith("permanent, ")
        assert [told in fault.message for fault in faults_of(result)] == [True]
