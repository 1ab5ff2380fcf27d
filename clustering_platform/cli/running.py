"""`clustering run`: the jobs of a dataset, with progress."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import date

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from clustering_platform.datasets import CONFIG_FILE, Dataset, DatasetError
from clustering_platform.orchestration.runs import OnProgress, Outcome, Runner
from clustering_platform.orchestration.runs import Progress as Step
from clustering_platform.settings import Settings
from clustering_platform.store.commits import Commits
from clustering_platform.store.files import Files


def run_dataset(
    settings: Settings,
    dataset: Dataset,
    *,
    day: date | None,
    force: bool,
    refit: bool = False,
    opinions: bool = True,
    out: Console,
    err: Console,
) -> bool:
    """Run all jobs of a dataset, or all but `opinions`, and tell whether all succeeded; faults are printed."""
    dataset.config  # noqa: B018 - a fault in dataset.yaml is told before anything runs
    with on_terminal(out) as console, new_bars(console) as bars:
        runner = started(bars, settings, dataset, command="run")
        outcomes = [
            with_bar(
                bars, runner, "topics", lambda on: runner.run_topics(dataset, force=force, refit=refit, on_progress=on)
            )
        ]
        if opinions and runner.has_votes(dataset) and not (outcomes[0].ingest_failed or outcomes[0].was_interrupted):
            outcomes.append(
                with_bar(
                    bars,
                    runner,
                    "opinions",
                    lambda on: runner.run_opinions(dataset, day=day, force=force, on_progress=on),
                )
            )
            if outcomes[-1].succeeded:
                outcomes.append(with_bar(bars, runner, "drift", lambda on: runner.run_drift(dataset, on_progress=on)))
    return told(outcomes, err)


def run_recommendation(settings: Settings, dataset: Dataset, *, out: Console, err: Console) -> bool:
    """Run the job that compares strategies of topics, and tell whether it succeeded; faults are printed."""
    dataset.config  # noqa: B018 - a fault in dataset.yaml is told before anything runs
    with on_terminal(out) as console, new_bars(console) as bars:
        runner = started(bars, settings, dataset, command="recommend")
        outcome = with_bar(
            bars, runner, "recommend_topics", lambda on: runner.run_recommendation(dataset, on_progress=on)
        )
    return told([outcome], err)


def run_names(settings: Settings, dataset: Dataset, *, day: date | None, out: Console, err: Console) -> bool:
    """Have a language model name the topics, and the groups of a day, by default the newest that is published.

    Returns whether all succeeded; faults are printed.
    """
    if dataset.config.names.provider == "offline":
        raise DatasetError(
            f"{dataset.name}: names.provider is `offline`; to ask a language model, set it to `openai` in "
            f"{dataset.folder / CONFIG_FILE}"
        )
    with on_terminal(out) as console, new_bars(console) as bars:
        runner = started(bars, settings, dataset, command="name")
        outcomes = [with_bar(bars, runner, "name_topics", lambda on: runner.run_names(dataset, on_progress=on))]
        chosen = day or _newest_day(settings, dataset)
        if chosen and outcomes[0].succeeded:
            outcomes.append(
                with_bar(
                    bars, runner, "name_groups", lambda on: runner.run_group_names(dataset, chosen, on_progress=on)
                )
            )
    return told(outcomes, err)


def _newest_day(settings: Settings, dataset: Dataset) -> date | None:
    """Return the newest day of which opinions of a dataset are published; None where there is none."""
    commits = Commits(Files(settings.warehouse)).log(dataset.name)
    return max((commit.day for commit in commits if commit.day), default=None)


def started(bars: Progress, settings: Settings, dataset: Dataset, *, command: str) -> Runner:
    """Return a runner that knows the dataset; loading it takes some seconds, in which a bar is shown."""
    bar = bars.add_task("starting", total=None, now="")
    from clustering_platform.definitions import build_defs

    runner = Runner(settings, build_defs(settings), command=command)
    runner.register(dataset)
    bars.remove_task(bar)
    return runner


def told(outcomes: Sequence[Outcome], err: Console) -> bool:
    """Print what went wrong and tell whether nothing did."""
    for outcome in outcomes:
        for fault in outcome.faults:
            err.print(f"{outcome.job}: {fault}", style="red")
    if any(outcome.was_interrupted for outcome in outcomes):
        raise typer.Exit(130)
    return all(outcome.succeeded for outcome in outcomes)


def with_bar(
    bars: Progress, runner: Runner, job: str, start: Callable[[OnProgress], Outcome], *, steps: int | None = None
) -> Outcome:
    """Run a job, or so many `steps` of it, with a bar that shows how far it is and what it does."""
    task = bars.add_task(job, total=steps or len(runner.steps(job)), now="")
    work = bars.add_task("", total=None, now="", visible=False)

    def on_progress(step: Step) -> None:
        if step.standing:
            done, total = step.standing.done, step.standing.total
            bars.update(work, completed=done, total=total, now=step.standing.pace, visible=done < total)
        elif step.state == "started":
            bars.update(task, now=step.step)
        elif step.state == "ended":
            bars.advance(task)
        elif step.state == "log" and step.step:
            bars.update(task, now=f"{step.step}: {step.message}")
        elif step.state == "log":
            bars.console.print(step.message)

    outcome = start(on_progress)
    bars.remove_task(work)
    bars.update(task, now="done" if outcome.succeeded else "failed")
    return outcome


@contextlib.contextmanager
def on_terminal(out: Console) -> Iterator[Console]:
    """Yield a console on the terminal itself: Dagster sends standard output into a file while a step runs."""
    if not out.file.isatty():
        yield out
        return
    with os.fdopen(os.dup(out.file.fileno()), "w", encoding=out.encoding) as terminal:
        yield Console(file=terminal, markup=False, emoji=False, highlight=False)


def new_bars(out: Console) -> Progress:
    """Return the bars of a command."""
    return Progress(
        TextColumn("{task.description:>9}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}", markup=False),
        console=out,
    )
