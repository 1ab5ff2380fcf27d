"""The history of runs: who records them, and when.

A run records itself when it has its dataset to itself (`begin`), and notes in its tags what it published. All else is
read from Dagster's own records (`catch_up`): by a sensor of the daemon, after each run of the command line and before
the history is shown. So no run is missed: neither one that never began nor one that ended while nobody looked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import dagster as dg

from clustering_platform.orchestration.faults import INTERRUPTED, faults_in
from clustering_platform.orchestration.run_rows import inherited_tags, run_row, status_of
from clustering_platform.settings import Settings
from clustering_platform.store.catalog import rebuild_catalog
from clustering_platform.store.commits import Commits
from clustering_platform.store.files import Files
from clustering_platform.store.run_records import RunRecords

_RUNS_AT_ONCE = 200
_INTERVAL_SECONDS = 15
_OVERLAP = timedelta(minutes=1)  # a change is stored a little after the time that it is given
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
        recorded = sum(self._record(record) for record in changed)
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

    def _error(self, run: dg.DagsterRun) -> str | None:
        """Return what went wrong first in a run."""
        if not run.is_finished or run.is_success:
            return None
        entries = self.instance.all_logs(run.run_id, of_type=_FAULTS)
        fault = next(faults_in([entry.dagster_event for entry in entries if entry.dagster_event]), None)
        return (fault.message if fault.where == "run" else str(fault)) if fault else None


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
