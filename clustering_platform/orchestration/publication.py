"""What a run publishes, and whether there is anything new to publish."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import dagster as dg

from clustering_platform.datasets import Dataset, DatasetConfig
from clustering_platform.orchestration.partitions import Slice
from clustering_platform.orchestration.warehouse import Warehouse
from clustering_platform.store.catalog import rebuild_catalog
from clustering_platform.store.commits import Commit, RowAccounting, committed
from clustering_platform.store.files import StoredFile
from clustering_platform.tables import TABLES, Room

if TYPE_CHECKING:
    import pyarrow as pa

# Raise the number of a room when its results change with the same input and settings.
ROOM_VERSIONS: dict[Room, str] = {"ingest": "1", "opinions": "1", "topics": "1"}

FORCE_TAG = "clustering/force"
# The tables whose content is all that a day's results depend on, beside settings and code.
_DAY_INPUTS = ("vote_matrix", "voted_items")
_LAST_ASSETS = {"dataset": "topic_names", "day": "opinion_snapshot"}


@dataclass
class Publication:
    """A run on one slice: where it reads, where it writes, what it commits."""

    warehouse: Warehouse
    part: Slice
    context: dg.AssetExecutionContext

    @classmethod
    def of(cls, context: dg.AssetExecutionContext) -> Self:
        """Return the publication that an asset is part of."""
        return cls(context.resources.warehouse, Slice.from_key(context.partition_key), context)

    @property
    def log(self) -> Any:
        """The run's log in Dagster."""
        return self.context.log

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset of the run."""
        return self.warehouse.dataset(self.part.dataset)

    @property
    def config(self) -> DatasetConfig:
        """The settings of the dataset."""
        return self.dataset.config

    @property
    def scope(self) -> str:
        """`day` for an opinion snapshot, `dataset` otherwise."""
        return "day" if self.part.day else "dataset"

    @property
    def last_asset(self) -> str:
        """The asset that publishes the chain."""
        return _LAST_ASSETS[self.scope]

    @property
    def table_names(self) -> list[str]:
        """The tables that are committed together."""
        return [table.name for table in TABLES.values() if table.scope == self.scope]

    @property
    def code_version(self) -> str:
        """The versions of the rooms that take part."""
        rooms = sorted({TABLES[name].room for name in self.table_names})
        return " ".join(f"{room}-{ROOM_VERSIONS[room]}" for room in rooms)

    @property
    def config_hash(self) -> str:
        """Hash of the settings that take part."""
        sections = {"opinions"} if self.part.day else None
        return _hash(self.config.model_dump(mode="json", include=sections))

    def file(self, table: str) -> StoredFile:
        """Return the file of a table that this run is to read or publish."""
        return self.warehouse.locate(table, self.part, self.context.run, self.context.instance)

    def write(self, table: str, content: pa.Table, inputs: Mapping[str, str]) -> StoredFile:
        """Store a table under the id of this run."""
        return self.warehouse.files.write(
            content,
            TABLES[table],
            dataset=self.part.dataset,
            day=self.part.day,
            run_id=self.context.run.run_id,
            inputs=inputs,
        )

    def fingerprint(self) -> str:
        """Return a hash of input, settings and code version."""
        if self.part.day:
            source: Any = [self.file(name).content for name in _DAY_INPUTS]
        else:
            source = self.dataset.fingerprint()
        return _hash([source, self.config_hash, self.code_version])

    def unchanged_commit(self) -> Commit | None:
        """Return the newest commit of the slice if it was made from the same input, settings and code."""
        if self.context.run.tags.get(FORCE_TAG) == "true":
            return None
        newest = self.warehouse.commits.newest(self.part.dataset, self.part.day)
        return newest if newest and newest.fingerprint == self.fingerprint() else None

    def publish(self) -> dict[str, Any]:
        """Commit the tables of the slice, make the catalog anew and return what to show of it."""
        files = {name: self.file(name) for name in self.table_names}
        status, reason = self._status(files)
        commit = Commit(
            dataset=self.part.dataset,
            day=self.part.day,
            sequence=self.warehouse.base_sequence + 1,
            status=status,
            reason=reason,
            run_id=self.context.run.run_id,
            fingerprint=self.fingerprint(),
            config_hash=self.config_hash,
            code_version=self.code_version,
            tables=committed(files),
            rows=self._rows(files),
        )
        self.warehouse.commits.publish(commit)
        rebuild_catalog(self.warehouse.commits, self.warehouse.settings.catalog)
        self.log.info(f"published commit {commit.sequence} of {self.part}: {status}")
        return {"commit": commit.sequence, "status": reason or status}

    def _status(self, files: Mapping[str, StoredFile]) -> tuple[str, str | None]:
        if "opinion_snapshot" not in files:
            return "ready", None
        row = self.warehouse.files.read(files["opinion_snapshot"]).to_pylist()[0]
        return row["status"], row["reason"]

    def _rows(self, files: Mapping[str, StoredFile]) -> RowAccounting | None:
        if "ingest_report" not in files:
            return None
        report = self.warehouse.files.read(files["ingest_report"])
        counts = {name: sum(report[name].to_pylist()) for name in RowAccounting.model_fields}
        return RowAccounting(**counts)


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
