"""Runs that stopped before their end, and how they go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from clustering_platform.orchestration.errors import ResumeError
from clustering_platform.orchestration.executing import steps_left
from clustering_platform.orchestration.partitions import PARTITION_TAG, Slice, slice_of

_LOOKED_AT = 500
_STOPPED = {dg.DagsterRunStatus.FAILURE: "failed", dg.DagsterRunStatus.CANCELED: "cancelled"}


@dataclass(frozen=True)
class StoppedRun:
    """A run that failed or was cancelled, with nothing newer in its place."""

    run: dg.DagsterRun
    part: Slice
    ended: datetime

    @property
    def job(self) -> str:
        """What ran: the name of a job, or the assets that were chosen by hand."""
        if not self.run.job_name.startswith("__"):
            return self.run.job_name
        return ", ".join(sorted(key.to_user_string() for key in self.run.asset_selection or ()))

    @property
    def how(self) -> str:
        """Whether it failed or was cancelled."""
        return _STOPPED[self.run.status]


def stopped_runs(instance: dg.DagsterInstance) -> Iterator[StoppedRun]:
    """Yield the runs that can be resumed, newest first: of each job and slice the newest run, if it stopped."""
    seen = set()
    for record in instance.get_run_records(limit=_LOOKED_AT):
        run = record.dagster_run
        what = (run.job_name, run.asset_selection, run.tags.get(PARTITION_TAG))
        part = slice_of(run)
        if part and run.status in _STOPPED and what not in seen:
            ended = datetime.fromtimestamp(record.end_time or record.update_timestamp.timestamp(), UTC)
            yield StoppedRun(run, part, ended)
        seen.add(what)


def stopped_run(instance: dg.DagsterInstance, run_id: str) -> tuple[dg.DagsterRun, Slice]:
    """Return the failed or cancelled run of an id, or of the first letters of one, and its slice.

    Raises
    ------
    ResumeError
        There is none, or more than one, or it did not stop before its end.
    """
    run = instance.get_run_by_id(run_id)
    found = [run] if run else [one.run for one in stopped_runs(instance) if one.run.run_id.startswith(run_id)]
    if len(found) != 1:
        number = "no run has that id" if not found else f"{len(found)} runs have ids that begin so"
        raise ResumeError(f"{run_id!r}: {number}; `clustering resume` lists those that can be resumed")
    run, part = found[0], slice_of(found[0])
    if part is None:
        raise ResumeError(f"run {run.run_id} cannot be resumed: it is about no dataset")
    if run.status not in _STOPPED:
        raise ResumeError(f"run {run.run_id} cannot be resumed: its status is {run.status.value}")
    if not steps_left(instance, run):
        raise ResumeError(f"run {run.run_id} cannot be resumed: no step of it is left to be done")
    return run, part
