"""Running jobs from the command line, on the instance that the Dagster UI shows."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import dagster as dg

from clustering_platform.datasets import Dataset, DatasetError
from clustering_platform.orchestration.assets.sources import observe
from clustering_platform.orchestration.executing import execute, execute_from_failure
from clustering_platform.orchestration.faults import INTERRUPTED, Fault, faults_of
from clustering_platform.orchestration.instance import open_instance
from clustering_platform.orchestration.jobs import (
    DRIFT_JOB,
    GROUP_NAMES_JOB,
    NAMES_JOB,
    OPINIONS_JOB,
    RECOMMEND_JOB,
    TOPICS_JOB,
    run_tags,
)
from clustering_platform.orchestration.partitions import DATASETS_NAME, Slice, today
from clustering_platform.orchestration.progress import Standing, watched
from clustering_platform.orchestration.recipes import FORCE_TAG, NAMES_TAG, REFIT_TAG
from clustering_platform.orchestration.run_history import RunHistory
from clustering_platform.orchestration.run_rows import COMMAND_TAG
from clustering_platform.orchestration.schedules import has_votes
from clustering_platform.settings import Settings
from clustering_platform.tables import TABLES


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    job: str
    run_id: str
    faults: tuple[Fault, ...]

    @property
    def succeeded(self) -> bool:
        """Whether nothing went wrong."""
        return not self.faults

    @property
    def was_interrupted(self) -> bool:
        """Whether somebody ended it before its time."""
        return any(fault.message == INTERRUPTED for fault in self.faults)

    @property
    def ingest_failed(self) -> bool:
        """Whether the input itself could not be read or was refused."""
        return any(fault.where in _INGEST for fault in self.faults)


@dataclass(frozen=True)
class Progress:
    """One thing that happened in a run: an asset step that started or ended, a line of its log, or work under way."""

    step: str
    state: str
    message: str = ""
    standing: Standing | None = None


OnProgress = Callable[[Progress], None]
_POLL_SECONDS = 0.3
_INGEST = {"ingest", *(table.name for table in TABLES.values() if table.room == "ingest")}


class Runner:
    """Runs the jobs of a dataset in this process, for a command of ours."""

    def __init__(self, settings: Settings, definitions: dg.Definitions, *, command: str) -> None:
        self.command = command
        self.instance = open_instance(settings)
        self.definitions = definitions
        self.history = RunHistory(self.instance, settings)

    def register(self, dataset: Dataset) -> None:
        """Make a dataset known to Dagster, with its files and settings as they are now.

        Raises
        ------
        DatasetError
            It is archived.
        """
        if dataset.config.archived:
            raise DatasetError(
                f"{dataset.name} is archived; to run it again, take `archived: true` out of its settings"
            )
        self.instance.add_dynamic_partitions(DATASETS_NAME, [dataset.name])
        for observation in observe(dataset):
            self.instance.report_runless_asset_event(observation)

    def run_topics(
        self, dataset: Dataset, *, force: bool = False, refit: bool = False, on_progress: OnProgress | None = None
    ) -> Outcome:
        """Read the dataset, find its topics and publish its tables."""
        return self._run(TOPICS_JOB, Slice(dataset.name), _wishes(force, refit), on_progress)

    def run_opinions(
        self, dataset: Dataset, *, day: date | None = None, force: bool = False, on_progress: OnProgress | None = None
    ) -> Outcome:
        """Make the opinion snapshot of a day, by default today, and publish it."""
        return self._run(OPINIONS_JOB, Slice(dataset.name, day or today()), _wishes(force), on_progress)

    def run_drift(self, dataset: Dataset, *, on_progress: OnProgress | None = None) -> Outcome:
        """Compare all published days and publish what changed from day to day."""
        return self._run(DRIFT_JOB, Slice(dataset.name), _wishes(False), on_progress)

    def run_recommendation(self, dataset: Dataset, *, on_progress: OnProgress | None = None) -> Outcome:
        """Compare strategies of topics on the vectors that were made last."""
        return self._run(RECOMMEND_JOB, Slice(dataset.name), _wishes(False), on_progress)

    def run_names(self, dataset: Dataset, *, on_progress: OnProgress | None = None) -> Outcome:
        """Ask a language model for the names of topics that have none from it yet."""
        return self._run(NAMES_JOB, Slice(dataset.name), {NAMES_TAG: "true"}, on_progress)

    def run_group_names(self, dataset: Dataset, day: date, *, on_progress: OnProgress | None = None) -> Outcome:
        """Ask a language model for the names of the groups of a day."""
        return self._run(GROUP_NAMES_JOB, Slice(dataset.name, day), {NAMES_TAG: "true"}, on_progress)

    def resume(self, run: dg.DagsterRun, *, on_progress: OnProgress | None = None) -> Outcome:
        """Do what a failed or cancelled run left undone."""
        run_id, job = str(uuid.uuid4()), self.definitions.resolve_job_def(run.job_name)
        with _reported(self.instance, run_id, on_progress):
            result = execute_from_failure(self.instance, job, run, run_id=run_id)
        self.history.catch_up()
        return Outcome(run.job_name, run_id, tuple(faults_of(result)))

    def steps(self, job: str) -> list[str]:
        """Return the names of the asset steps of a job, in the order in which they run."""
        graph = self.definitions.resolve_job_def(job).graph
        return [node.name for node in graph.nodes_in_topological_order]

    def has_votes(self, dataset: Dataset) -> bool:
        """Tell whether votes of a dataset were read and there are any."""
        return has_votes(self.instance, dataset.name)

    def _run(self, job: str, part: Slice, wishes: dict[str, str], on_progress: OnProgress | None) -> Outcome:
        run_id = str(uuid.uuid4())
        with _reported(self.instance, run_id, on_progress):
            result = execute(
                self.instance,
                self.definitions.resolve_job_def(job),
                part,
                run_id=run_id,
                tags=run_tags(part) | wishes | {COMMAND_TAG: f"clustering {self.command}"},
            )
        self.history.catch_up()
        return Outcome(job, run_id, tuple(faults_of(result)))


def _wishes(force: bool, refit: bool = False) -> dict[str, str]:
    wanted = {FORCE_TAG: force, REFIT_TAG: refit}
    return {tag: "true" for tag, is_wanted in wanted.items() if is_wanted}


@contextlib.contextmanager
def _reported(instance: dg.DagsterInstance, run_id: str, on_progress: OnProgress | None) -> Iterator[None]:
    """Tell `on_progress` what happens in a run, as it is written to the event log, until the block ends."""
    if on_progress is None:
        yield
        return
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(instance, run_id, on_progress, ended), daemon=True)
    watcher.start()
    try:
        with watched(lambda standing: on_progress(Progress("", "working", standing=standing))):
            yield
    finally:
        ended.set()
        watcher.join()


def _watch(instance: dg.DagsterInstance, run_id: str, on_progress: OnProgress, ended: threading.Event) -> None:
    cursor = None
    while True:
        last_look = ended.wait(_POLL_SECONDS)
        page = instance.get_records_for_run(run_id, cursor=cursor)
        cursor = page.cursor
        for record in page.records:
            if progress := _progress(record.event_log_entry):
                on_progress(progress)
        if last_look:
            return


def _progress(entry: dg.EventLogEntry) -> Progress | None:
    step = entry.step_key or ""
    if entry.dagster_event is None:
        return Progress(step, "log", entry.user_message)
    state = {
        dg.DagsterEventType.STEP_START: "started",
        dg.DagsterEventType.STEP_SUCCESS: "ended",
        dg.DagsterEventType.STEP_FAILURE: "failed",
    }.get(entry.dagster_event.event_type)
    return Progress(step, state) if state else None
