"""What `clustering runs` prints."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clustering_platform.cli.main import app
from clustering_platform.store.run_records import RunRecords

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
PUBLISHED = {"outcome": "published commit 3", "commit": 3, "ended_at": NOON, "seconds": 4.04}


def record(data: Path, run_id: str, minute: int, status: str, **more: Any) -> None:
    created = NOON + timedelta(minutes=minute)
    usual = {"job": "topics", "dataset": "talk", "launched_by": "sensor", "launcher": "inbox", "parameters": "{}"}
    row = {"run_id": run_id, "status": status, "created_at": created, "recorded_at": created, "outcome": status}
    RunRecords(data / "warehouse").record(usual | row | more)


def test_the_newest_runs_come_first_and_may_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lines(*arguments: str) -> list[str]:
        result = CliRunner().invoke(app, ["runs", *arguments])
        assert result.exit_code == 0, result.output
        return [" ".join(line.split()) for line in result.output.splitlines()]

    monkeypatch.setenv("CLUSTERING_DATA", str(tmp_path))
    assert lines()[0].startswith("no runs yet")
    record(tmp_path, "a", 0, "succeeded", **PUBLISHED)
    record(tmp_path, "b", 1, "failed", error="ingest: bad", job=None, parameters='{"assets": ["items", "votes"]}')
    record(tmp_path, "c", 2, "running", dataset="walk", launched_by="command line", launcher="clustering run")
    _, newest, failed, published = lines()
    assert newest == "2026-04-01 12:02:00 walk topics command line clustering run running running"
    assert failed == "2026-04-01 12:01:00 talk items, votes sensor inbox failed ingest: bad"
    assert published == "2026-04-01 12:00:00 talk topics sensor inbox succeeded 4.0 published commit 3"
    assert lines("talk", "--limit", "1")[1:] == [failed]
    assert lines("--failed")[1:] == [failed]
    assert lines("walk", "--failed") == ["no such runs"]
