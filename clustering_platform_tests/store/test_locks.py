"""One computation of a dataset at a time; the others wait and are told for whom."""

from __future__ import annotations

import json
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from clustering_platform.store.locks import LockBusyError, dataset_lock
from clustering_platform_tests.store.processes import start


def _hold(pipe: Connection, root: Path) -> None:
    with dataset_lock(root, "talk", holder="run 1", timeout=0):
        pipe.send("held")
        time.sleep(60)


def _take(pipe: Connection, root: Path) -> None:
    with dataset_lock(root, "talk", holder="run 2", timeout=30, on_wait=pipe.send) as waited:
        pipe.send(waited > 0)


def test_a_free_lock_is_taken_without_a_word(tmp_path: Path) -> None:
    said: list[str] = []
    for holder in ("run 1", "run 2"):
        with dataset_lock(tmp_path, "talk", holder=holder, timeout=0, on_wait=said.append):
            assert json.loads((tmp_path / "locks" / "talk.json").read_text())["holder"] == holder
    assert said == []


def test_the_second_waits_and_is_told_for_whom(tmp_path: Path) -> None:
    with dataset_lock(tmp_path, "talk", holder="run 1", timeout=0):
        process, pipe = start(_take, tmp_path)
        assert "dataset 'talk' is being computed by run 1 (process " in pipe.recv()
        assert not pipe.poll(0.2)
    assert pipe.recv() is True
    process.join()


def test_a_killed_holder_frees_the_dataset(tmp_path: Path) -> None:
    holder, held = start(_hold, tmp_path)
    held.recv()
    taker, pipe = start(_take, tmp_path)
    assert "run 1" in pipe.recv()
    holder.kill()
    assert pipe.recv() is True
    taker.join()
    holder.join()


def test_who_waited_long_enough_is_told_what_to_do(tmp_path: Path) -> None:
    holder, held = start(_hold, tmp_path)
    held.recv()
    with (
        pytest.raises(
            LockBusyError,
            match=r"'talk' is still being computed by run 1 \(process \d+\) since 20.* after 0 s; "
            "start this run again when that one has ended",
        ),
        dataset_lock(tmp_path, "talk", holder="run 2", timeout=0.1),
    ):
        pytest.fail("the lock was given twice")
    holder.kill()
    holder.join()


def test_datasets_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with (
        dataset_lock(tmp_path, "talk", holder="run 1", timeout=0),
        dataset_lock(tmp_path, "walk", holder="run 2", timeout=0, on_wait=pytest.fail),
    ):
        pass


def test_a_lock_whose_holder_cannot_be_read_is_still_a_lock(tmp_path: Path) -> None:
    holder, held = start(_hold, tmp_path)
    held.recv()
    (tmp_path / "locks" / "talk.json").write_text("{")
    with (
        pytest.raises(LockBusyError, match="still being computed by another process"),
        dataset_lock(tmp_path, "talk", holder="run 2", timeout=0),
    ):
        pytest.fail("the lock was given twice")
    holder.kill()
    holder.join()


def test_a_failure_inside_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), dataset_lock(tmp_path, "talk", holder="run 1", timeout=0):
        raise ZeroDivisionError
    with dataset_lock(tmp_path, "talk", holder="run 2", timeout=0, on_wait=pytest.fail):
        pass
