"""Locks across machines: two warehouses that share nothing but a PostgreSQL database stand for two machines."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from clustering_platform.store.alive import Life, life_of, sign_of_life
from clustering_platform.store.errors import StoreError
from clustering_platform.store.locks import LockBusyError, dataset_lock
from clustering_platform_tests.e2e.postgres import postgres_server
from clustering_platform_tests.e2e.processes import free_port
from clustering_platform_tests.store.processes import start


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of a database, as people may write it, in a folder that its server's user can reach."""
    with tempfile.TemporaryDirectory() as folder, postgres_server(Path(folder)) as url:
        yield url.replace("postgresql://", "postgresql+psycopg2://")


@pytest.fixture
def machines(tmp_path: Path) -> tuple[Path, Path]:
    """The warehouses of two machines."""
    return tmp_path / "here", tmp_path / "there"


def _compute(pipe: Connection, root: Path, database: str) -> None:
    with (
        sign_of_life(root, "run-1", database=database),
        dataset_lock(root, "talk", holder="run 1", timeout=0, database=database),
    ):
        pipe.send("computing")
        time.sleep(60)


def _wait(pipe: Connection, root: Path, database: str) -> None:
    with dataset_lock(root, "talk", holder="run 2", timeout=30, on_wait=pipe.send, database=database) as waited:
        pipe.send(waited > 0)


def test_a_dataset_is_computed_on_one_machine_at_a_time_and_a_killed_one_frees_it(
    machines: tuple[Path, Path], database: str
) -> None:
    here, there = machines
    computing, pipe = start(_compute, here, database)
    pipe.recv()
    waiting, told = start(_wait, there, database)
    assert "dataset 'talk' is being computed by another process; waiting" in told.recv()
    with (
        pytest.raises(LockBusyError, match="'talk' is still being computed"),
        dataset_lock(there, "talk", holder="run 3", timeout=0, database=database),
    ):
        pytest.fail("the lock was given twice")
    with dataset_lock(there, "walk", holder="run 4", timeout=0, database=database, on_wait=pytest.fail):
        assert not told.poll(0.3)
    computing.kill()
    assert told.recv() is True
    waiting.join()
    computing.join()


def test_a_run_on_another_machine_is_known_to_be_alive(machines: tuple[Path, Path], database: str) -> None:
    here, there = machines
    computing, pipe = start(_compute, here, database)
    pipe.recv()
    assert life_of(there, "run-1", database=database) is Life.HELD
    computing.kill()
    computing.join()
    end = time.monotonic() + 10
    while life_of(there, "run-1", database=database) is Life.HELD and time.monotonic() < end:
        time.sleep(0.05)
    assert life_of(there, "run-1", database=database) is Life.NONE
    assert life_of(here, "run-1", database=database) is Life.LEFT


def test_a_lock_that_is_given_back_is_free_for_others(machines: tuple[Path, Path], database: str) -> None:
    for root in machines:
        with (
            sign_of_life(root, "run-1", database=database),
            dataset_lock(root, "talk", holder="run 1", timeout=0, database=database, on_wait=pytest.fail),
        ):
            pass


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://me:canary@127.0.0.1:{port}/postgres", "Connection refused"),
        ("postgresql://me:cana/ry@127.0.0.1:{port}/postgres", "is the URL right?"),
    ],
)
def test_a_database_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path, url: str, reason: str) -> None:
    with (
        pytest.raises(StoreError, match="CLUSTERING_POSTGRES_URL") as raised,
        dataset_lock(tmp_path, "talk", holder="run 1", timeout=0, database=url.format(port=free_port())),
    ):
        pytest.fail("there is no database")
    assert reason in str(raised.value)
    assert "cana" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
