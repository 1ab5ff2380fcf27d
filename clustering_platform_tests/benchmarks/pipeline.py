"""A day's opinions over a stored set, from the log on disk to the commit, every step timed.

The steps are the assets of the platform. Each is handled as Dagster would have it handled, but without Dagster: its
inputs are loaded by the warehouse, its function is called with a run of the platform, its tables are written by that
run, which commits them at the end. So a new asset is timed without being named here. Tables pass from one asset to
the next in memory and are let go when no later one of the core takes them; what it costs to read them back instead,
as Dagster does, is measured apart. Pictures for the web interface are left out.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from clustering_platform.tables import TABLES
from clustering_platform_tests.benchmarks.measure import Meter, let_go
from clustering_platform_tests.benchmarks.stored import DATASET, DAY, RUN, StoredSet

if TYPE_CHECKING:
    from clustering_platform.orchestration.table_assets import Run, TableAsset
    from clustering_platform.store.files import StoredFile

CORE = frozenset(
    {
        "vote_matrix",
        "voted_items",
        "opinion_space",
        "base_clusters",
        "groups",
        "groupings",
        "voter_groups",
        "voting_patterns",
        "representative_items",
        "consensus_items",
        "item_statistics",
        "opinion_snapshot",
    }
)
"""The tables from votes to groups and what stands for them; assets that make none of them are timed apart."""


@dataclass
class Timed:
    """What one day took.

    `seconds`, `cpu` and `megabytes` are those of the core; `steps` the seconds of each step of it, in order, with
    reading, writing and the commit; `beyond` those of the other assets, reading and writing included, and of the
    catalog; `reading_back` what it takes to read all that the assets of the core take from each other, and `checking`
    to check the contracts of all tables.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    megabytes: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    beyond: dict[str, float] = field(default_factory=dict)
    reading_back: float = 0.0
    checking: float = 0.0

    @property
    def whole(self) -> float:
        """Seconds of all assets of the day, and of the catalog."""
        return self.seconds + sum(self.beyond.values())


def run_stored(chosen: StoredSet, *, is_increment: bool = False) -> tuple[Timed, pa.Table]:
    """Make the last day of a stored set; return the times and its table `voter_groups`.

    With `is_increment` the day before, which has 99 % of the votes, is there already.
    """
    with tempfile.TemporaryDirectory(dir=chosen.root.parent) as folder, _without_pictures():
        shutil.copytree(chosen.root, folder, copy_function=os.link, dirs_exist_ok=True)
        _into_memory(Path(folder))
        (Path(folder) / "inbox" / DATASET).mkdir(parents=True)
        if is_increment:
            with _day(Path(folder), DAY - timedelta(days=1)) as before:
                before.make_all()
        with _day(Path(folder), DAY) as day:
            day.make_all()
            return day.timed(), day.load("voter_groups")


