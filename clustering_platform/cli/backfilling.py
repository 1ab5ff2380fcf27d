"""`clustering backfill`: the opinions of a range of days, then what changed from day to day."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, timedelta

from rich.console import Console
from rich.progress import Progress

from clustering_platform.cli.running import new_bars, on_terminal, started, told, with_bar
from clustering_platform.datasets import Dataset, DatasetError
from clustering_platform.orchestration.partitions import today
from clustering_platform.orchestration.runs import Outcome, Runner
from clustering_platform.settings import Settings
from clustering_platform.store.catalog import connect
from clustering_platform.store.commits import Commits
from clustering_platform.store.files import Files


def run_backfill(
    settings: Settings,
    dataset: Dataset,
    *,
    choose: Callable[[], Sequence[date]],
    force: bool,
    out: Console,
    err: Console,
) -> bool:
    """Make the snapshots of some days and tell whether all succeeded; a failed day stops no other.

    Parameters
    ----------
    choose
        Returns the days in calendar order; called when the votes were read.
    """
    dataset.config  # noqa: B018 - a fault in dataset.yaml is told before anything runs
    commits = Commits(Files(settings.warehouse))
    with on_terminal(out) as console, new_bars(console) as bars:
        runner = started(bars, settings, dataset, command="backfill")
        outcomes = [with_bar(bars, runner, "topics", lambda on: runner.run_topics(dataset, on_progress=on))]
        days = [] if outcomes[0].ingest_failed or outcomes[0].was_interrupted else choose()
        began = time.monotonic()
        made = list(_run_days(runner, dataset, days, bars, force=force))
        seconds = time.monotonic() - began
        outcomes += made
        if made and not made[-1].was_interrupted:
            outcomes.append(with_bar(bars, runner, "drift", lambda on: runner.run_drift(dataset, on_progress=on)))
    if made:
        published = {commit.run_id for commit in commits.log(dataset.name)}
        counts = Counter(_became(outcome, published) for outcome in made)
        told_counts = ", ".join(f"{counts[what]} {what}" for what in ("published", "unchanged", "failed"))
        out.print(f"{len(days)} days from {days[0]} to {days[-1]}: {told_counts}; {seconds / len(made):.1f} s a day")
    return told(outcomes, err)


def _became(outcome: Outcome, published: Collection[str]) -> str:
    if not outcome.succeeded:
        return "failed"
    return "published" if outcome.run_id in published else "unchanged"


def _run_days(
    runner: Runner, dataset: Dataset, days: Sequence[date], bars: Progress, *, force: bool
) -> Iterator[Outcome]:
    bar = bars.add_task("opinions", total=len(days), now="")
    for day in days:
        bars.update(bar, now=str(day))
        outcome = runner.run_opinions(dataset, day=day, force=force)
        yield outcome
        if outcome.was_interrupted:
            return
        bars.advance(bar)
    bars.update(bar, now="done")


def days_between(settings: Settings, dataset: Dataset, first: date | None, last: date | None) -> list[date]:
    """Return the days of a range, by default those with votes between them, as far as they lie on the day axis.

    Raises
    ------
    DatasetError
        There are no votes, or a day that was asked for lies outside the axis.
    """
    for day in (first, last):
        if day and not settings.start_day <= day <= today():
            raise DatasetError(
                f"{day}: the days are {settings.start_day} (CLUSTERING_START_DAY) to {today()}, today in UTC"
            )
    if not (first and last):
        first_vote, last_vote = _days_of_votes(settings, dataset)
        first = first or min(max(first_vote, settings.start_day), last or today())
        last = last or max(last_vote, first)
    if first > last:
        raise DatasetError(f"from {first} to {last}: the first day comes after the last")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _days_of_votes(settings: Settings, dataset: Dataset) -> tuple[date, date]:
    query = "SELECT min(voted_at)::DATE, max(voted_at)::DATE FROM votes WHERE dataset = $dataset"
    with connect(settings.catalog) as catalog:
        ((first, last),) = catalog.execute(query, {"dataset": dataset.name}).fetchall()
    if first is None:
        raise DatasetError(f"{dataset.name}: no votes were read, so there are no days to make")
    return first, min(last, today())
