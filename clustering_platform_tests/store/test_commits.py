"""Commits: numbered, all or nothing, never changed; whoever comes second is told."""

from __future__ import annotations

import json
import os
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from clustering_platform.store.commits import (
    Commit,
    CommitConflictError,
    Commits,
    Predecessor,
    committed,
    stale_days,
)
from clustering_platform.store.errors import StoreError
from clustering_platform.store.files import StoredFile
from clustering_platform_tests.store.processes import CONTEXT, messages, start
from clustering_platform_tests.store.versions import DAY, log_of, make_commit, publish_version, write

NEXT_DAY = date(2026, 4, 1)


def publish(commits: Commits, sequence: int, **changes: Any) -> Commit:
    commit = make_commit({}, sequence, **changes)
    commits.publish(commit)
    return commit


def test_nothing_is_published_before_the_first_commit(commits: Commits) -> None:
    assert commits.datasets() == []
    assert commits.last_sequence("talk") == 0
    assert commits.newest("talk", DAY) is None
    assert commits.current("talk") == []
    assert list(commits.log("talk")) == []


def test_a_commit_comes_back_as_it_was_made(commits: Commits) -> None:
    commit = publish_version(commits, 1)
    assert list(commits.log("talk")) == [commit]
    assert set(commit.tables) == {"groups", "base_clusters", "voter_groups"}


