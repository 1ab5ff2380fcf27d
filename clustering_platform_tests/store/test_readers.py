"""Readers in other processes, while a writer publishes and swaps the catalog: no error, no mixture, no way back."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from clustering_platform.store.catalog import connect, rebuild_catalog
from clustering_platform_tests.store.processes import messages, start
from clustering_platform_tests.store.versions import (
    ask_versions,
    catalog_versions,
    committed_versions,
    log_of,
    publish_version,
)

LAST = 10


def _publish(pipe: Connection, root: Path) -> None:
    try:
        for version in range(2, LAST + 1):
            publish_version(log_of(root), version)
            rebuild_catalog(log_of(root), root / "catalog.duckdb")
    finally:
        (root / "end").touch()


def _read(pipe: Connection, root: Path, read: Callable[[], set[float]]) -> None:
    at_end = False
    while not at_end:
        at_end = (root / "end").exists()
        pipe.send(read())


def _read_catalog(pipe: Connection, root: Path) -> None:
    _read(pipe, root, lambda: catalog_versions(root / "catalog.duckdb"))


def _read_commits(pipe: Connection, root: Path) -> None:
    _read(pipe, root, lambda: committed_versions(root))


def _keep_open(pipe: Connection, root: Path) -> None:
    with connect(root / "catalog.duckdb") as connection:
        _read(pipe, root, lambda: ask_versions(connection))


def test_readers_see_one_version_at_a_time_and_never_an_older_one(tmp_path: Path) -> None:
    publish_version(log_of(tmp_path), 1)
    rebuild_catalog(log_of(tmp_path), tmp_path / "catalog.duckdb")
    readers = [start(read, tmp_path) for read in (_read_catalog, _read_commits, _keep_open)]
    first_words = [pipe.recv() for _, pipe in readers]
    assert first_words == [{1.0}] * 3
    writer, _ = start(_publish, tmp_path)
    by_catalog, by_commits, kept_open = (messages(pipe) for _, pipe in readers)
    for process in (writer, *(process for process, _ in readers)):
        process.join()
        assert process.exitcode == 0
    for seen in (by_catalog, by_commits):
        assert {len(versions) for versions in seen} == {1}
        numbers = [version for versions in seen for version in versions]
        assert numbers == sorted(numbers)
        assert numbers[-1] == LAST
        assert len(set(numbers)) > 2, "the readers met the writer at work"
    assert all(versions == {1.0} for versions in kept_open)
    assert len(kept_open) > 3
