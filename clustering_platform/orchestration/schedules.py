"""What happens by the clock."""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg

from clustering_platform.datasets import live_datasets
from clustering_platform.orchestration.jobs import OPINIONS_JOB, run_tags
from clustering_platform.orchestration.partitions import DATASETS_NAME, Slice
from clustering_platform.orchestration.warehouse import newest_materialization
from clustering_platform.settings import Settings


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return the schedules."""

    @dg.schedule(
        cron_schedule="0 3 * * *",
        execution_timezone="UTC",
        job_name=OPINIONS_JOB,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every day at 03:00 UTC: the opinion snapshot of the day before, for every dataset with votes.",
    )
    def daily_snapshots(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        day = context.scheduled_execution_time.date() - timedelta(days=1)
        yield from snapshot_requests(context.instance, settings, day)

    return [daily_snapshots]


def snapshot_requests(
    instance: dg.DagsterInstance, settings: Settings, day: date
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Yield a run for a day of every registered dataset with votes."""
    if day < settings.start_day:
        yield dg.SkipReason(f"{day} lies before the day axis, which starts on {settings.start_day}")
        return
    known = set(instance.get_dynamic_partitions(DATASETS_NAME))
    names = [dataset.name for dataset in live_datasets(settings.inbox) if dataset.name in known]
    parts = [Slice(name, day) for name in names if has_votes(instance, name)]
    if not parts:
        yield dg.SkipReason("no dataset with votes yet")
    for part in parts:
        yield dg.RunRequest(run_key=part.key, partition_key=part.key, tags=run_tags(part))


def has_votes(instance: dg.DagsterInstance, dataset: str) -> bool:
    """Tell whether the votes of a dataset were read and there are any."""
    event = newest_materialization(instance, "votes", Slice(dataset))
    return bool(event and event.metadata["dagster/row_count"].value)
