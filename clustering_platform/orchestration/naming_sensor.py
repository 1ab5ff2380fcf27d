"""Asking a language model for names when there are new topics or groups: a sensor of its own, as it can cost money."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import dagster as dg

from clustering_platform.datasets import DatasetError, find_dataset
from clustering_platform.orchestration.jobs import GROUP_NAMES_JOB, NAMES_JOB, run_tags
from clustering_platform.orchestration.partitions import Slice
from clustering_platform.orchestration.recipes import NAMES_TAG
from clustering_platform.orchestration.sensors import materialized_since
from clustering_platform.orchestration.warehouse import UNCHANGED_KEY
from clustering_platform.settings import Settings
from clustering_platform.store.commits import Commits
from clustering_platform.store.files import Files

NAMES_SENSOR = "new_names"
_JOBS = {"topic_names": NAMES_JOB, "group_names": GROUP_NAMES_JOB}
_INTERVAL_SECONDS = 30


def build_naming_sensor(settings: Settings, jobs: Sequence[Any]) -> dg.SensorDefinition:
    """Return the sensor, which starts some of the jobs; it is stopped until somebody starts it."""

    @dg.sensor(
        name=NAMES_SENSOR,
        jobs=[job for job in jobs if job.name in _JOBS.values()],
        minimum_interval_seconds=_INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Asks the language model of a dataset (`names.provider: openai`) what new topics, and the groups "
        "of the newest day, are called. That costs what the service costs, up to the ceilings in `names`; start it if "
        "names are to come without being asked for.",
    )
    def new_names(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return look_for_unnamed(context, settings)

    return new_names


def look_for_unnamed(context: dg.SensorEvaluationContext, settings: Settings) -> dg.SensorResult:
    """Request names for what was published since the last look under other names than before.

    What a run that asked for names has published asks for none, nor does a day that is not the newest.
    """
    before: dict[str, str] = json.loads(context.cursor or "{}")
    after: dict[str, str] = {}
    requests: list[dg.RunRequest] = []
    for table, job in _JOBS.items():
        records, after[table] = materialized_since(context.instance, table, before.get(table))
        requests += [
            dg.RunRequest(
                run_key=f"{job}:{part.key}:{record.storage_id}",
                job_name=job,
                partition_key=part.key,
                tags=run_tags(part) | {NAMES_TAG: "true"},
            )
            for record in records
            if record.partition_key
            and _is_to_be_named(context.instance, settings, part := Slice.from_key(record.partition_key), record)
        ]
    cursor = json.dumps(after)
    if not requests:
        return dg.SensorResult(skip_reason="nothing new to be named", cursor=cursor)
    return dg.SensorResult(run_requests=requests, cursor=cursor)


def _is_to_be_named(instance: dg.DagsterInstance, settings: Settings, part: Slice, record: dg.EventLogRecord) -> bool:
    event = record.asset_materialization
    if event is None or UNCHANGED_KEY in event.metadata:
        return False
    run = instance.get_run_by_id(record.run_id)
    if run and NAMES_TAG in run.tags:
        return False
    try:
        config = find_dataset(settings.inbox, part.dataset).config
    except DatasetError:
        return False
    if config.archived or config.names.provider == "offline":
        return False
    days = [commit.day for commit in Commits(Files(settings.warehouse)).current(part.dataset) if commit.day]
    return part.day is None or not days or part.day >= max(days)
