"""Signs of life: a lock for each run, held by its process as long as it computes.

The file of the lock is removed when the run lets go of it. One that is there and that nobody holds is what a killed
process leaves behind.
"""

import contextlib
import fcntl
import os
from collections.abc import Collection, Iterator
from enum import Enum
from pathlib import Path

from filelock import FileLock

from clustering_platform.store.advisory import AdvisoryLock, is_held


class Life(Enum):
    """What the lock of a run says about its process."""

    HELD = "its process is alive"
    LEFT = "its process is gone"
    NONE = "its process has not come to the lock yet, has let go of it, or runs on another machine"


@contextlib.contextmanager
def sign_of_life(root: Path, run_id: str, *, database: str | None = None) -> Iterator[None]:
    """Say that this process computes a run.

    Parameters
    ----------
    root
        The warehouse.
    database
        URL of the PostgreSQL database by which other machines are told as well.
    """
    path = _path(root, run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        lock = FileLock(path)
        lock.acquire()
        held.callback(lock.release)
        held.callback(path.unlink, missing_ok=True)  # before the release: who finds it free must not find it there
        if database:
            elsewhere = AdvisoryLock(database, _name(run_id))
            elsewhere.acquire(timeout=5)
            held.callback(elsewhere.release)
        yield


def life_of(root: Path, run_id: str, *, database: str | None = None) -> Life:
    """Tell what is known of the process of a run."""
    life = _life(_path(root, run_id))
    if life is not Life.HELD and database and is_held(database, _name(run_id)):
        return Life.HELD
    return life


def forget(root: Path, *, but: Collection[str]) -> None:
    """Remove what killed processes left behind, except of some runs."""
    for path in root.glob("locks/runs/*.lock"):
        if path.stem not in but and _life(path) is Life.LEFT:
            path.unlink(missing_ok=True)


def _life(path: Path) -> Life:
    try:
        with path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return Life.LEFT if os.fstat(file.fileno()).st_nlink else Life.NONE
    except FileNotFoundError:
        return Life.NONE
    except BlockingIOError:
        return Life.HELD


def _path(root: Path, run_id: str) -> Path:
    return root / "locks" / "runs" / f"{run_id}.lock"


def _name(run_id: str) -> str:
    return f"run/{run_id}"
