"""kill -9 at any moment: what was published stays readable, and the next run finishes the work."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clustering_platform.store.catalog import connect
from clustering_platform.store.commits import Commits
from clustering_platform.store.files import Files
from clustering_platform_tests.e2e.processes import SAMPLE, clustering_here, environment
from clustering_platform_tests.orchestration.platform import write_conversation

pytestmark = pytest.mark.e2e

_CONSISTENT = """
    SELECT (SELECT count(*) FROM voter_groups) = (SELECT voters FROM opinion_snapshot),
           (SELECT count(*) FROM item_topics) = (SELECT max(size) FROM topic_tree),
           (SELECT count(*) FROM topic_tree) = (SELECT count(*) FROM topic_names),
           (SELECT sum(size) FROM groups) = (SELECT grouped_voters FROM opinion_snapshot)
"""


def consistent(data: Path) -> bool:
    with connect(data / "catalog.duckdb") as catalog:
        return all(catalog.execute(_CONSISTENT).fetchall()[0])


def test_a_killed_run_leaves_the_last_commit_and_the_next_one_publishes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    clustering_here(data, "add", str(SAMPLE))
    clustering_here(data, "run", "town-plans")
    commits = Commits(Files(data / "warehouse"))
    killed = 0
    for number, delay in enumerate((1.0, 3.0, 4.5, 6.0)):
        with (data / "inbox" / "town-plans" / "votes.csv").open("a") as file:
            file.write(f"late-{number},s01,agree,2026-11-02T10:00:0{number}Z,user\n")
        before = commits.last_sequence("town-plans")
        code = "from clustering_platform.cli.main import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-c", code, "run", "town-plans"],
            env=environment(data),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed += commits.last_sequence("town-plans") < before + 2
        assert consistent(data)
    assert killed >= 2
    clustering_here(data, "run", "town-plans")
    assert consistent(data)
    with connect(data / "catalog.duckdb") as catalog:
        assert catalog.execute("SELECT count(*) FROM voter_groups WHERE voter_id LIKE 'late-%'").fetchall() == [(4,)]


def test_a_reader_sees_no_error_and_no_mixture_while_runs_publish(tmp_path: Path) -> None:
    data = tmp_path / "data"
    source = tmp_path / "talk"
    source.mkdir()
    write_conversation(source)
    clustering_here(data, "add", str(source))
    clustering_here(data, "run", "talk")
    code = (
        "import sys, time; from pathlib import Path\n"
        "from clustering_platform_tests.e2e.test_kill import consistent\n"
        "reads = 0\n"
        "while not (Path(sys.argv[1]) / 'stop').exists():\n"
        "    assert consistent(Path(sys.argv[1])), f'mixed at read {reads}'\n"
        "    reads += 1\n"
        "    time.sleep(0.03)\n"
        "print(reads)"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", code, str(data)], env=environment(data), stdout=subprocess.PIPE, text=True
    )
    for extra in (5, 10):
        write_conversation(data / "inbox" / "talk", extra=extra)
        clustering_here(data, "run", "talk")
    (data / "stop").touch()
    output, _ = reader.communicate(timeout=60)
    assert reader.returncode == 0
    assert int(output) > 50
