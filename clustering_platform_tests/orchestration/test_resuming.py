"""Runs that stopped go on from where they were, and do not publish what is out of date."""

from __future__ import annotations

import uuid
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from clustering_platform.orchestration.embedders import Embedders
from clustering_platform.orchestration.errors import ResumeError
from clustering_platform.orchestration.executing import execute, execute_from_failure
from clustering_platform.orchestration.partitions import Slice
from clustering_platform.orchestration.resuming import stopped_run, stopped_runs
from clustering_platform.orchestration.runs import faults_of
from clustering_platform.topics_config import EmbeddingConfig
from clustering_platform_tests.orchestration.platform import Platform, WordEmbedder, new_platform, write_conversation


class FaultyEmbedders(Embedders):
    """Gives every dataset an embedder that fails until it is mended."""

    def create(self, config: EmbeddingConfig) -> AbstractContextManager[Any]:
        """Return the embedder."""
        return _Faulty()


class _Faulty(WordEmbedder):
    is_mended = False

    def embed(self, texts: list[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        if not self.is_mended:
            raise ZeroDivisionError
        return super().embed(texts)


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A platform on which a run failed while it embedded; the fault is mended since."""
    with new_platform(tmp_path, embedders=FaultyEmbedders()) as platform:
        write_conversation(platform.dataset().folder)
        assert not run_topics(platform).success
        monkeypatch.setattr(_Faulty, "is_mended", True)
        yield platform


def run_topics(platform: Platform) -> dg.ExecuteInProcessResult:
    """Run the job as the command line does."""
    job = platform.definitions.resolve_job_def("topics")
    return execute(platform.instance, job, Slice("talk"), run_id=str(uuid.uuid4()), tags={"clustering/force": "true"})


def resume(platform: Platform, run: dg.DagsterRun) -> dg.ExecuteInProcessResult:
    """Resume a run as the command line does."""
    job = platform.definitions.resolve_job_def(run.job_name)
    return execute_from_failure(platform.instance, job, run, run_id=str(uuid.uuid4()))


def test_a_failed_run_goes_on_where_it_was(stopped: Platform) -> None:
    (found,) = stopped_runs(stopped.instance)
    assert (found.job, found.part, found.how) == ("topics", Slice("talk"), "failed")
    failed, _ = stopped_run(stopped.instance, found.run.run_id[:8])
    result = resume(stopped, failed)
    assert result.success
    assert "ingest" not in {event.step_key for event in result.all_events}
    (commit,) = stopped.log()
    made = Counter(Path(table.path).stem for table in commit.tables.values())
    assert made[failed.run_id] >= 8
    assert set(made) == {failed.run_id, result.run_id}
    assert result.dagster_run.tags["clustering/force"] == "true"
    assert result.dagster_run.tags["dagster/root_run_id"] == failed.run_id
    assert list(stopped_runs(stopped.instance)) == []
    for run_id, told in ((result.run_id, "its status is SUCCESS"), ("0" * 8, "no run has that id")):
        with pytest.raises(ResumeError, match=told):
            stopped_run(stopped.instance, run_id)


def test_input_that_changed_since_is_not_published_as_it_was(stopped: Platform) -> None:
    (found,) = stopped_runs(stopped.instance)
    write_conversation(stopped.dataset().folder, extra=1)
    result = resume(stopped, found.run)
    assert ["the input of talk changed since" in fault.message for fault in faults_of(result)] == [True]
    assert stopped.log() == []


def test_assets_chosen_by_hand_go_on_too(stopped: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(_Faulty, "is_mended", False)
        failed = stopped.run("__ASSET_JOB", "talk", asset_selection=[dg.AssetKey("embeddings")]).dagster_run
    found, _ = stopped_runs(stopped.instance)
    assert (found.run.run_id, found.job) == (failed.run_id, "embeddings")
    result = resume(stopped, found.run)
    assert result.success
    assert {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()} == {"embeddings"}


def test_the_record_of_a_run_of_the_command_line_names_where_its_job_is(stopped: Platform) -> None:
    (found,) = stopped_runs(stopped.instance)
    origin = found.run.remote_job_origin
    assert origin
    assert (origin.location_name, origin.job_name) == ("clustering_platform.definitions", "topics")
