"""`clustering resume`: runs that stopped before their end go on from there."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table

from clustering_platform.cli.running import new_bars, on_terminal, told, with_bar
from clustering_platform.datasets import find_dataset
from clustering_platform.orchestration.executing import steps_left
from clustering_platform.orchestration.instance import open_instance
from clustering_platform.orchestration.jobs import DRIFT_JOB, OPINIONS_JOB
from clustering_platform.orchestration.reaping import reap
from clustering_platform.orchestration.resuming import stopped_run, stopped_runs
from clustering_platform.orchestration.runs import Runner
from clustering_platform.settings import Settings


def list_stopped(settings: Settings, *, out: Console) -> None:
    """Print the runs that can be resumed, by dataset, the newest first."""
    with open_instance(settings) as instance:
        reap(instance, settings)
        stopped = sorted(stopped_runs(instance), key=lambda one: one.part.dataset)
    table = Table(Column("run", no_wrap=True), "dataset", "day", "job", "how it ended", "at (UTC)", box=None)
    for one in stopped:
        day = str(one.part.day or "-")
        table.add_row(one.run.run_id, one.part.dataset, day, one.job, one.how, f"{one.ended:%Y-%m-%d %H:%M:%S}")
    out.print(table if table.rows else "no run is there to be resumed: the newest of each job and dataset did not fail")


def resume_run(settings: Settings, run_id: str, *, out: Console, err: Console) -> bool:
    """Do what a failed or cancelled run left undone, and tell whether that succeeded; faults are printed.

    Where that publishes a day, drift is made anew: no daemon need be there to do it.
    """
    with on_terminal(out) as console, new_bars(console) as bars:
        bar = bars.add_task("starting", total=None, now="")
        from clustering_platform.definitions import build_defs

        runner = Runner(settings, build_defs(settings), command="resume")
        reap(runner.instance, settings)
        run, part = stopped_run(runner.instance, run_id)
        bars.remove_task(bar)
        steps = len(steps_left(runner.instance, run))
        outcomes = [with_bar(bars, runner, run.job_name, lambda on: runner.resume(run, on_progress=on), steps=steps)]
        if run.job_name == OPINIONS_JOB and outcomes[0].succeeded:
            dataset = find_dataset(settings.inbox, part.dataset)
            outcomes.append(with_bar(bars, runner, DRIFT_JOB, lambda on: runner.run_drift(dataset, on_progress=on)))
    if not told(outcomes, err):
        return False
    out.print(f"{run.job_name} of {part}: done; `clustering show {part.dataset}` prints what is published")
    return True
