"""A process may die between any two system calls: what is published is the previous commit or the new one, whole."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from clustering_platform.store.catalog import rebuild_catalog
from clustering_platform.store.garbage import collect_garbage
from clustering_platform_tests.store.processes import in_fresh_process, messages, start
from clustering_platform_tests.store.versions import catalog_versions, committed_versions, log_of, publish_version

DIED = 137
ROWS = {"groups": 3, "voter_groups": 500}
CALLS = ("mkdir", "open", "fsync", "link", "unlink", "replace")


class Fate:
    """Lets a process die before the n-th of its calls; a write is half done by then."""

    def __init__(self, last: int) -> None:
        self.left = last

    def step(self, on_death: Callable[[], object] = lambda: None) -> None:
        self.left -= 1
        if self.left == 0:
            on_death()
            os._exit(DIED)

    def before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            self.step()
            return call(*arguments, **options)

        return wrapped

    def take_over(self) -> None:
        for name in CALLS:
            setattr(os, name, self.before(getattr(os, name)))
        fate, open_path = self, Path.open

        class File(io.FileIO):
            def write(self, data: Any) -> int:
                fate.step(lambda: super(File, self).write(bytes(data)[: len(data) // 2]))
                return super().write(data)

        def open_(path: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
            fate.step()
            if mode == "xb":
                return io.BufferedWriter(File(path, mode))
            return open_path(path, mode, *arguments, **options)

        Path.open = open_


def _publish_and_die(pipe: Connection, root: Path, last: int) -> None:
    Fate(last).take_over()
    publish_version(log_of(root), 2, rows=ROWS)
    pipe.send("published")


def _rebuild_and_die(pipe: Connection, root: Path, last: int) -> None:
    Fate(last).take_over()
    rebuild_catalog(log_of(root), root / "catalog.duckdb")


def deaths(function: Callable[..., None], prepared: Callable[[int], Path]) -> Iterator[tuple[Path, list[str]]]:
    """Let a process die before its first call, its second and so on until it lives; yield its folder and last words."""
    for last in itertools.count(1):
        root = prepared(last)
        process, pipe = start(function, root, last)
        words = messages(pipe)
        process.join()
        yield root, words
        if process.exitcode == 0:
            return
        assert process.exitcode == DIED


def _recover(root: Path) -> tuple[set[float], set[float], set[str]]:
    """Return the versions found, those found after the next run, and which files of ours collection then left."""
    found = committed_versions(root)
    commits = log_of(root)
    commit = publish_version(commits, 3, rows=ROWS)
    collect_garbage(commits, keep_commits=1, keep_hours=0)
    named = {table.path for table in commit.tables.values()} | {f"commits/talk/{commit.sequence:020d}.json"}
    left = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if not path.name.endswith(".lock") and path.is_file()
    }
    return found, committed_versions(root), left - named - {"locks/talk.json"}


@pytest.mark.parametrize("previous", [set(), {1.0}], ids=["first commit", "second commit"])
def test_death_before_any_call_leaves_the_previous_commit_or_the_new_one(tmp_path: Path, previous: set[float]) -> None:
    def prepared(number: int) -> Path:
        root = tmp_path / str(number)
        if previous:
            publish_version(log_of(root), 1, rows=ROWS)
        return root

    seen = []
    for root, words in deaths(_publish_and_die, prepared):
        found, after_next_run, leftovers = in_fresh_process(_recover, root)
        assert found in ([{2.0}] if words else [previous, {2.0}])
        assert after_next_run == {3.0}
        assert leftovers == set()
        seen.append((found == {2.0}, bool(words)))
    assert seen == sorted(seen), "who died later published no less"
    assert set(seen) == {(False, False), (True, False), (True, True)}
    assert len(seen) > 15


def test_death_while_the_catalog_is_made_leaves_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    def prepared(_: int) -> Path:
        catalog.unlink(missing_ok=True)
        rebuild_catalog(log_of_version_1, catalog)
        return tmp_path

    catalog = tmp_path / "catalog.duckdb"
    log_of_version_1 = log_of(tmp_path / "older")
    publish_version(log_of_version_1, 1)
    publish_version(log_of(tmp_path), 2)
    seen = [in_fresh_process(catalog_versions, catalog) for _ in deaths(_rebuild_and_die, prepared)]
    assert seen == sorted(seen, key=max)
    assert {frozenset(versions) for versions in seen} == {frozenset({1.0}), frozenset({2.0})}
    assert [path.name for path in tmp_path.glob(".catalog*")] == [".catalog.duckdb.lock"]
