"""Code server, webserver and daemon as services of their own, as the units in `deploy` start them, on PostgreSQL."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from clustering_platform.store.commits import Commits
from clustering_platform.store.files import Files
from clustering_platform_tests.e2e.postgres import postgres_server
from clustering_platform_tests.e2e.processes import ROOT, Webserver, environment, free_port, wait_for
from clustering_platform_tests.orchestration.platform import write_conversation

pytestmark = pytest.mark.e2e

DEPLOY = ROOT / "deploy"
UNITS = ("code", "webserver", "daemon")
_HEALTH = "{ instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"


def command_of(unit: str) -> list[str]:
    """Return what a unit starts, without the folder of its program."""
    lines = (DEPLOY / "systemd" / f"clustering-{unit}.service").read_text().splitlines()
    (command,) = (line.partition("=")[2] for line in lines if line.startswith("ExecStart="))
    program, *arguments = shlex.split(command)
    return [Path(program).name, *arguments]


def test_the_compose_file_starts_what_the_units_do() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    for unit in UNITS:
        assert shlex.split(services[unit]["command"].replace("0.0.0.0", "127.0.0.1")) == command_of(unit)


@contextmanager
def services(folder: Path, variables: dict[str, str]) -> Iterator[Webserver]:
    """Start the three on free ports and yield the webserver."""
    ports = {"4000": str(free_port()), "3000": str(free_port())}
    workspace = folder / "workspace.yaml"
    workspace.write_text((DEPLOY / "workspace.yaml").read_text().replace("4000", ports["4000"]))
    processes = []
    with (folder / "services.log").open("w") as log:
        for unit in UNITS:
            program, *arguments = (
                {**ports, "deploy/workspace.yaml": str(workspace)}.get(word, word) for word in command_of(unit)
            )
            command = [str(Path(sys.executable).with_name(program)), *arguments]
            processes.append(
                subprocess.Popen(
                    command, cwd=ROOT, env=variables, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
                )
            )
    try:
        yield Webserver(int(ports["3000"]))
    finally:
        for process in reversed(processes):
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=90)  # as long as the units allow


def test_a_dropped_dataset_is_published_by_the_services_on_postgres(tmp_path: Path) -> None:
    data = tmp_path / "data"
    talk = data / "inbox" / "talk"
    talk.mkdir(parents=True)
    write_conversation(talk)
    commits = Commits(Files(data / "warehouse"))
    with tempfile.TemporaryDirectory() as folder, postgres_server(Path(folder)) as url:
        variables = environment(data, CLUSTERING_CODE_HOST="127.0.0.1", CLUSTERING_POSTGRES_URL=url)
        with services(tmp_path, variables) as webserver:
            wait_for(webserver.is_loaded, seconds=120, what=f"the services (see {tmp_path / 'services.log'})")
            wait_for(lambda: len(commits.paths("talk")) >= 3, seconds=240, what="dataset, today and drift")
            health = webserver.ask(_HEALTH)["instance"]["daemonHealth"]["allDaemonStatuses"]
    assert all(status["healthy"] for status in health if status["required"])
    assert not (data / "dagster" / "history").exists()
