"""The platform as people start it, on a data folder of its own: real processes, and its command line."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample" / "town-plans"
T = TypeVar("T")


def environment(data: Path, **more: str) -> dict[str, str]:
    """Return the environment of a process that keeps everything under `data`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CLUSTERING_", "DAGSTER_"))}
    return {
        **inherited,
        "CLUSTERING_HOME": str(ROOT),
        "CLUSTERING_DATA": str(data),
        "DAGSTER_HOME": str(ROOT),
        "COLUMNS": "200",
        "NO_COLOR": "1",
        **more,
    }


def clustering(data: Path, *arguments: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    command = [sys.executable, "-c", "from clustering_platform.cli.main import main; main()", *arguments]
    result = subprocess.run(
        command, env=environment(data, **more), capture_output=True, text=True, check=False, timeout=400
    )
    assert not check or result.returncode == 0, result.stdout + result.stderr
    return result


def clustering_here(data: Path, *arguments: str, exit_code: int = 0, **more: str) -> str:
    """Run the command line in this process to its end with that exit code, and return what it printed.

    For tests that a process of its own would tell nothing more: most of its seconds go to importing libraries.
    """
    from clustering_platform.cli.main import app

    variables = environment(data, **more)
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - variables.keys():
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        result = CliRunner().invoke(app, arguments)
    assert result.exit_code == exit_code, result.output
    return result.output


def wait_for(look: Callable[[], T | None], *, seconds: float, what: str) -> T:
    """Return what `look` finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


class Webserver:
    """The Dagster UI on a port of loopback, through its GraphQL API."""

    def __init__(self, port: int) -> None:
        self.port = port

    def is_loaded(self) -> bool:
        """Tell whether it answers and has loaded the definitions."""
        try:
            answer = self.ask(_LOADED)["workspaceOrError"]
        except OSError:
            return False
        return any(entry["loadStatus"] == "LOADED" for entry in answer.get("locationEntries", []))

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a GraphQL query and return its data."""
        body = json.dumps({"query": query, "variables": dict(variables or {})}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", data=body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def launch(self, job: str, tags: Mapping[str, str]) -> str:
        """Launch a run and return its id."""
        selector = {**_REPOSITORY, "pipelineName": job}
        metadata = {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
        params = {"selector": selector, "mode": "default", "executionMetadata": metadata}
        answer = self.ask(_LAUNCH, {"params": params})["launchPipelineExecution"]
        assert "run" in answer, answer
        run_id: str = answer["run"]["runId"]
        return run_id

    def backfill(self, job: str, keys: Sequence[str], *, seconds: float) -> None:
        """Launch a backfill of some partitions of a job, in the order given, and wait until all have succeeded."""
        selector = {"partitionSetName": f"{job}_partition_set", "repositorySelector": _REPOSITORY}
        params = {"selector": selector, "partitionNames": list(keys)}
        launched = self.ask(_BACKFILL, {"params": params})["launchPartitionBackfill"]
        assert "backfillId" in launched, launched
        backfill = {"id": launched["backfillId"]}
        status = wait_for(
            lambda: found if (found := self.ask(_BACKFILLED, backfill)["one"]["status"]) in _ENDED_BACKFILLS else None,
            seconds=seconds,
            what=f"backfill of {len(keys)} partitions of {job}",
        )
        assert status == "COMPLETED_SUCCESS", status

    def reexecute(self, run_id: str) -> str:
        """Re-execute a run from where it failed, as the button of the UI does, and return the id of the new run."""
        params = {"parentRunId": run_id, "strategy": "FROM_FAILURE"}
        answer = self.ask(_REEXECUTE, {"params": params})["launchRunReexecution"]
        assert "run" in answer, answer
        new_id: str = answer["run"]["runId"]
        return new_id

    def cancel(self, run_id: str) -> None:
        """Cancel a run."""
        answer = self.ask(_CANCEL, {"id": run_id})["terminateRun"]
        assert "run" in answer, answer

    def said(self, run_id: str) -> str:
        """Return the messages of a run's log."""
        log = self.ask(_LOG, {"id": run_id})["logsForRun"]
        return "\n".join(part["message"] for event in log["events"] for part in (event, event.get("error")) if part)

    def run_ids(self) -> set[str]:
        """Return the ids of all runs."""
        return {run["runId"] for run in self.ask(_RUNS)["runsOrError"]["results"]}

    def runs_under_way(self) -> bool:
        """Tell whether a run has not ended yet."""
        return any(run["status"] not in _ENDED for run in self.ask(_RUNS)["runsOrError"]["results"])

    def stop_schedule(self, name: str) -> None:
        """Switch a schedule off, as people do in the UI."""
        selector = {**_REPOSITORY, "scheduleName": name}
        state = self.ask(_SCHEDULE, {"schedule": selector})["scheduleOrError"]["scheduleState"]
        stopped = self.ask(_STOP_SCHEDULE, {"id": state["id"]})["stopRunningSchedule"]
        assert stopped.get("scheduleState", {}).get("status") == "STOPPED", stopped

    def ticks(self, sensor: str) -> int:
        """Return how often a sensor has looked."""
        selector = {**_REPOSITORY, "sensorName": sensor}
        return len(self.ask(_TICKS, {"sensor": selector})["sensorOrError"]["sensorState"]["ticks"])

    def status(self, run_id: str) -> str:
        """Return the status of a run."""
        status: str = self.ask("query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", {"id": run_id})[
            "runOrError"
        ]["status"]
        return status

    def wait_for_run(self, run_id: str, *, seconds: float = 120) -> str:
        """Return the status with which a run ends."""
        return wait_for(
            lambda: status if (status := self.status(run_id)) in _ENDED else None, seconds=seconds, what=f"run {run_id}"
        )


class DagsterDev(Webserver):
    """`clustering dev`: webserver, daemon and code server, on a port of their own.

    Its schedule is switched off: a story must not have other runs when it is told at the hour of the schedule.
    """

    def __init__(self, data: Path, **more: str) -> None:
        super().__init__(free_port())
        self.log = data.parent / f"dagster-{self.port}.log"
        code = "from clustering_platform.cli.main import main; main()"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, "dev", "-p", str(self.port)],
                env=environment(data, **more),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> DagsterDev:
        wait_for(self.is_loaded, seconds=120, what=f"Dagster loads the definitions (see {self.log})")
        self.stop_schedule("daily_snapshots")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=30)
        # What is left of its group: all of it, or a code server that outlived it, as one may once the daemon is killed.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill(self) -> None:
        """Kill everything at once, as a loss of power would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_daemon(self) -> None:
        """Kill the daemon alone."""
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.getpgid(int(path.name)) == self.process.pid and b"dagster._daemon" in _command(path):
                    os.kill(int(path.name), signal.SIGKILL)

    def is_loaded(self) -> bool:
        """Tell whether it answers and has loaded the definitions; its process must not have ended."""
        assert self.process.poll() is None, self.log.read_text()
        return super().is_loaded()


_REPOSITORY = {"repositoryLocationName": "clustering_platform.definitions", "repositoryName": "__repository__"}
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
_RUNS = "{ runsOrError { ... on Runs { results { runId status } } } }"
_TICKS = """
query($sensor: SensorSelector!) {
  sensorOrError(sensorSelector: $sensor) { ... on Sensor { sensorState { ticks { id } } } }
}
"""
_SCHEDULE = """
query($schedule: ScheduleSelector!) {
  scheduleOrError(scheduleSelector: $schedule) { ... on Schedule { scheduleState { id } } }
}
"""
_STOP_SCHEDULE = """
mutation($id: String!) {
  stopRunningSchedule(id: $id) {
    ... on ScheduleStateResult { scheduleState { status } }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
  }
}
"""
_ENDED_BACKFILLS = {"COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"}
_BACKFILL = """
mutation($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on PartitionSetNotFoundError { message }
    ... on PartitionKeysNotFoundError { message }
  }
}
"""
_BACKFILLED = """
query($id: String!) { one: partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }
"""
_LOADED = "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }"
_LAUNCH = """
mutation($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on InvalidSubsetError { message }
    ... on PipelineNotFoundError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
_REEXECUTE = """
mutation($params: ReexecutionParams!) {
  launchRunReexecution(reexecutionParams: $params) {
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
_CANCEL = """
mutation($id: String!) {
  terminateRun(runId: $id) {
    ... on TerminateRunSuccess { run { runId } }
    ... on TerminateRunFailure { message }
    ... on PythonError { message }
  }
}
"""
_LOG = """
query($id: ID!) {
  logsForRun(runId: $id) { ... on EventConnection { events {
    ... on MessageEvent { message }
    ... on ErrorEvent { error { message } }
  } } }
}
"""


def _command(process: Path) -> bytes:
    """Return the command line of a process, by its folder in /proc."""
    return (process / "cmdline").read_bytes()


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
