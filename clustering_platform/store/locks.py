"""One lock for each dataset: whoever computes for it holds the lock from start to end.

The lock is one of the operating system (through filelock), so it goes with its holder, however that ends. A note beside
it says who holds it.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

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

    Raises
    ------
    LockBusyError
        The lock was not to be had in time.
    """
    folder = root / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock, note = FileLock(folder / f"{dataset}.lock"), folder / f"{dataset}.json"
    started = time.monotonic()
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if on_wait:
            on_wait(f"dataset {dataset!r} is being computed by {_holder(note)}; waiting")
        try:
            lock.acquire(timeout=timeout)
        except Timeout as error:
            raise LockBusyError(
                f"dataset {dataset!r} is still being computed by {_holder(note)} after {timeout:.0f} s; "
                "start this run again when that one has ended"
            ) from error
    try:
        note.write_text(json.dumps({"holder": holder, "process": os.getpid(), "since": datetime.now(UTC).isoformat()}))
        yield time.monotonic() - started
    finally:
        lock.release()


def lock_holder(root: Path, dataset: str) -> str | None:
    """Return who holds the lock of a dataset, as its note says; None where nobody does."""
    folder = root / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / f"{dataset}.lock", timeout=0):
            return None
    except Timeout:
        with contextlib.suppress(OSError, ValueError, KeyError):
            return str(json.loads((folder / f"{dataset}.json").read_text())["holder"])
        return "another process"


def _holder(note: Path) -> str:
    try:
        content = json.loads(note.read_text())
        return f"{content['holder']} (process {content['process']}) since {content['since']}"
    except (OSError, ValueError, KeyError):
        return "another process"
