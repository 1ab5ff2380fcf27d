"""What is told of a run: one row of the history, from Dagster's record of the run and its tags.

What a run published stands in tags of its own, so that the list of runs in the Dagster UI shows it, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster._core.storage import tags as dagster_tags

from clustering_platform.orchestration.partitions import slice_of

COMMAND_TAG = "clustering/command"
OUTCOME_TAG = "clustering/outcome"
RESULT_TAGS = {
    "commit": "clustering/commit",
    "voters": "clustering/voters",
    "items": "clustering/items",
    "clusters": "clustering/clusters",
}
_OURS = "clustering/"
_WITHOUT_JOB = "__ASSET_JOB"
_UNSAID = "-"
_SECRET = re.compile("key|token|secret|password|credential", re.IGNORECASE)
_LONGEST = 300
_STATUSES = {
    dg.DagsterRunStatus.NOT_STARTED: "queued",
    dg.DagsterRunStatus.QUEUED: "queued",
    dg.DagsterRunStatus.SUCCESS: "succeeded",
    dg.DagsterRunStatus.CANCELED: "cancelled",
}
_OUTCOMES = {"succeeded": "done", "queued": "not yet", "waiting": "not yet", "running": "not yet"}


def status_of(run: dg.DagsterRun) -> str:
    """Return the status of a run as Dagster knows it.

    A run that was interrupted by a signal is a failure to Dagster; one that its worker did not report, but who looks
    after workers, was killed.
    """
    if run.status == dg.DagsterRunStatus.FAILURE:
        reason = run.tags.get(dagster_tags.RUN_FAILURE_REASON_TAG)
        return {None: "killed", "UNEXPECTED_TERMINATION": "cancelled"}.get(reason, "failed")
    return _STATUSES.get(run.status, "waiting")


def run_row(record: dg.RunRecord, status: str, error: str | None = None) -> dict[str, Any]:
    """Return a run as a row of the history."""
    run = record.dagster_run
    part = slice_of(run)
    started, ended = _time(record.start_time), _time(record.end_time)
    results = _results(run.tags) if started else {}
    return {
        "run_id": run.run_id,
        "dataset": part.dataset if part else None,
        "day": part.day if part else None,
        "partition": run.tags.get(dagster_tags.PARTITION_NAME_TAG),
        "job": None if run.job_name == _WITHOUT_JOB else run.job_name,
        **dict(zip(("launched_by", "launcher"), _launcher(run), strict=True)),
        "parameters": json.dumps(_parameters(run), default=str),
        "status": status,
        "created_at": record.create_timestamp,
        "started_at": started,
        "ended_at": ended,
        "seconds": round((ended - started).total_seconds(), 3) if started and ended else None,
        "outcome": results.pop("outcome", None) or _OUTCOMES.get(status, status),
        **results,
        "error": _shortened(error) if error else None,
        "recorded_at": datetime.now(UTC),
    }


def result_tags(outcome: str, results: Mapping[str, int | None]) -> dict[str, str]:
    """Return the tags that tell what came of a run."""
    said = {RESULT_TAGS[name]: str(value) for name, value in results.items() if value is not None}
    return {OUTCOME_TAG: outcome} | said


def inherited_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return what to put in place of the results of the run that a run repeats; tags cannot be removed."""
    return {tag: _UNSAID for tag in (OUTCOME_TAG, *RESULT_TAGS.values()) if tags.get(tag, _UNSAID) != _UNSAID}


def _results(tags: Mapping[str, str]) -> dict[str, Any]:
    said = {name: tags.get(tag, _UNSAID) for name, tag in RESULT_TAGS.items()}
    results: dict[str, Any] = {name: int(value) for name, value in said.items() if value.isdecimal()}
    outcome = tags.get(OUTCOME_TAG, _UNSAID)
    return results if outcome == _UNSAID else results | {"outcome": outcome}


def _launcher(run: dg.DagsterRun) -> tuple[str, str | None]:
    """Return who or what launched a run, and which one.

    A run that repeats another has its tags: that it repeats comes first.
    """
    tags = run.tags
    if parent := tags.get(dagster_tags.PARENT_RUN_ID_TAG):
        return "retry" if dagster_tags.RETRY_NUMBER_TAG in tags else "re-execution", parent
    if command := tags.get(COMMAND_TAG):
        return "command line", command
    if backfill := tags.get(dagster_tags.BACKFILL_ID_TAG):
        return "backfill", backfill
    sensor = tags.get(dagster_tags.SENSOR_NAME_TAG)
    if dagster_tags.AUTOMATION_CONDITION_TAG in tags:
        return "automation", sensor
    if sensor:
        return "sensor", sensor
    if schedule := tags.get(dagster_tags.SCHEDULE_NAME_TAG):
        return "schedule", schedule
    return ("Dagster UI", None) if run.remote_job_origin else ("Dagster command", None)


def _parameters(run: dg.DagsterRun) -> dict[str, Any]:
    wishes = sorted(
        tag.removeprefix(_OURS) for tag, value in run.tags.items() if tag.startswith(_OURS) and value == "true"
    )
    parameters: dict[str, Any] = dict.fromkeys(wishes, True)
    if run.asset_selection:
        parameters["assets"] = sorted(key.to_user_string() for key in run.asset_selection)
    if steps := run.tags.get(dagster_tags.STEP_SELECTION_TAG):
        parameters["steps"] = steps
    if run.is_resume_retry:
        parameters["from_failure"] = True
    if config := {name: _public(part) for name, part in run.run_config.items() if name != "loggers"}:
        parameters["config"] = config
    return parameters


def _public(config: Any) -> Any:
    """Return configuration without what looks like a secret."""
    if isinstance(config, Mapping):
        return {name: "***" if _SECRET.search(str(name)) else _public(part) for name, part in config.items()}
    return [_public(part) for part in config] if isinstance(config, list) else config


def _shortened(message: str) -> str:
    """Return the first line of a message, and not too much of it."""
    line = message.strip().partition("\n")[0]
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"


def _time(timestamp: float | None) -> datetime | None:
    return datetime.fromtimestamp(timestamp, UTC) if timestamp else None
