"""Garbage goes by count and by age, and never what somebody may still read or publish."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from clustering_platform.store.commits import Commits
from clustering_platform.store.garbage import Collected, collect_garbage
from clustering_platform.store.locks import dataset_lock
from clustering_platform_tests.store.versions import DAY, publish_version, versions_in, write

SMALL = {"groups": 2}
NEXT_DAY = date(2026, 4, 1)


def pass_hours(root: Path, hours: float) -> None:
    """Make everything under a folder so much older."""
    for path in root.rglob("*"):
        if path.is_file():
            modified = path.stat().st_mtime - hours * 3600
            os.utime(path, (modified, modified))


def numbers(commits: Commits, dataset: str = "talk") -> list[int]:
    """Return the numbers of the commits that are left, all of whose files must be readable."""
    for commit in commits.log(dataset):
        for table in commit.tables.values():
            assert versions_in(commits.files.read(table.path), table.rows) == {float(commit.run_id.split("-")[1])}
    return [commit.sequence for commit in commits.log(dataset)]


def test_an_empty_warehouse_has_no_garbage(commits: Commits) -> None:
    assert collect_garbage(commits) == Collected(commits=0, files=0, bytes=0, busy=())


def test_of_old_commits_the_newest_few_stay(commits: Commits) -> None:
    sizes = [publish_version(commits, version, rows=SMALL).tables["groups"].bytes for version in range(1, 6)]
    pass_hours(commits.files.root, 30)
    assert collect_garbage(commits, keep_commits=2) == Collected(commits=3, files=3, bytes=sum(sizes[:3]), busy=())
    assert numbers(commits) == [5, 4]


def test_the_newest_commit_of_every_day_and_dataset_stays_however_old(commits: Commits) -> None:
    for version, day in enumerate((DAY, DAY, NEXT_DAY, DAY), start=1):
        publish_version(commits, version, rows=SMALL, day=day)
    publish_version(commits, 5, rows=SMALL, dataset="walk")
    pass_hours(commits.files.root, 1e5)
    for keep in (1, 0):
        collect_garbage(commits, keep_commits=keep, keep_hours=0)
        assert (numbers(commits), numbers(commits, "walk")) == ([4, 3], [1])


def test_what_is_young_stays(commits: Commits) -> None:
    for version in (1, 2, 3):
        publish_version(commits, version, rows=SMALL)
    write(commits, "groups", version=4)
    assert collect_garbage(commits, keep_commits=1) == Collected(commits=0, files=0, bytes=0, busy=())
    assert numbers(commits) == [3, 2, 1]


def test_a_commit_stays_while_readers_may_hold_it_because_it_was_superseded_only_now(commits: Commits) -> None:
    publish_version(commits, 1, rows=SMALL)
    pass_hours(commits.files.root, 1000)
    publish_version(commits, 2, rows=SMALL)
    pass_hours(commits.files.root, 10)
    collect_garbage(commits, keep_commits=1)
    assert numbers(commits) == [2, 1]
    pass_hours(commits.files.root, 20)
    collect_garbage(commits, keep_commits=1)
    assert numbers(commits) == [2]


def test_old_files_that_no_commit_names_go_and_so_does_what_killed_writers_left(commits: Commits) -> None:
    kept = publish_version(commits, 1, rows=SMALL)
    never_committed = [write(commits, "groups", version=2), write(commits, "projection", dataset="walk", day=None)]
    left = [*commits.files.root.glob("files/groups/talk/*"), commits.root / "talk"]
    for folder in left:
        (folder / ".0123.part").touch()
    pass_hours(commits.files.root, 30)
    gone = collect_garbage(commits)
    assert (gone.commits, gone.files) == (0, 4)
    assert gone.bytes == sum(file.bytes for file in never_committed)
    found = {path.relative_to(commits.files.root).as_posix() for path in commits.files.root.glob("[cf]*/**/*.*")}
    assert found == {kept.tables["groups"].path, f"commits/talk/{1:020d}.json"}


def test_a_file_that_two_commits_name_goes_with_the_last_of_them(commits: Commits) -> None:
    for version in (1, 1, 2):
        publish_version(commits, version, rows=SMALL)
    pass_hours(commits.files.root, 30)
    assert collect_garbage(commits, keep_commits=2).files == 0
    assert numbers(commits) == [3, 2]
    assert collect_garbage(commits, keep_commits=1).files == 1
    assert numbers(commits) == [3]


def test_a_dataset_that_is_being_computed_is_left_alone(commits: Commits) -> None:
    for dataset in ("talk", "walk"):
        write(commits, "groups", dataset=dataset)
    pass_hours(commits.files.root, 30)
    with dataset_lock(commits.files.root, "talk", holder="run 1", timeout=0):
        gone = collect_garbage(commits)
    assert (gone.files, gone.busy) == (1, ("talk",))
    assert commits.files.find("groups", "talk", DAY, "run-1")
    assert not commits.files.find("groups", "walk", DAY, "run-1")


def test_a_collection_that_was_cut_off_is_finished_by_the_next(
    commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in range(1, 5):
        publish_version(commits, version, rows=SMALL)
    pass_hours(commits.files.root, 30)
    with monkeypatch.context() as patch:
        patch.setattr("clustering_platform.store.garbage._remove_files", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            collect_garbage(commits, keep_commits=1)
    assert numbers(commits) == [4]
    assert collect_garbage(commits, keep_commits=1).files == 3
    assert numbers(commits) == [4]
