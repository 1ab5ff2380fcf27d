"""Recordings of runs: small write-once Parquet files, of which the view ``runs`` shows the last of each run.

They lie in ``runs/<20-digit volume>/<run id>.<status>.parquet``. Recordings are added to the newest volume, which is
never empty: it begins with ``before.parquet``, what was known when it was begun. So the view, which names the volume,
need not be made anew for a recording. Garbage collection begins a volume when there are many files in the newest; the
one before stays for as long as somebody may still read it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from clustering_platform.store.files import make_durable, new_file, publish
from clustering_platform.tables.contract import schema_of
from clustering_platform.tables.runs import RUN_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

_BEFORE = "before.parquet"
_MANY = 200


class RunRecords:
    """The recordings in a warehouse."""

    def __init__(self, warehouse: Path) -> None:
        self.warehouse = warehouse
        self.root = warehouse / "runs"

    def volume(self) -> Path:
        """Return the newest volume; the first is begun where there is none."""
        if not (volumes := self._volumes()):
            with self._locked():
                volumes = self._volumes() or [self._begin_volume(1, schema_of(RUN_COLUMNS).empty_table())]
        return volumes[-1]

    def record(self, row: Mapping[str, Any]) -> bool:
        """Record a run as it is now; returns False where its status was recorded already."""
        import pyarrow as pa

        self.volume()
        with self._locked():
            target = self._path(row["run_id"], row["status"])
            if target.exists():
                return False
            _write(pa.Table.from_pylist([dict(row)], schema=schema_of(RUN_COLUMNS)), target)
        return True

    def has(self, run_id: str, status: str) -> bool:
        """Tell whether the newest volume has a recording of a run with a status."""
        return self._path(run_id, status).exists()

    def caught_up(self) -> datetime | None:
        """Return up to when all changes of runs were recorded; None where that is not known."""
        try:
            return datetime.fromisoformat(self._mark.read_text())
        except (OSError, ValueError):
            return None

    def mark_caught_up(self, time: datetime) -> None:
        """Note that all changes of runs up to a time are recorded."""
        with self._locked():
            if (known := self.caught_up()) and known >= time:
                return
            temporary = self._mark.with_suffix(".part")
            temporary.write_text(time.isoformat())
            temporary.replace(self._mark)

    def collect(self, *, keep_hours: float, many: int = _MANY) -> list[int]:
        """Begin a new volume where the newest has many files, and remove those superseded long ago.

        Returns the sizes of the files removed. The catalog is to be made anew after it.
        """
        before = time.time() - keep_hours * 3600
        removed: list[int] = []
        with self._locked():
            volumes = self._volumes()
            for old, successor in itertools.pairwise(volumes):
                if (successor / _BEFORE).stat().st_mtime < before:
                    removed += [path.stat().st_size for path in old.iterdir()]
                    shutil.rmtree(old)
            if volumes and len(list(volumes[-1].iterdir())) > many:
                self._supersede(volumes[-1])
        return removed

    def _supersede(self, old: Path) -> None:
        """Begin a volume with the runs of another that ended as one file; recordings of the rest stay as they are."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        tables = {path: pq.read_table(path) for path in sorted(old.glob("*.parquet"))}
        rows = pa.concat_tables(tables.values(), promote_options="default").to_pylist()
        ended = {row["run_id"]: row for row in sorted(rows, key=lambda row: row["recorded_at"]) if row["ended_at"]}
        rest = [path for path in tables if path.name != _BEFORE and path.name.partition(".")[0] not in ended]
        table = pa.Table.from_pylist(list(ended.values()), schema=schema_of(RUN_COLUMNS))
        self._begin_volume(int(old.name) + 1, table, rest)

    def _begin_volume(self, number: int, rows: pa.Table, links: Iterable[Path] = ()) -> Path:
        """Make a volume aside and give it its name."""
        aside = self.root / f".{number:020d}.part"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        for path in links:
            os.link(path, aside / path.name)
        _write(rows, aside / _BEFORE)
        volume = aside.rename(self.root / f"{number:020d}")
        make_durable([volume / _BEFORE], self.warehouse)
        return volume

    def _volumes(self) -> list[Path]:
        return sorted(self.root.glob("[0-9]*"))

    def _path(self, run_id: str, status: str) -> Path:
        return self.volume() / f"{run_id}.{status}.parquet"

    @property
    def _mark(self) -> Path:
        return self.root / "caught-up"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with FileLock(self.root / ".lock"):
            yield


def _write(rows: pa.Table, target: Path) -> None:
    """Write a recording; its content is on the disk before it has its name, so that no reader ever finds half of it."""
    import pyarrow.parquet as pq

    with new_file(target.parent) as file:
        pq.write_table(rows, file, use_dictionary=False, compression="none")
        file.flush()
        os.fsync(file.fileno())
        publish(file, target)
