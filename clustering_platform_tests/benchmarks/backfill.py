"""Thirty days of a real conversation, backfilled through the Dagster UI in any order, beside the days made in order.

Needs the shared data. The baseline is `clustering backfill`: one process, one day after the other.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from clustering_platform.store.commits import Commits
from clustering_platform.store.files import Files
from clustering_platform_tests.conftest import SHARED_DATA
from clustering_platform_tests.e2e.processes import DagsterDev, clustering, wait_for

NAME, SOURCE = "scoop-hivemind-biodiversity", "scoop-hivemind.biodiversity"
FIRST = date(2019, 8, 5)
_HOUR = 3600.0
_SETTINGS = {"CLUSTERING_START_DAY": str(FIRST), "CLUSTERING_PSEUDONYM_KEY": "the same key for both of them"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print seconds a day of both ways, and whether they published the same."""
    parser = argparse.ArgumentParser(prog="backfill", description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1, help="of the order of the days")
    chosen = parser.parse_args(arguments)
    if not SHARED_DATA.is_dir():
        print(f"  no conversations at {SHARED_DATA}")
        return
    days = [FIRST + timedelta(days=number) for number in range(chosen.days)]
    with tempfile.TemporaryDirectory() as temporary:
        ordered, shuffled = (Path(temporary) / name / "data" for name in ("ordered", "shuffled"))
        for data in (ordered, shuffled):
            _clustering(data, "add", str(SHARED_DATA / "polis" / SOURCE))
            _clustering(data, "run", NAME)  # today, which a running platform publishes by itself
        print(f"in order: {_in_order(ordered, days) / len(days):.1f} s a day", flush=True)
        print(f"through the UI, shuffled: {_shuffled(shuffled, days, chosen.seed) / len(days):.1f} s a day", flush=True)
        expected, found = published(ordered), published(shuffled)
        same = sum(found.get(day) == tables for day, tables in expected.items())
        print(f"{same} of {len(expected)} commits have the same content in all tables, drift among them", flush=True)


def published(data: Path) -> dict[date | None, dict[str, str]]:
    """Return the content of each table of each published day, and of drift under None."""
    commits = Commits(Files(data / "warehouse"))
    drift = commits.newest(NAME, None, scope="days")
    found = [*(commit for commit in commits.current(NAME) if commit.day), *([drift] if drift else [])]
    return {commit.day: {name: table.content for name, table in commit.tables.items()} for commit in found}


def _clustering(data: Path, *arguments: str) -> None:
    clustering(data, *arguments, **_SETTINGS)


def _in_order(data: Path, days: Sequence[date]) -> float:
    began = time.monotonic()
    _clustering(data, "backfill", NAME, "--from", str(days[0]), "--to", str(days[-1]))
    return time.monotonic() - began


def _shuffled(data: Path, days: Sequence[date], seed: int) -> float:
    keys = [f"{NAME}|{day}" for day in days]
    random.Random(seed).shuffle(keys)
    with DagsterDev(data, **_SETTINGS) as dagster:
        began = time.monotonic()
        dagster.backfill("opinions", keys, seconds=_HOUR)
        seconds = time.monotonic() - began
        wait_for(lambda: _days_of_drift(data) == len(days) + 1, seconds=180, what="drift")
    return seconds


def _days_of_drift(data: Path) -> int:
    drift = Commits(Files(data / "warehouse")).newest(NAME, None, scope="days")
    return drift.tables["drift_days"].rows if drift else 0


if __name__ == "__main__":
    main()
