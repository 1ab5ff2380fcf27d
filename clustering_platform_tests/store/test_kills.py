"""kill -9 at random moments: no commit is torn, mixed or lost. A writer that overwrites fails the same checks."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clustering_platform.tables import TABLES
from clustering_platform_tests.store.processes import in_fresh_process, messages, start
from clustering_platform_tests.store.versions import (
    ROWS,
    committed_versions,
    log_of,
    publish_version,
    sample,
    versions_in,
)

KILLS = 25
Writer = Callable[[Connection, Path], None]
Reader = Callable[[Path], set[float]]


def _commit_for_ever(pipe: Connection, root: Path) -> None:
    commits = log_of(root)
    for version in itertools.count(commits.last_sequence("talk") + 1):
        pipe.send(("begun", version))
        publish_version(commits, version)
        pipe.send(("published", version))


def _overwrite_for_ever(pipe: Connection, root: Path) -> None:
    for version in itertools.count(1 + int(max(_overwritten_versions(root), default=0))):
        pipe.send(("begun", version))
        for table, rows in ROWS.items():
            pq.write_table(sample(TABLES[table], version=version, rows=rows), root / f"{table}.parquet")
        pipe.send(("published", version))


def _overwritten_versions(root: Path) -> set[float]:
    paths = {table: root / f"{table}.parquet" for table in ROWS}
    return {x for table, path in paths.items() if path.exists() for x in versions_in(pq.read_table(path), ROWS[table])}


def _complaint(read: Reader, root: Path, acknowledged: int) -> str | None:
    try:
        versions = read(root)
    except (OSError, ValueError, pa.ArrowException) as error:
        return f"torn: {error}"
    if len(versions) > 1:
        return f"mixed: {versions}"
    return f"lost: {acknowledged}, found {versions}" if max(versions, default=0) < acknowledged else None


def kill_often(write: Writer, read: Reader, root: Path, *, kills: int = KILLS) -> tuple[list[str], int]:
    """Kill a writer again and again; return what a fresh reader finds wrong and how often a write was cut off."""
    delays = np.random.default_rng(25)
    complaints, cut_off = [], 0
    for _ in range(kills):
        process, pipe = start(write, root)
        assert pipe.poll(30)
        time.sleep(delays.uniform(0.005, 0.25))
        process.kill()
        said = messages(pipe)
        process.join()
        cut_off += said[-1][0] == "begun"
        acknowledged = max((version for what, version in said if what == "published"), default=0)
        if complaint := in_fresh_process(_complaint, read, root, acknowledged):
            complaints.append(complaint)
            if "torn" in complaint:
                for path in root.glob("*.parquet"):
                    path.unlink()
    return complaints, cut_off


def test_random_kills_leave_one_whole_version_and_lose_none_that_was_published(tmp_path: Path) -> None:
    complaints, cut_off = kill_often(_commit_for_ever, committed_versions, tmp_path)
    assert complaints == []
    assert cut_off > KILLS / 2, "else the kills prove nothing"
    assert committed_versions(tmp_path) != set()


def test_a_writer_that_overwrites_is_caught_by_the_same_checks(tmp_path: Path) -> None:
    complaints, cut_off = kill_often(_overwrite_for_ever, _overwritten_versions, tmp_path)
    assert cut_off > KILLS / 2
    assert len(complaints) > 1
