"""The history of runs: who records them, and when.

A run records itself when it has its dataset to itself (`begin`), and notes in its tags what it published. All else is
read from Dagster's own records (`catch_up`): by a sensor of the daemon, after each run of the command line and before
the history is shown. So no run is missed: neither one that never began nor one that ended while nobody looked.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

import dagster as dg

from clustering_platform.orchestration.faults import INTERRUPTED, faults_in
from clustering_platform.orchestration.run_rows import inherited_tags, run_row, status_of
from clustering_platform.settings import Settings
from clustering_platform.store.catalog import rebuild_catalog
from clustering_platform.store.commits import Commits
from clustering_platform.store.files import Files
from clustering_platform.store.locks import lock_holder
from clustering_platform.store.run_records import RunRecords

_RUNS_AT_ONCE = 500
_INTERVAL_SECONDS = 15
_SETTLE_SECONDS = 1.0
_OVERLAP = timedelta(minutes=1)  # a change is stored a little after the time that it is given
_UNDER_WAY = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_FAULTS = {
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}


@dataclass(frozen=True)
class RunHistory:
    """The recordings of the runs of an instance."""

    instance: dg.DagsterInstance
    settings: Settings

    @property
    def records(self) -> RunRecords:
        """The recordings themselves."""
        return RunRecords(self.settings.warehouse)

    def prepare(self, run: dg.DagsterRun) -> None:
        """Take from a run what it tells of the results of the run that it repeats."""
        if tags := inherited_tags(run.tags):
            self.instance.add_run_tags(run.run_id, tags)

    def begin(self, run_id: str) -> None:
        """Record that a run has its dataset to itself."""
        if record := self.instance.get_run_record_by_id(run_id):
            self.records.record(run_row(record, "running"))
        if not self.settings.catalog.exists():
            rebuild_catalog(Commits(Files(self.settings.warehouse)), self.settings.catalog)

    def catch_up(self) -> int:
        """Record what became of runs since the last time, oldest first; returns how many recordings that took."""
        since = self.records.caught_up()
        changed = self.instance.get_run_records(
            dg.RunsFilter(updated_after=since - _OVERLAP if since else None),
            limit=_RUNS_AT_ONCE,
            order_by="update_timestamp",
            ascending=True,
        )
        recorded = sum(self._record(record) for record in changed) + sum(map(self._record_lost, self._lost()))
        if changed:
            self.records.mark_caught_up(changed[-1].update_timestamp)
        return recorded

    def _record(self, record: dg.RunRecord) -> bool:
        """Record a run, unless that was done."""
        run_id, status = record.dagster_run.run_id, status_of(record.dagster_run)
        if self.records.has(run_id, status) or (status == "waiting" and self.records.has(run_id, "running")):
            return False
        error = self._error(record.dagster_run)
        was_interrupted = status == "failed" and bool(error and error.endswith(INTERRUPTED))
        return self.records.record(run_row(record, "cancelled" if was_interrupted else status, error))

    def _record_lost(self, record: dg.RunRecord) -> bool:
        """Record a run as killed of which Dagster does not know that it ended."""
        return self.records.record(run_row(record, "killed", "it ended without a word"), seen_as="lost")

    def _error(self, run: dg.DagsterRun) -> str | None:
        """Return what went wrong first in a run."""
        if not run.is_finished or run.is_success:
            return None
        entries = self.instance.all_logs(run.run_id, of_type=_FAULTS)
        faults = faults_in([entry.dagster_event for entry in entries if entry.dagster_event])
        return next(map(str, faults), None)

    def _lost(self) -> list[dg.RunRecord]:
        """Return runs that Dagster takes for running, but which do not hold their dataset any more.

        They are looked at twice: a run gives the lock back a moment before it tells Dagster how it ended.
        """
        if lost := self._without_lock():
            time.sleep(_SETTLE_SECONDS)
            known = {record.dagster_run.run_id for record in lost}
            return [record for record in self._without_lock() if record.dagster_run.run_id in known]
        return []

    def _without_lock(self) -> list[dg.RunRecord]:
        under_way = self.instance.get_run_records(dg.RunsFilter(statuses=_UNDER_WAY))
        return [record for record in under_way if self._is_without_lock(record.dagster_run.run_id, record)]

    def _is_without_lock(self, run_id: str, record: dg.RunRecord) -> bool:
        if not self.records.has(run_id, "running") or self.records.has(run_id, "lost"):
            return False
        dataset = run_row(record, "running")["dataset"]
        return lock_holder(self.settings.warehouse, dataset) != holder_name(run_id)


def holder_name(run_id: str) -> str:
    """Return how a run is called as the holder of a lock."""
    return f"run {run_id}"


def build_run_history(settings: Settings) -> dg.SensorDefinition:
    """Return the sensor that records what became of runs, of whatever job and whoever launched them."""

    @dg.sensor(
        minimum_interval_seconds=_INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Records every run in the table `runs`: queued, begun, succeeded, failed, cancelled or killed.",
    )
    def run_history(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        recorded = RunHistory(context.instance, settings).catch_up()
        return dg.SkipReason(f"recordings made: {recorded}" if recorded else "no run has changed")

    return run_history
