"""Progress of runs on the terminal."""

import io
import os
import pty
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from rich.console import Console
from rich.progress import Progress

from clustering_platform.cli.running import on_terminal, with_bar
from clustering_platform.orchestration.progress import Standing
from clustering_platform.orchestration.runs import OnProgress, Outcome, Runner
from clustering_platform.orchestration.runs import Progress as Step


def test_what_is_shown_reaches_the_terminal_while_standard_output_is_sent_elsewhere() -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as file, Path(os.devnull).open("w") as nowhere:
        with on_terminal(Console(file=file)) as console:
            os.dup2(nowhere.fileno(), file.fileno())
            console.print("still here")
        assert b"still here" in os.read(master, 1000)
    os.close(master)


def test_what_is_no_terminal_is_used_as_it_is() -> None:
    out = Console(file=io.StringIO())
    with on_terminal(out) as console:
        assert console is out


def test_work_that_goes_item_by_item_has_a_bar_of_its_own_while_it_lasts() -> None:
    seen: list[list[Any]] = []

    def start(on: OnProgress) -> Outcome:
        on(Step("embeddings", "started"))
        for done in (0, 30, 60):
            on(Step("", "working", standing=Standing(done, 60, 10.0 if done else None)))
            seen.append([(task.completed, task.total, task.fields["now"], task.visible) for task in bars.tasks])
        on(Step("embeddings", "ended"))
        return Outcome("topics", "id", ())

    runner = cast("Runner", SimpleNamespace(steps=lambda job: ["items", "embeddings"]))
    with Progress(console=Console(file=io.StringIO())) as bars:
        assert with_bar(bars, runner, "topics", start).succeeded
    assert [tasks[0] for tasks in seen] == [(0, 2, "embeddings", True)] * 3
    assert [tasks[1] for tasks in seen] == [
        (0, 60, "", True),
        (30, 60, "10/s, 0:03 left", True),
        (60, 60, "10/s, 0:00 left", False),
    ]
    assert [(task.completed, task.fields["now"]) for task in bars.tasks] == [(1, "done")]
