"""One lock for each dataset: whoever computes for it holds the lock from start to end.

The lock is one of the operating system (through filelock), so it goes with its holder, however that ends. Where
Dagster's state is in PostgreSQL, runs may be on several machines: then it is an advisory lock of that database as well.
A note beside it says who holds it.
"""

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from clustering_platform.store.advisory import AdvisoryLock
from clustering_platform.store.errors import StoreError


class LockBusyError(StoreError):
    """Another run held the dataset for longer than this one would wait."""


@contextlib.contextmanager
def dataset_lock(
    root: Path,
    dataset: str,
    *,
    holder: str,
    timeout: float,
    on_wait: Callable[[str], None] | None = None,
    database: str | None = None,
) -> Iterator[float]:
    """Hold the lock of a dataset; yields the seconds waited for it.

    Parameters
    ----------
    root
        The warehouse.
    holder
        Who asks, for the others to read: a run id.
    timeout
        Seconds to wait for another holder.
    on_wait
        Called once with a sentence, if there is another holder.
    database
        URL of the PostgreSQL database by which runs on other machines are held off as well.

    Raises
    ------
    LockBusyError
        The lock was not to be had in time.
    """
    folder = root / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / f"{dataset}.json"
    locks: list[FileLock | AdvisoryLock] = [FileLock(folder / f"{dataset}.lock")]
    if database:
        locks.append(AdvisoryLock(database, f"dataset/{dataset}"))
    started = time.monotonic()
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(_taken(locks, timeout=0))
        except Timeout:
            if on_wait:
                on_wait(f"dataset {dataset!r} is being computed by {_holder(note)}; waiting")
            try:
                held.enter_context(_taken(locks, timeout=timeout))
            except Timeout as error:
                raise LockBusyError(
                    f"dataset {dataset!r} is still being computed by {_holder(note)} after {timeout:.0f} s; "
                    "start this run again when that one has ended"
                ) from error
        note.write_text(json.dumps(_about(holder)))
        yield time.monotonic() - started


@contextlib.contextmanager
def _taken(locks: Sequence[FileLock | AdvisoryLock], timeout: float) -> Iterator[None]:
    """Hold all locks, taken one after the other in as many seconds."""
    end = time.monotonic() + timeout
    with contextlib.ExitStack() as held:
        for lock in locks:
            lock.acquire(timeout=max(end - time.monotonic(), 0))
            held.callback(lock.release)
        yield


def _about(holder: str) -> dict[str, str | int]:
    now = datetime.now(UTC).isoformat()
    return {"holder": holder, "process": os.getpid(), "host": socket.gethostname(), "since": now}


def _holder(note: Path) -> str:
    try:
        content = json.loads(note.read_text())
        where = "" if content["host"] == socket.gethostname() else f" on {content['host']}"
        return f"{content['holder']} (process {content['process']}{where}) since {content['since']}"
    except (OSError, ValueError, KeyError):
        return "another process"
