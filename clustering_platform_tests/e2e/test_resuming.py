"""`clustering resume` on a platform of which nothing runs in the background."""

from pathlib import Path

import pytest

from clustering_platform.store.commits import Commits
from clustering_platform.store.files import Files
from clustering_platform_tests.e2e.processes import clustering_here
from clustering_platform_tests.orchestration.platform import write_conversation

pytestmark = pytest.mark.e2e


def test_a_resumed_day_is_published_and_drift_with_it(tmp_path: Path) -> None:
    data, source = tmp_path / "data", tmp_path / "talk"
    source.mkdir()
    write_conversation(source)
    (source / "items.csv").unlink()  # without texts, no model is loaded
    clustering_here(data, "add", str(source))
    in_the_way = data / "warehouse" / "files" / "groups" / "talk"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.touch()
    failed = clustering_here(data, "run", "talk", "--day", "2026-03-31", exit_code=1)
    assert "groups: " in failed
    in_the_way.unlink()
    _, listed = clustering_here(data, "resume").splitlines()
    run_id, dataset, day, job, *_ = listed.split()
    assert (dataset, day, job) == ("talk", "2026-03-31", "opinions")
    printed = clustering_here(data, "resume", run_id)
    assert "opinions of talk on 2026-03-31: done" in printed
    log = list(Commits(Files(data / "warehouse")).log("talk"))
    assert [commit.scope for commit in log] == ["days", "day", "dataset"]
