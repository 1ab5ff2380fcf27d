"""Dagster's own state: where it lies and how it is opened.

``dagster.yaml`` names the classes below, so that webserver, daemon, run workers and command line agree on one place:
SQLite under the data folder, or the PostgreSQL database of ``CLUSTERING_POSTGRES_URL``.
"""

import os
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from filelock import FileLock

from clustering_platform.settings import Settings


class PlatformStorage(DagsterStorage, ConfigurableClass):
    """Runs, events and schedules, in SQLite or PostgreSQL."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return no settings: the place is found by itself."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Any:
        """Open the storage that the environment asks for."""
        settings = Settings()
        if settings.postgres_url:
            from dagster_postgres import DagsterPostgresStorage

            url = postgres_url(settings.postgres_url.get_secret_value())
            return DagsterPostgresStorage(url, should_autocreate_tables=True, inst_data=inst_data)
        from clustering_platform.orchestration.sqlite_storage import FastSqliteStorage

        settings.dagster.mkdir(parents=True, exist_ok=True)
        # A fresh SQLite store opened by several processes at once stays broken: one at a time.
        with FileLock(settings.dagster / ".initialise.lock"):
            return FastSqliteStorage(str(settings.dagster), inst_data=inst_data)


class PlatformArtifacts(LocalArtifactStorage):
    """Files that Dagster keeps beside its database."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return no settings: the place is found by itself."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Any:
        """Open the folder of this process's settings."""
        return cls(str(Settings().dagster), inst_data=inst_data)


class PlatformComputeLogs(LocalComputeLogManager):
    """What run workers print."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return no settings: the place is found by itself."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Any:
        """Open the folder of this process's settings."""
        return cls(str(Settings().dagster / "logs"), inst_data=inst_data)


def postgres_url(url: str) -> str:
    """Return a PostgreSQL URL that names the psycopg2 driver, whatever scheme it was given with."""
    for scheme in ("postgresql://", "postgres://", "postgresql+psycopg://"):
        if url.startswith(scheme):
            return "postgresql+psycopg2://" + url.removeprefix(scheme)
    return url


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Open the instance that the Dagster UI of this project shows.

    Raises
    ------
    FileNotFoundError
        There is no ``dagster.yaml`` in the project folder.
    """
    settings.check_home()
    os.environ["DAGSTER_HOME"] = str(settings.home)
    return dg.DagsterInstance.get()
