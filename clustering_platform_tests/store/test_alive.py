"""Whether the process of a run is alive, as others can tell."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from clustering_platform.store.alive import Life, forget, life_of, sign_of_life
from clustering_platform_tests.store.processes import start

RUN, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def _compute(pipe: Connection, root: Path) -> None:
    with sign_of_life(root, RUN):
        pipe.send("alive")
        time.sleep(60)


def killed_run(root: Path) -> None:
    """Leave behind what a run leaves whose process is killed."""
    process, pipe = start(_compute, root)
    pipe.recv()
    process.kill()
    process.join()


def test_a_run_is_alive_from_its_first_sign_to_its_last(tmp_path: Path) -> None:
    assert life_of(tmp_path, RUN) is Life.NONE
    with sign_of_life(tmp_path, RUN):
        assert life_of(tmp_path, RUN) is Life.HELD
        assert life_of(tmp_path, OTHER) is Life.NONE
    assert life_of(tmp_path, RUN) is Life.NONE
    assert list(tmp_path.rglob("*.lock")) == []


def test_a_run_that_fails_has_ended_by_itself(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), sign_of_life(tmp_path, RUN):
        raise ZeroDivisionError
    assert life_of(tmp_path, RUN) is Life.NONE


def test_a_paused_run_is_alive_and_a_killed_one_is_not(tmp_path: Path) -> None:
    process, pipe = start(_compute, tmp_path)
    pipe.recv()
    os.kill(process.pid, signal.SIGSTOP)
    assert life_of(tmp_path, RUN) is Life.HELD
    process.kill()
    process.join()
    assert life_of(tmp_path, RUN) is Life.LEFT


def test_what_killed_runs_leave_is_removed_and_what_is_held_or_looked_after_stays(tmp_path: Path) -> None:
    killed_run(tmp_path)
    with sign_of_life(tmp_path, OTHER):
        forget(tmp_path, but={RUN})
        assert life_of(tmp_path, RUN) is Life.LEFT
        forget(tmp_path, but=())
        assert life_of(tmp_path, RUN) is Life.NONE
        assert life_of(tmp_path, OTHER) is Life.HELD
