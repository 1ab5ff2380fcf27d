"""Runs whose process is gone, ended in its place: killed by the system, or lost with the machine.

Dagster's own launcher does not look after a run that has started, except through the code server that started it; when
that went down too, the run would hold its place in the queue for hours.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import dagster as dg

from clustering_platform.orchestration.partitions import PARTITION_TAG
from clustering_platform.store.alive import Life, forget, life_of

if TYPE_CHECKING:
    from clustering_platform.settings import Settings

GRACE_SECONDS = 60.0
_INTERVAL_SECONDS = 30
_UNDER_WAY = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_GONE = (
    "The process of this run is gone: it was killed, or its machine went down. What was published before stands, and "
    "what the run had computed is kept for the next try. "
)
_NEXT = "Dagster starts it again from where it was, unless that was tried before; `clustering resume` does so by hand."


def build_reaper(settings: Settings) -> dg.SensorDefinition:
    """Return the sensor that looks for runs whose process is gone."""

    @dg.sensor(
        minimum_interval_seconds=_INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends runs whose process is gone, so that they are started again and others need not wait.",
    )
    def reaper(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = reap(context.instance, settings)
        return dg.SkipReason(f"ended, as their process is gone: {', '.join(ended)}" if ended else "all runs are alive")

    return reaper


def reap(instance: dg.DagsterInstance, settings: Settings) -> list[str]:
    """End the runs that are under way by name only, and return their ids.

    They are marked as failed, which lets Dagster start them again, or as cancelled if that was asked for. A run that
    waits for its dataset, or is paused by a signal, or runs on another machine, still holds its sign of life.
    """
    runs = [run for run in instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY)) if PARTITION_TAG in run.tags]
    gone = [run for run in runs if _is_gone(instance, run, settings)]
    ended = [run.run_id for run in gone if _end(instance, run.run_id)]
    forget(settings.warehouse, but={run.run_id for run in runs} - set(ended))
    return ended


def _is_gone(instance: dg.DagsterInstance, run: dg.DagsterRun, settings: Settings) -> bool:
    life = life_of(settings.warehouse, run.run_id, database=settings.lock_database)
    return life is Life.LEFT or (life is Life.NONE and _silence(instance, run) > GRACE_SECONDS)


def _silence(instance: dg.DagsterInstance, run: dg.DagsterRun) -> float:
    """Return the seconds since anything was heard of a run."""
    newest = instance.get_records_for_run(run.run_id, limit=1, ascending=False).records
    return time.time() - newest[0].timestamp if newest else 0.0


def _end(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Mark a run as ended, if nobody else did so in the meantime."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.status not in _UNDER_WAY:
        return False
    if run.status is dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, _GONE)
    else:
        instance.report_run_failed(run, _GONE + _NEXT)
    return True
