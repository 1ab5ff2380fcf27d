"""The sample, named by a language model from the command line; killed in the middle, it goes on where it was."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clustering_platform.store.catalog import connect
from clustering_platform_tests.e2e.processes import SAMPLE, clustering_here, environment, wait_for
from clustering_platform_tests.naming.server import ChatServer

pytestmark = pytest.mark.e2e
CONCURRENCY = 2


def test_a_killed_naming_asks_nothing_again_that_was_answered_and_names_every_topic(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with ChatServer(pause=0.4) as server:
        clustering_here(data, "add", str(SAMPLE))
        settings = data / "inbox" / "town-plans" / "dataset.yaml"
        names = f"names: {{provider: openai, base_url: '{server.base_url}', concurrency: {CONCURRENCY}}}\n"
        settings.write_text(settings.read_text() + names)
        clustering_here(data, "run", "town-plans")
        assert server.requests == []
        process = subprocess.Popen(
            [sys.executable, "-c", "from clustering_platform.cli.main import main; main()", "name", "town-plans"],
            env=environment(data),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: len(server.requests) >= 5, seconds=60, what="some questions are asked")
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = len(server.requests)
        printed = clustering_here(data, "name", "town-plans")
        asked = [str(request["messages"]) for request in server.requests]
        assert before < len(asked)
        assert len(asked) - len(set(asked)) <= CONCURRENCY
        calls = len(asked)
        clustering_here(data, "name", "town-plans")
        assert len(server.requests) == calls
    with connect(data / "catalog.duckdb") as catalog:
        found = catalog.execute("SELECT name, source FROM topic_names").fetchall()
        groups = catalog.execute("SELECT source, reason FROM group_names").fetchall()
        assert {source for _, source in found} == {"llm"}
        assert all(name in printed for name, _ in found)
        assert groups == [("llm", None)] * 3
        voters = {voter for (voter,) in catalog.execute("SELECT voter_id FROM voters").fetchall()}
    assert not any(f'"{voter}"' in request for voter in voters for request in asked)