class Day:
    """The tables of a day in the making: those at hand, and the files of those written."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.meter = Meter()
        self.tables: dict[str, pa.Table] = {}
        self.files: dict[str, StoredFile] = {}
        self.steps: dict[str, float] = {}
        self.beyond: dict[str, float] = {}

    def make_all(self) -> None:
        """Make and commit all tables."""
        order = in_order()
        for position, asset in enumerate(order):
            if is_core(asset):
                with self.meter:
                    self._make(asset, self.steps, "writing", asset.function.__name__)
            else:
                name = asset.function.__name__
                self._make(asset, self.beyond, name, name, reading=name)
                let_go()
            needed = {name for later in order[position + 1 :] if is_core(later) for name in later.inputs}
            self.tables = {name: table for name, table in self.tables.items() if name in needed}
        with _without_catalog(), self.meter, _clock(self.steps, "commit"):
            self.run.publish()
        with _clock(self.beyond, "catalog"):
            self.run.refresh_catalog()

    def _make(self, asset: TableAsset, clock: dict[str, float], writing: str, making: str, reading: str = "") -> None:
        """Do with an asset what ``table_assets`` does, but for checks and what is shown of it."""
        inputs = {}
        for name, parameter in list(inspect.signature(asset.function).parameters.items())[1:]:
            is_whole = parameter.annotation in (pa.Table, "pa.Table")
            if not is_whole or name not in self.tables:
                with _clock(clock, reading or f"read {name}"):
                    inputs[name] = self.load(name, is_whole=is_whole)
            if is_whole:
                inputs[name] = self.tables[name] = inputs.get(name, self.tables.get(name))
        with _clock(clock, making):
            recipes = {name: self.run.recipe(name) for name in asset.tables}
            made = asset.function(self.run, **inputs)
        with _clock(clock, writing):
            sources = {name: self.run.file(name).content for name in asset.inputs}
            for name, table in zip(asset.tables, made if isinstance(made, tuple) else (made,), strict=True):
                self.tables[name] = table
                self.files[name] = self.run.write(name, table, sources, recipes[name])

    def load(self, name: str, *, is_whole: bool = True) -> Any:
        """Return a table as an asset gets it: whole, or as something to read it piece by piece."""
        table = self.run.open(name)
        return table.read() if is_whole else table

    def timed(self) -> Timed:
        """Return what was measured, and measure what can be measured afterwards."""
        from clustering_platform.orchestration.checks import violations

        reading, checking = dict[str, float](), dict[str, float]()
        for name in self.files:
            with _clock(reading, name):
                table = self.load(name)
            with _clock(checking, name):
                violations(table, TABLES[name])
        taken = [name for asset in in_order() if is_core(asset) for name in asset.inputs if name in reading]
        return Timed(
            seconds=self.meter.seconds,
            cpu=self.meter.cpu,
            megabytes=self.meter.megabytes,
            steps=self.steps,
            beyond=self.beyond,
            reading_back=sum(reading[name] for name in taken),
            checking=sum(checking.values()),
        )


def is_core(asset: TableAsset) -> bool:
    """Tell whether an asset makes tables of the core."""
    return not CORE.isdisjoint(asset.tables)


def in_order() -> Sequence[TableAsset]:
    """Return the assets of a day, each after those it takes tables from, those of the core as early as possible."""
    from clustering_platform.definitions import DAY_ASSETS

    left, ordered, made = list(DAY_ASSETS), list[Any](), set[str]()
    of_day = {name for asset in left for name in asset.tables}
    while left:
        ready = [asset for asset in left if set(asset.inputs) & of_day <= made]
        ordered.append(next((asset for asset in ready if is_core(asset)), ready[0]))
        left.remove(ordered[-1])
        made |= set(ordered[-1].tables)
    return ordered


def _into_memory(folder: Path) -> None:
    """Have the system read all files once, so that it is not the disk that is timed."""
    for path in folder.rglob("*.parquet"):
        with path.open("rb") as file:
            while file.read(2**24):
                pass


@contextlib.contextmanager
def _day(folder: Path, day: date) -> Iterator[Day]:
    """Hold the lock of the dataset as a run in Dagster would, and give what an asset may ask of its run."""
    import dagster as dg

    from clustering_platform.orchestration.jobs import OPINIONS_JOB
    from clustering_platform.orchestration.partitions import Slice
    from clustering_platform.orchestration.table_assets import Run
    from clustering_platform.orchestration.warehouse import Warehouse

    warehouse, part = Warehouse(data_folder=str(folder)), Slice(DATASET, day)
    run = dg.DagsterRun(job_name=OPINIONS_JOB, run_id=RUN, tags={"dagster/partition": part.key})
    instance = dg.DagsterInstance.ephemeral()
    instance.add_run(run)
    context: Any = SimpleNamespace(run=run, instance=instance, log=logging.getLogger(__name__))
    warehouse.setup_for_execution(context)
    try:
        yield Day(Run(warehouse, part, context, "day"))
    finally:
        warehouse.teardown_after_execution(context)


@contextlib.contextmanager
def _clock(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - started


@contextlib.contextmanager
def _without_catalog() -> Iterator[None]:
    from clustering_platform.orchestration import publication

    rebuild = publication.rebuild_catalog
    publication.rebuild_catalog = lambda *_, **__: None
    try:
        yield
    finally:
        publication.rebuild_catalog = rebuild


@contextlib.contextmanager
def _without_pictures() -> Iterator[None]:
    from clustering_platform.orchestration import pictures

    drawn = pictures.opinion_map
    pictures.opinion_map = lambda *_, **__: None  # type: ignore[assignment]
    try:
        yield
    finally:
        pictures.opinion_map = drawn
