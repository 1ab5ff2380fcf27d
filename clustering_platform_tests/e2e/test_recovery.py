"""kill -9 of a run, of the daemon, of everything at once: what was begun is published, once, without a hand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from clustering_platform.store.alive import Life, life_of
from clustering_platform.store.commits import Commit, Commits
from clustering_platform.store.files import Files
from clustering_platform.tables import TABLES
from clustering_platform_tests.e2e.processes import DagsterDev, clustering, environment, wait_for
from clustering_platform_tests.orchestration.platform import write_conversation

pytestmark = pytest.mark.e2e

TALK = {"dagster/partition": "talk", "clustering/dataset": "talk"}
DAY = "2026-03-31"
DAY_OF_TALK = {"dagster/partition": f"talk|{DAY}", "dagster/partition/dataset": "talk", "dagster/partition/day": DAY}
INGEST = {table.name for table in TABLES.values() if table.room == "ingest"}


@dataclass
class Story:
    """A data folder, where Dagster keeps its state, and what happened to the runs in it."""

    data: Path
    instance: dict[str, str]
    killed: list[str] = field(default_factory=list)

    @property
    def commits(self) -> list[Commit]:
        """The commits of the dataset, newest first."""
        return list(Commits(Files(self.data / "warehouse")).log("talk"))

    def begun(self) -> str:
        """Wait until a run that was not killed is a step past reading the input, and return its id."""
        return wait_for(self._begun, seconds=240, what="a run has begun to compute")

    def kill(self) -> str:
        """Kill the process of the run that computes, and return its id."""
        run_id = self.begun()
        os.kill(self._note()["process"], signal.SIGKILL)
        self.killed.append(run_id)
        return run_id

    def _begun(self) -> str | None:
        run_id = str(self._note().get("holder", "")).removeprefix("run ")
        made = {path.parts[-3] for path in self.data.glob(f"warehouse/files/*/talk/{run_id}.parquet")}
        is_alive = life_of(self.data / "warehouse", run_id) is Life.HELD
        is_past = len(made - INGEST) >= 2  # a file is there before its step has ended: the first of these has
        return run_id if is_alive and is_past and run_id not in self.killed else None

    def _note(self) -> dict[str, str]:
        note = self.data / "warehouse" / "locks" / "talk.json"
        return dict(json.loads(note.read_text() or "{}")) if note.exists() else {}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, instance: dict[str, str]) -> Story:
    """A conversation whose first run, from the command line, was killed; nothing else runs."""
    story = Story(tmp_path_factory.mktemp("recovery") / "data", instance)
    source = story.data / "inbox" / "talk"
    source.mkdir(parents=True)
    write_conversation(source)
    command = [sys.executable, "-c", "from clustering_platform.cli.main import main; main()", "run", "talk"]
    process = subprocess.Popen(command, env=environment(story.data, **story.instance), stdout=subprocess.DEVNULL)
    story.kill()
    process.wait()
    return story


@pytest.fixture(scope="module")
def dagster(story: Story) -> Iterator[DagsterDev]:
    """The platform, started after everything was killed in the middle of a run, which had been killed before."""
    write_conversation(story.data / "inbox" / "talk", extra=5)
    with DagsterDev(story.data, **story.instance) as first:
        story.kill()
        story.killed.append(story.begun())
        first.kill()
    with DagsterDev(story.data, **story.instance) as second:
        yield second


def test_a_killed_run_of_the_command_line_goes_on_where_it_was(story: Story) -> None:
    (killed,) = story.killed
    listed = clustering(story.data, "resume", **story.instance).stdout
    assert [line.split()[:5] for line in listed.splitlines()[1:]] == [[killed, "talk", "-", "topics", "failed"]]
    clustering(story.data, "resume", killed[:8], **story.instance)
    (commit,) = story.commits
    assert made_by(commit)[killed] >= 8
    assert made_by(commit)[commit.run_id] >= 1
    assert set(made_by(commit)) == {killed, commit.run_id}


def test_after_everything_was_killed_the_dataset_is_published_once_and_without_a_hand(
    story: Story, dagster: DagsterDev
) -> None:
    _, worker, everything = story.killed
    newest = wait_for(
        lambda: next((one for one in story.commits if one.rows and one.sequence > 1), None),
        seconds=240,
        what="the dataset",
    )
    assert newest.rows
    assert [dagster.status(run_id) for run_id in (worker, everything)] == ["FAILURE", "FAILURE"]
    assert "process of this run is gone" in dagster.said(everything)
    assert set(made_by(newest)) <= {worker, everything, newest.run_id}
    assert made_by(newest)[worker] >= 8
    wait_for(lambda: any(one.day for one in story.commits), seconds=240, what="the snapshot of today")
    assert none_twice(story.commits)
    assert {life_of(story.data / "warehouse", run_id) for run_id in story.killed} == {Life.NONE}


def test_a_run_of_the_command_line_can_be_re_executed_but_publishes_no_input_of_before(
    story: Story, dagster: DagsterDev
) -> None:
    before = [commit for commit in story.commits if commit.scope == "dataset"]
    again = dagster.reexecute(story.killed[0])
    assert dagster.wait_for_run(again, seconds=240) == "FAILURE"
    assert "permanent, so not tried again: the input of talk changed" in dagster.said(again)
    assert [commit for commit in story.commits if commit.scope == "dataset"] == before


def test_of_three_launches_at_once_one_computes(story: Story, dagster: DagsterDev) -> None:
    before = len(story.commits)
    launched = [dagster.launch("opinions", DAY_OF_TALK) for _ in range(2)]
    command = ["-m", "dagster", "asset", "materialize", "-m", "clustering_platform.definitions"]
    direct = subprocess.run(
        [sys.executable, *command, "--select", "group:opinions", "--partition", f"talk|{DAY}"],
        env=environment(story.data, **story.instance),
        cwd=story.data,
        capture_output=True,
        text=True,
        check=False,
    )
    assert direct.returncode == 0, direct.stderr
    assert [dagster.wait_for_run(run_id, seconds=240) for run_id in launched] == ["SUCCESS", "SUCCESS"]
    new = story.commits[: len(story.commits) - before]  # those of drift and of today may be among them
    (commit,) = (one for one in new if str(one.day) == DAY)
    said = [direct.stderr, *map(dagster.said, launched)]
    assert sum(f"published commit {commit.sequence} of" in text for text in said) == 1
    assert sum(f"nothing changed since commit {commit.sequence}: nothing computed" in text for text in said) == 2


def test_a_cancelled_run_goes_on_where_it_was(story: Story, dagster: DagsterDev) -> None:
    cancelled = dagster.launch("topics", TALK | {"clustering/force": "true"})
    wait_for(lambda: story.begun() == cancelled, seconds=240, what="the run computes")
    dagster.cancel(cancelled)
    assert dagster.wait_for_run(cancelled, seconds=240) == "CANCELED"
    resumed = dagster.reexecute(cancelled)
    assert dagster.wait_for_run(resumed, seconds=240) == "SUCCESS"
    commit = story.commits[0]
    assert commit.run_id == resumed
    assert set(made_by(commit)) == {cancelled, resumed}
    assert made_by(commit)[cancelled] >= 8


def test_a_run_outlives_the_daemon(story: Story, dagster: DagsterDev) -> None:
    before = {commit.run_id for commit in story.commits}
    run_id = dagster.launch("topics", TALK | {"clustering/force": "true"})
    wait_for(lambda: story.begun() == run_id, seconds=240, what="the run computes")
    dagster.kill_daemon()
    assert run_id not in before
    wait_for(lambda: run_id in {commit.run_id for commit in story.commits}, seconds=240, what="the run publishes")


def made_by(commit: Commit) -> Counter[str]:
    """Return how many tables of a commit each run made."""
    return Counter(Path(table.path).stem for table in commit.tables.values())


def none_twice(commits: list[Commit]) -> bool:
    """Tell whether no commit publishes once more what another had published."""
    published = [(one.day, one.fingerprint) for one in commits]
    return len(set(published)) == len(published)
