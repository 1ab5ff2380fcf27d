"""The warehouse as Dagster sees it: a resource that holds the dataset's lock, and that finds its tables."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import dagster as dg
from pydantic import Field, PrivateAttr

from clustering_platform.datasets import Dataset, DatasetError, find_dataset
from clustering_platform.orchestration.partitions import PARTITION_TAG, Slice
from clustering_platform.orchestration.run_history import RunHistory
from clustering_platform.settings import Settings
from clustering_platform.store.alive import sign_of_life
from clustering_platform.store.commits import Commits
from clustering_platform.store.curation import Curation, Decision
from clustering_platform.store.errors import StoreError
from clustering_platform.store.files import Files, StoredFile
from clustering_platform.store.locks import dataset_lock
from clustering_platform.tables import TABLES

PATH_KEY = "path"
UNCHANGED_KEY = "unchanged since commit"
"""Metadata of a materialization that computed nothing."""


class Warehouse(dg.ConfigurableIOManager):
    """The tables under a data folder.

    From the set-up of this resource to its teardown, a run holds the lock of its dataset and one that says that its
    process is alive. Assets write through it, return ``MaterializeResult`` and read what it finds: what this run wrote,
    else what the run it re-executes wrote, else what was materialized last.
    """

    data_folder: str = Field(description="Folder under which everything is stored.")
    lock_timeout: float = Field(default=3600.0, description="Seconds to wait while another run holds the dataset.")

    _held: contextlib.ExitStack = PrivateAttr(default_factory=contextlib.ExitStack)
    _base_sequence: int = PrivateAttr(default=0)
    _last_decision: int | None = PrivateAttr(default=None)
    _settings: Settings | None = PrivateAttr(default=None)
    _newest: dict[tuple[str, Slice], dg.AssetMaterialization | None] = PrivateAttr(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """The settings of this process, for this data folder."""
        self._settings = self._settings or Settings(data=Path(self.data_folder))
        return self._settings

    @property
    def files(self) -> Files:
        """The files of the warehouse."""
        return Files(self.settings.warehouse)

    @property
    def commits(self) -> Commits:
        """The commits of the warehouse."""
        return Commits(self.files)

    @property
    def base_sequence(self) -> int:
        """Number of the newest commit of the dataset when this run got its lock."""
        return self._base_sequence

    def decisions(self, dataset: str) -> list[Decision]:
        """Return what people decided about topics up to when this run got its lock: the same for all its steps."""
        return Curation(self.files.root).read(dataset, self._last_decision)

    def dataset(self, name: str) -> Dataset:
        """Return a dataset of the inbox, or fail for good if there is none of that name."""
        return find_dataset(self.settings.inbox, name)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Give a sign of life, then take the lock of the dataset that the run is about."""
        key = context.run.tags.get(PARTITION_TAG) if context.run else None
        if not key or not context.run or not context.instance:
            return
        try:
            dataset = Slice.from_key(key).dataset
        except DatasetError:
            return  # the first step says what is wrong with the name, and that no other try mends it
        database = self.settings.lock_database
        self._newest.clear()
        history = RunHistory(context.instance, self.settings)
        history.prepare(context.run)
        with contextlib.ExitStack() as held:
            held.enter_context(sign_of_life(self.files.root, context.run.run_id, database=database))
            held.enter_context(
                dataset_lock(
                    self.files.root,
                    dataset,
                    holder=f"run {context.run.run_id}",
                    timeout=self.lock_timeout,
                    on_wait=context.log.info if context.log else None,
                    database=database,
                )
            )
            self._base_sequence = self.commits.last_sequence(dataset)
            self._last_decision = Curation(self.files.root).last_sequence(dataset)
            history.begin(context.run.run_id)
            self._held = held.pop_all()

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Give the lock back."""
        self._held.close()

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Refuse: assets write their tables themselves and return ``MaterializeResult``."""
        raise TypeError(f"{context.asset_key.to_user_string()} returned a value; return MaterializeResult")

    def load_input(self, context: dg.InputContext) -> None:
        """Refuse: tables are dependencies, and assets read them by ``Recipes.open``."""
        raise TypeError(f"{context.asset_key.to_user_string()} is an input; make it a dependency")

    def locate(self, table: str, part: Slice, run: dg.DagsterRun, instance: dg.DagsterInstance) -> StoredFile:
        """Return the file of a table that a run is to read.

        Raises
        ------
        StoreError
            The table was never materialized for this slice.
        """
        for run_id in ancestry(run, instance):
            if file := self.files.find(table, part.dataset, part.day, run_id):
                return file
        if event := self.newest(table, part, instance):
            return self.files.describe(cast("str", event.metadata[PATH_KEY].value))
        job = {"dataset": "topics", "day": "opinions", "days": "drift"}[TABLES[table].scope]
        raise StoreError(f"table {table!r} of {part} is not there yet; run the job {job!r} for it first")

    def newest(self, table: str, part: Slice, instance: dg.DagsterInstance) -> dg.AssetMaterialization | None:
        """Return the newest materialization of a table, looked up once: no other run makes one meanwhile."""
        if (table, part) not in self._newest:
            self._newest[table, part] = newest_materialization(instance, table, part)
        return self._newest[table, part]

    def forget(self, table: str, part: Slice) -> None:
        """Have a table looked up once more: the run is about to materialize it."""
        self._newest.pop((table, part), None)


def newest_materialization(instance: dg.DagsterInstance, table: str, part: Slice) -> dg.AssetMaterialization | None:
    """Return the newest materialization of a table for a slice, by whichever run, or None."""
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=dg.AssetKey(table), asset_partitions=[part.key]), limit=1
    ).records
    return records[0].asset_materialization if records else None


def ancestry(run: dg.DagsterRun, instance: dg.DagsterInstance) -> Iterator[str]:
    """Yield the id of a run, of the run that it re-executes, and so on."""
    current: dg.DagsterRun | None = run
    while current:
        yield current.run_id
        current = instance.get_run_by_id(current.parent_run_id) if current.parent_run_id else None
