"""One run of a day's opinions over a stored set: from the log on disk to the commit, every step timed.

The steps are the assets of the platform, in their order, each called as Dagster would call it: what it takes is named
by its parameters, what it returns is written by the store. Tables pass from one asset to the next in memory and are
let go when no later one takes them; what reading them back between assets costs is measured apart.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from clustering_platform.datasets import DatasetConfig
from clustering_platform.store.files import Files, StoredFile
from clustering_platform.tables import TABLES
from clustering_platform_tests.benchmarks.measure import Meter
from clustering_platform_tests.benchmarks.stored import DATASET, DAY, StoredSet

if TYPE_CHECKING:
    from clustering_platform.orchestration.table_assets import TableAsset

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
"""The tables from votes to groups and what stands for them; assets that make others are timed apart."""


class NotTakenError(RuntimeError):
    """A figure cannot be had; the message says why."""


@dataclass
class Timed:
    """What one run took, and what it found.

    `seconds`, `cpu` and `megabytes` are those of the core; `steps` the seconds of each step of it, in order, with
    reading and writing; `beyond` those of the other assets, writing included; `reading_back` what it takes to read
    what each asset takes from the files of the asset before, as Dagster does.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    megabytes: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    beyond: dict[str, float] = field(default_factory=dict)
    reading_back: float = 0.0


@dataclass
class StandIn:
    """What an asset asks of its run, without Dagster."""

    config: DatasetConfig = field(default_factory=DatasetConfig)
    metadata: dict[str, Any] = field(default_factory=dict)
    day: Any = DAY
    dataset: Any = None
    title: str = DATASET

    def __post_init__(self) -> None:
        self.dataset = self


def run_stored(chosen: StoredSet, *, is_increment: bool = False) -> tuple[Timed, dict[str, pa.Table]]:
    """Run the core, then the rest, over a stored set, and return the times and the tables of the core.

    With `is_increment` the matrix of the older votes is there already and its increment is merged into it.
    """
    core, rest = assets()
    timed = Timed()
    with tempfile.TemporaryDirectory() as folder, _without_pictures():
        day = Day(chosen, Files(Path(folder)), StandIn())
        if is_increment:
            day.remember_older_votes()
        kept: dict[str, pa.Table] = {}
        with Meter() as meter:
            for position, asset in enumerate(core):
                needed = {name for later in (*core[position + 1 :], *rest) for name in later.inputs}
                for step, seconds in day.run(asset):
                    timed.steps[step] = timed.steps.get(step, 0.0) + seconds
                kept |= {name: day.tables[name] for name in ("voter_groups", "groupings") if name in asset.tables}
                day.keep(needed)
            with _clock(timed.steps, "commit"):
                day.commit()
        timed.seconds, timed.cpu, timed.megabytes = meter.seconds, meter.cpu, meter.megabytes
        timed.reading_back = day.read_back(core)
        for asset in rest:
            timed.beyond[asset.function.__name__] = sum(seconds for _, seconds in day.run(asset))
    return timed, kept


def assets() -> tuple[list[TableAsset], list[TableAsset]]:
    """Return the assets of a day that make tables of the core, and the others, each after those it takes from."""
    from clustering_platform.orchestration.assets.opinions import OPINION_ASSETS

    made, ordered, left = set[str](), list[Any](), list(OPINION_ASSETS)
    of_day = {name for asset in left for name in asset.tables}
    while left:
        ready = next(asset for asset in left if set(asset.inputs) & of_day <= made)
        left.remove(ready)
        ordered.append(ready)
        made |= set(ready.tables)
    return (
        [asset for asset in ordered if CORE & set(asset.tables)],
        [asset for asset in ordered if not CORE & set(asset.tables)],
    )


class Day:
    """The tables of a day in the making: those at hand, and the files of those written."""

    def __init__(self, chosen: StoredSet, files: Files, run: StandIn) -> None:
        self.chosen, self.files, self.run_ = chosen, files, run
        self.tables: dict[str, pa.Table] = {}
        self.written: dict[str, StoredFile] = {}

    def run(self, asset: TableAsset) -> Iterator[tuple[str, float]]:
        """Read what an asset takes and is not at hand, compute it, write it; yield each step and its seconds."""
        for name in asset.inputs:
            if name not in self.tables:
                started = time.perf_counter()
                self.tables[name] = self._read(name)
                yield f"read {name}", time.perf_counter() - started
        started = time.perf_counter()
        made = asset.function(self.run_, **{name: self.tables[name] for name in asset.inputs})
        yield asset.function.__name__, time.perf_counter() - started
        self.tables |= dict(zip(asset.tables, made if isinstance(made, tuple) else (made,), strict=True))
        started = time.perf_counter()
        for name in asset.tables:
            self.written[name] = self.files.write(
                self.tables[name], TABLES[name], dataset=DATASET, day=DAY, run_id="run", inputs={}
            )
        yield "writing", time.perf_counter() - started

    def _read(self, name: str) -> pa.Table:
        if name in self.written:
            return self.files.read(self.written[name])
        return self.chosen.files.read(self.chosen.find(name))

    def keep(self, needed: set[str]) -> None:
        """Let go of the tables that are not `needed` any more."""
        self.tables = {name: table for name, table in self.tables.items() if name in needed}

    def read_back(self, read: list[TableAsset]) -> float:
        """Return the seconds it takes to read from files what each asset takes from the others."""
        seconds = dict[str, float]()
        for name, file in self.written.items():
            with _clock(seconds, name):
                self.files.read(file)
        return sum(seconds.get(name, 0.0) for asset in read for name in asset.inputs)

    def commit(self) -> None:
        """Publish what was written."""
        from clustering_platform.store.commits import Commit, Commits, committed

        Commits(self.files).publish(
            Commit(
                dataset=DATASET,
                day=DAY,
                sequence=1,
                status="ready",
                run_id="run",
                fingerprint="",
                code_version="",
                tables=committed(self.written),
            )
        )

    def remember_older_votes(self) -> None:
        """Hand the stored matrix of the votes before the increment to the asset that can go on from it.

        This is the one place to adapt when `vote_matrix` learns to: make the matrix of the first ``older_votes`` rows
        of the log, write it, and let `StandIn` offer it as the run of the platform does.

        Raises
        ------
        NotTakenError
            The matrix is made from the whole log every time.
        """
        raise NotTakenError("the matrix is made from the whole log every time")


@contextlib.contextmanager
def _clock(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - started


@contextlib.contextmanager
def _without_pictures() -> Iterator[None]:
    """Leave out the pictures of the web interface, which are no part of the results."""
    from clustering_platform.orchestration import pictures

    drawn = pictures.opinion_map
    pictures.opinion_map = lambda *_, **__: None  # type: ignore[assignment]
    try:
        yield
    finally:
        pictures.opinion_map = drawn
