"""A whole platform in a temporary folder, with a small conversation and an embedder that needs no model."""

from __future__ import annotations

import csv
import functools
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
from dagster._core.instance import InstanceType
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.run_coordinator import DefaultRunCoordinator
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage

from clustering_platform.datasets import Dataset
from clustering_platform.definitions import build_defs
from clustering_platform.orchestration.embedders import Embedders
from clustering_platform.orchestration.partitions import DATASETS_NAME, Slice
from clustering_platform.orchestration.sqlite_storage import FastSqliteStorage
from clustering_platform.orchestration.warehouse import Warehouse
from clustering_platform.settings import Settings
from clustering_platform.store.catalog import rebuild_catalog
from clustering_platform.store.commits import Commit, Commits
from clustering_platform.store.files import Files
from clustering_platform.topics_config import EmbeddingConfig

DAY = date(2026, 3, 31)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
STATE = "dagster"
FIRST_VOTE = datetime(2026, 3, 1, tzinfo=UTC)


class WordEmbedder(AbstractContextManager["WordEmbedder"]):
    """Vectors from hashed words: texts that share words lie close together."""

    model = "words"

    def embed(self, texts: list[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return one row of length one for each text."""
        rows = [sum((_direction(word) for word in text.lower().split()), np.zeros(32)) for text in texts]
        matrix = np.array(rows, dtype=np.float32)
        return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)

    def __exit__(self, *error: object) -> None:
        """Release nothing."""


class WordEmbedders(Embedders):
    """Gives every dataset the same `WordEmbedder`."""

    def create(self, config: EmbeddingConfig) -> AbstractContextManager[Any]:
        """Return the embedder."""
        return WordEmbedder()


class Platform:
    """The definitions on one instance and one data folder."""

    def __init__(
        self,
        folder: Path,
        instance: dg.DagsterInstance,
        *,
        lock_timeout: float = 60,
        embedders: Embedders | None = None,
    ) -> None:
        self.settings = Settings(home=folder, data=folder / "data")
        self.instance = instance
        self.embedders = embedders or WordEmbedders()
        warehouse = Warehouse(data_folder=str(self.settings.data_folder), lock_timeout=lock_timeout)
        overrides = {"embedders": self.embedders, "warehouse": warehouse}
        self.definitions = build_defs(self.settings, resource_overrides=overrides)
        self.commits = Commits(Files(self.settings.warehouse))

    def dataset(self, name: str = "talk") -> Dataset:
        """Return a dataset of the inbox, known to Dagster."""
        folder = self.settings.inbox / name
        folder.mkdir(parents=True, exist_ok=True)
        self.instance.add_dynamic_partitions(DATASETS_NAME, [name])
        return Dataset(name, folder)

    def run(self, job: str, key: str, **options: Any) -> dg.ExecuteInProcessResult:
        """Run a job on one partition."""
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, partition_key=key, run_config=QUIET, raise_on_error=False, **options
        )

    def publish(self, name: str = "talk", day: date = DAY) -> list[dg.ExecuteInProcessResult]:
        """Run both jobs."""
        return [self.run("topics", name), self.run("opinions", Slice(name, day).key)]

    def log(self, name: str = "talk") -> list[Commit]:
        """Return the commits of a dataset, newest first."""
        return list(self.commits.log(name))

    @contextmanager
    def copied(self, folder: Path) -> Iterator[Platform]:
        """Yield a platform in another folder on which everything happened that happened on this one."""
        no_shared_memory = shutil.ignore_patterns("*-shm")  # SQLite makes it anew
        shutil.copytree(self.settings.home, folder, dirs_exist_ok=True, ignore=no_shared_memory)
        with _opened(folder / STATE) as instance:
            copy = Platform(folder, instance, embedders=self.embedders)
            if copy.settings.catalog.exists():
                rebuild_catalog(copy.commits, copy.settings.catalog)  # its paths are absolute
            yield copy


@contextmanager
def new_platform(folder: Path, **options: Any) -> Iterator[Platform]:
    """Yield a platform in a folder; Dagster keeps its state in SQLite, as it does where people use it."""
    shutil.copytree(_empty_state().name, folder / STATE)
    with _opened(folder / STATE) as instance:
        yield Platform(folder, instance, **options)


def materialized(result: dg.ExecuteInProcessResult, table: str) -> dict[str, object]:
    """Return the metadata of a materialization of a run."""
    return {
        name: value.value
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(table)
        for name, value in event.materialization.metadata.items()
    }


def write_conversation(folder: Path, *, voters: int = 80, items: int = 24, bad_rows: int = 0, extra: int = 0) -> None:
    """Write a conversation of two groups that disagree on every second item; `extra` voters come one day later."""
    with (folder / "items.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows((f"s{item}", _text(item)) for item in range(items))
    with (folder / "votes.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["voter_id", "item_id", "vote", "voted_at"])
        for voter in range(voters + extra):
            day = 31 if voter >= voters else voter % 28
            for item in range(items):
                if (voter * 7 + item * 3) % 4:
                    time = FIRST_VOTE + timedelta(days=day, seconds=voter * 100 + item)
                    writer.writerow([f"v{voter}", f"s{item}", _vote(voter, item), time.isoformat()])
        writer.writerows([f"v{row}", "s0", "perhaps", FIRST_VOTE.isoformat()] for row in range(bad_rows))


@functools.cache
def _empty_state() -> tempfile.TemporaryDirectory[str]:
    """Return a state of Dagster in which nothing has happened: to make one takes as long as a small run."""
    folder = tempfile.TemporaryDirectory()
    with _opened(Path(folder.name)):
        return folder


@contextmanager
def _opened(state: Path) -> Iterator[dg.DagsterInstance]:
    storage = FastSqliteStorage(str(state))
    with dg.DagsterInstance(
        instance_type=InstanceType.EPHEMERAL,
        local_artifact_storage=LocalArtifactStorage(str(state)),
        run_storage=storage.run_storage,
        event_storage=storage.event_log_storage,
        compute_log_manager=NoOpComputeLogManager(),
        run_coordinator=DefaultRunCoordinator(),
        run_launcher=SyncInMemoryRunLauncher(),
    ) as instance:
        yield instance
    storage.dispose()


def _vote(voter: int, item: int) -> int:
    leaning = 1 if voter % 3 else -1
    if (voter * 5 + item * 11) % 9 == 0:
        return 0
    return leaning if item % 2 else 1


def _text(item: int) -> str:
    subject = ("buses and trams", "the library roof", "old oak trees")[item % 3]
    return f"{subject} matter for reason number {item}"


def _direction(word: str) -> np.ndarray[Any, Any]:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "little")
    return np.random.default_rng(seed).normal(size=32)
