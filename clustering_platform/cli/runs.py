"""`clustering runs`: the history of runs."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from clustering_platform.cli.rows import ask
from clustering_platform.settings import Settings

_LATEST = """
    SELECT * FROM ({runs})
    WHERE coalesce(dataset = $dataset, $dataset IS NULL)
      AND (NOT $failed OR status IN ('failed', 'cancelled', 'killed'))
    ORDER BY created_at DESC, run_id LIMIT $limit
"""
_STYLES = {"failed": "red", "killed": "red", "cancelled": "yellow"}


def print_runs(settings: Settings, out: Console, *, dataset: str | None, failed: bool, limit: int) -> None:
    """Print the newest runs, of one dataset or all, or only those that did not succeed, as Dagster knows them now."""
    from clustering_platform.orchestration.instance import open_instance
    from clustering_platform.orchestration.reaping import reap
    from clustering_platform.orchestration.run_history import RunHistory

    with open_instance(settings) as instance:
        reap(instance, settings)
        history = RunHistory(instance, settings)
        while history.catch_up():
            pass
    runs = _latest(settings, dataset=dataset, failed=failed, limit=limit)
    if not runs:
        out.print("no such runs" if dataset or failed else "no runs yet; start one with `clustering run NAME`")
        return
    heads = ("dataset", "day", "job", "launched by", "status")
    table = Table(
        Column("created (UTC)", no_wrap=True), *heads, Column("seconds", justify="right"), "outcome", box=None
    )
    for run in runs:
        table.add_row(*_cells(run), style=_STYLES.get(run["status"]))
    out.print(table)


def _latest(settings: Settings, **wanted: object) -> list[dict[str, Any]]:
    import duckdb

    from clustering_platform.store.catalog_views import runs_query
    from clustering_platform.store.run_records import RunRecords

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        runs = runs_query(RunRecords(settings.warehouse))
        return ask(connection, _LATEST.format(runs=runs), **wanted)


def _cells(run: dict[str, Any]) -> list[str]:
    seconds = "" if run["seconds"] is None else f"{run['seconds']:.1f}"
    said = (None if run["outcome"] == run["status"] else run["outcome"], run["error"])
    outcome = "; ".join(filter(None, said)) or run["outcome"]
    launched = " ".join(filter(None, (run["launched_by"], run["launcher"])))
    job = run["job"] or ", ".join(json.loads(run["parameters"]).get("assets", []))
    created = f"{run['created_at']:%Y-%m-%d %H:%M:%S}"
    return [created, run["dataset"] or "", str(run["day"] or ""), job, launched, run["status"], seconds, outcome]
