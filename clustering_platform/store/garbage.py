"""Garbage collection: removes what no reader may still hold.

A commit goes when it is not among the newest of its day (or of its dataset) and was superseded long ago; a file goes
when no commit that stays names it and it was written long ago. Nothing of a dataset goes while a run holds its lock:
the run may be about to publish files that it found. Decisions of people (``curation``) never go, nor do runs: many
recordings of them become one file.
"""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from clustering_platform.store.commits import Commits
from clustering_platform.store.locks import LockBusyError, dataset_lock
from clustering_platform.store.run_records import RunRecords


@dataclass(frozen=True)
class Collected:
    """What a collection removed, and the datasets it left alone because they are being computed."""

    commits: int
    files: int
    bytes: int
    busy: tuple[str, ...]


def collect_garbage(
    commits: Commits, *, keep_commits: int = 3, keep_hours: float = 24, database: str | None = None
) -> Collected:
    """Remove old commits, then the files that no commit names.

    The newest commit of every day and of every dataset stays, whatever its age.

    Parameters
    ----------
    keep_commits
        Newest commits of each day, and of each dataset as a whole and over its days, that stay; at least one.
    keep_hours
        Files younger than this stay, and so do commits that had no successor this long ago.
    database
        URL of the PostgreSQL database by which runs on other machines hold their datasets.
    """
    root, before = commits.files.root, time.time() - keep_hours * 3600
    removed: list[Path] = []
    garbage: list[int] = []
    busy = []
    folders = (path.name for pattern in ("files/*/*", "curation/*") for path in root.glob(pattern))
    for dataset in sorted({*commits.datasets(), *folders}):
        try:
            with dataset_lock(root, dataset, holder="garbage collection", timeout=0, database=database):
                removed += _remove_commits(commits, dataset, max(1, keep_commits), before)
                garbage += _remove_files(commits, dataset, before)
        except LockBusyError:
            busy.append(dataset)
    garbage += RunRecords(root).collect(keep_hours=keep_hours)
    return Collected(commits=len(removed), files=len(garbage), bytes=sum(garbage), busy=tuple(busy))


def _remove_commits(commits: Commits, dataset: str, keep: int, before: float) -> list[Path]:
    """Remove commits of a dataset, oldest first, and return them."""
    seen: Counter[tuple[object, ...]] = Counter()
    superseded: dict[tuple[object, ...], float] = {}
    old = []
    for commit in commits.log(dataset):
        path, part = commits.path(dataset, commit.sequence), (commit.scope, commit.day)
        if seen[part] >= keep and superseded[part] < before:
            old.append(path)
        seen[part] += 1
        superseded[part] = path.stat().st_mtime
    for path in reversed(old):
        path.unlink()
    return old


def _remove_files(commits: Commits, dataset: str, before: float) -> list[int]:
    """Remove files of a dataset that no commit names, and what killed writers left; return their sizes."""
    root = commits.files.root
    named = {root / table.path for commit in commits.log(dataset) for table in commit.tables.values()}
    parts = (path for folder in ("commits", "curation") for path in (root / folder / dataset).glob("*.part"))
    files = (path for path in root.glob(f"files/*/{dataset}/**/*") if path.suffix in (".parquet", ".part"))
    statuses = {path: path.stat() for path in (*files, *parts) if path not in named}
    garbage = {path: status.st_size for path, status in statuses.items() if status.st_mtime < before}
    for path in garbage:
        path.unlink()
    return list(garbage.values())
