"""Runs executed in this process, recorded so that the Dagster UI can execute them again.

``JobDefinition.execute_in_process`` leaves out of the record where a job is defined, without which a run can neither be
re-executed nor be retried by the daemon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import create_execution_plan, execute_run_iterator
from dagster._core.execution.plan.state import KnownExecutionState
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from clustering_platform.orchestration.partitions import PARTITION_TAG, Slice

LOCATION = "clustering_platform.definitions"
_REPOSITORY = "__repository__"
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_KEPT_TAGS = ("clustering/", PARTITION_TAG)
_PARENT_TAG, _ROOT_TAG, _RESUMED_TAG = "dagster/parent_run_id", "dagster/root_run_id", "dagster/is_resume_retry"
_WILL_RETRY_TAG = "dagster/will_retry"


def execute(
    instance: dg.DagsterInstance, job: dg.JobDefinition, part: Slice, *, run_id: str, tags: Mapping[str, str]
) -> dg.ExecuteInProcessResult:
    """Execute a job for a slice to its end, whatever that is."""
    of_part = job.get_tags_for_partition_key(part.key, selected_asset_keys=None)
    return _execute(instance, job, run_id=run_id, tags={**of_part, **tags})


def execute_from_failure(
    instance: dg.DagsterInstance, job: dg.JobDefinition, parent: dg.DagsterRun, *, run_id: str
) -> dg.ExecuteInProcessResult:
    """Execute what a failed or cancelled run of a job left undone, with the tags of that run."""
    root = parent.root_run_id or parent.run_id
    tags = {tag: value for tag, value in parent.tags.items() if tag.startswith(_KEPT_TAGS)}
    tags |= {_PARENT_TAG: parent.run_id, _ROOT_TAG: root, _RESUMED_TAG: "true"}
    steps, known = KnownExecutionState.build_resume_retry_reexecution(instance, parent)
    chosen = job.get_subset(asset_selection=parent.asset_selection) if parent.asset_selection else job
    plan = create_execution_plan(chosen, _QUIET, steps, known)
    instance.add_run_tags(parent.run_id, {_WILL_RETRY_TAG: "false"})  # or the daemon, too, would start it again
    lineage = {"parent_run_id": parent.run_id, "root_run_id": root, "asset_selection": parent.asset_selection}
    return _execute(instance, job, run_id=run_id, tags=tags, execution_plan=plan, **lineage)


def steps_left(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Sequence[str]:
    """Return the steps that a failed or cancelled run left undone."""
    return KnownExecutionState.build_resume_retry_reexecution(instance, run)[0]


def _execute(
    instance: dg.DagsterInstance, job: dg.JobDefinition, *, run_id: str, tags: Mapping[str, str], **more: Any
) -> dg.ExecuteInProcessResult:
    location = RegisteredCodeLocationOrigin(LOCATION)
    run = instance.create_run_for_job(
        job,
        run_id=run_id,
        run_config=_QUIET,
        tags={**job.run_tags, **tags},
        remote_job_origin=RemoteJobOrigin(RemoteRepositoryOrigin(location, _REPOSITORY), job.name),
        **more,
    )
    events = list(execute_run_iterator(InMemoryJob(job), run, instance))
    return dg.ExecuteInProcessResult(events, instance.get_run_by_id(run_id) or run, None, job)