def test_files_and_their_names_are_synced_before_a_commit_has_its_own(
    commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, root = write(commits, "groups"), commits.files.root
    synced: list[int] = []
    before: list[int] = []
    fsync, link = os.fsync, os.link
    monkeypatch.setattr("os.fsync", lambda file: (synced.append(os.fstat(file).st_ino), fsync(file)))
    monkeypatch.setattr("os.link", lambda *names: (before.extend(synced), link(*names)))
    path = commits.publish(make_commit({"groups": file}, 1))

    def folders_of(path: Path) -> set[int]:
        return {folder.stat().st_ino for folder in path.parents if folder.is_relative_to(root.parent)}

    assert {(root / file.path).stat().st_ino, *folders_of(root / file.path)} <= set(before)
    assert path.stat().st_ino in before
    assert folders_of(path) <= set(synced[len(before) :])


def test_numbers_go_up_by_one_within_each_dataset(commits: Commits) -> None:
    for dataset in ("talk", "walk"):
        for sequence in range(1, 12):
            publish(commits, sequence, dataset=dataset)
    assert commits.datasets() == ["talk", "walk"]
    assert [commit.sequence for commit in commits.log("talk")] == list(range(11, 0, -1))
    assert commits.last_sequence("walk") == 11


@pytest.mark.parametrize("sequence", [1, 3, 0])
def test_any_number_but_the_next_is_refused(commits: Commits, sequence: int) -> None:
    first = publish(commits, 1)
    with pytest.raises(CommitConflictError, match=rf"'talk': commit {sequence} .*published nothing, start it again"):
        publish(commits, sequence, run_id="late")
    assert list(commits.log("talk")) == [first]


def test_a_number_that_is_taken_at_the_last_moment_is_refused(
    commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish(commits, 1)
    monkeypatch.setattr(commits, "last_sequence", lambda _: 0)
    with pytest.raises(CommitConflictError, match="commit 1 was made by another run in the meantime"):
        publish(commits, 1, run_id="late")
    assert list(commits.log("talk")) == [first]
    assert [path.name for path in (commits.root / "talk").iterdir()] == ["00000000000000000001.json"]


def test_of_two_processes_exactly_one_gets_each_number(commits: Commits) -> None:
    rounds = 40
    barrier = CONTEXT.Barrier(2)
    racers = [start(_race, commits.files.root, name, barrier, rounds) for name in ("one", "two")]
    wins = [won for _, pipe in racers for won in messages(pipe)]
    log = {(commit.sequence, commit.run_id) for commit in commits.log("talk")}
    assert sorted(sequence for sequence, _ in wins) == list(range(1, rounds + 1))
    assert set(wins) == log


def _race(pipe: Connection, root: Path, name: str, barrier: Any, rounds: int) -> None:
    commits = log_of(root)
    for sequence in range(1, rounds + 1):
        barrier.wait(timeout=30)
        try:
            publish(commits, sequence, run_id=name)
            pipe.send((sequence, name))
        except CommitConflictError:
            pass


def test_each_day_and_the_dataset_as_a_whole_have_a_newest_commit(commits: Commits) -> None:
    days = [None, DAY, NEXT_DAY, DAY, None, DAY]
    made = [publish(commits, sequence, day=day) for sequence, day in enumerate(days, start=1)]
    assert commits.newest("talk", DAY) == made[5]
    assert commits.newest("talk", NEXT_DAY) == made[2]
    assert commits.newest("talk", None) == made[4]
    assert commits.newest("walk", None) is None
    assert commits.current("talk") == [made[4], made[5], made[2]]


def test_order_is_that_of_numbers_and_not_of_time(commits: Commits) -> None:
    first, second = publish(commits, 1, created_at="2026-03-02T00:00:00Z"), publish(commits, 2)
    third = publish(commits, 3, created_at="2001-01-01T00:00:00Z")
    for age, sequence in enumerate((2, 3, 1)):
        os.utime(commits.path("talk", sequence), (age * 1e6, age * 1e6))
    assert list(commits.log("talk")) == [third, second, first]
    assert commits.newest("talk", DAY) == third


def test_a_commit_names_files_that_are_there_whole_or_is_refused(commits: Commits) -> None:
    files = {table: write(commits, table) for table in ("groups", "voter_groups")}
    path = commits.files.root / files["groups"].path
    for damage in (lambda: os.truncate(path, path.stat().st_size - 1), path.unlink):
        damage()
        with pytest.raises(StoreError, match=r"groups/talk/2026-03-31/run-1.parquet: is missing or not as it was"):
            commits.publish(make_commit(files, 1))
    assert commits.last_sequence("talk") == 0


def stored(table: str, content: str, **inputs: str) -> StoredFile:
    return StoredFile(table=table, path=f"{table}.parquet", rows=1, bytes=1, content=content, inputs=inputs)


def test_a_table_made_from_an_older_input_is_refused(commits: Commits) -> None:
    files = {"votes": stored("votes", "new"), "groups": stored("groups", "g", votes="old")}
    with pytest.raises(
        StoreError, match=r"table 'groups' was made from an older 'votes' .* materialize 'groups' again"
    ):
        committed(files)


def test_a_table_made_from_what_is_beside_it_or_elsewhere_is_accepted() -> None:
    files = {"votes": stored("votes", "new", items="elsewhere"), "groups": stored("groups", "g", votes="new")}
    assert {name: table.content for name, table in committed(files).items()} == {"groups": "g", "votes": "new"}


def test_what_a_killed_writer_left_is_no_commit(commits: Commits) -> None:
    first = publish(commits, 1)
    (commits.root / "talk" / ".0123.part").write_text("{")
    assert list(commits.log("talk")) == [first]
    assert publish(commits, 2).sequence == 2


def test_a_commit_that_is_collected_while_the_log_is_read_is_left_out(commits: Commits) -> None:
    made = [publish(commits, sequence) for sequence in (1, 2, 3)]
    log = commits.log("talk")
    assert next(log) == made[2]
    commits.path("talk", 2).unlink()
    assert list(log) == [made[0]]


def test_the_commit_before_is_the_newest_of_the_nearest_earlier_day(commits: Commits) -> None:
    days = [None, date(2026, 3, 29), DAY, date(2026, 3, 29), NEXT_DAY]
    made = [publish(commits, sequence, day=day) for sequence, day in enumerate(days, start=1)]
    assert commits.before("talk", NEXT_DAY) == made[2]
    assert commits.before("talk", DAY) == made[3]
    assert commits.before("talk", date(2026, 3, 29)) is None
    assert commits.before("walk", DAY) is None


DAYS = [date(2026, 3, day) for day in (1, 2, 3)]


def going_on(days: dict[int, str | None]) -> list[Commit]:
    """Return the newest commits of days by number, each warm and going on from the commit of that fingerprint."""
    return [
        make_commit(
            {},
            day + 1,
            day=DAYS[day],
            fingerprint=f"day {day}",
            continuity="warm",
            predecessor=Predecessor(day=DAYS[int(source[4])], sequence=1, fingerprint=source) if source else None,
        )
        for day, source in days.items()
    ]


@pytest.mark.parametrize(
    ("days", "stale"),
    [
        ({0: None, 1: "day 0", 2: "day 1"}, []),
        ({0: None, 1: "day 0, as it was", 2: "day 1"}, [1, 2]),
        ({0: None, 1: None}, [1]),
        ({0: None, 2: "day 1"}, [2]),
        ({0: None, 1: "day 0", 2: "day 0"}, [2]),
        ({1: "day 0"}, [1]),
    ],
    ids=["none", "an older commit", "an earlier day came", "a day went", "a day came between", "the first day went"],
)
def test_a_day_is_stale_when_the_day_before_is_not_the_one_it_goes_on_from_nor_are_those_that_follow(
    days: dict[int, str | None], stale: list[int]
) -> None:
    assert stale_days(going_on(days)) == {DAYS[day] for day in stale}


def test_a_cold_commit_is_never_stale_and_makes_none_stale(commits: Commits) -> None:
    first, second, third = going_on({0: "day 1", 1: None, 2: "day 1"})
    assert stale_days([first, second.model_copy(update={"continuity": "cold"}), third]) == {DAYS[0]}


def test_commits_written_before_there_were_predecessors_are_read_as_cold(commits: Commits) -> None:
    commit = publish(commits, 1)
    path = commits.path("talk", 1)
    content = json.loads(path.read_text())
    del content["continuity"], content["predecessor"]
    path.write_text(json.dumps(content))
    assert list(commits.log("talk")) == [commit]


def test_a_commit_from_before_there_were_scopes_is_read_with_the_one_it_has(commits: Commits) -> None:
    for sequence, day in ((1, None), (2, DAY)):
        commits.publish(make_commit({}, sequence, day=day))
        path = commits.path("talk", sequence)
        content = json.loads(path.read_text())
        del content["scope"]
        path.write_text(json.dumps(content))
    assert [(commit.scope, commit.day) for commit in commits.log("talk")] == [("day", DAY), ("dataset", None)]
