"""A recommendation is made when asked for, and publishes nothing."""

import dagster as dg
import pyarrow.parquet as pq
import pytest

from clustering_platform.orchestration.assets.recommendation import recommendation_file
from clustering_platform.orchestration.runs import faults_of
from clustering_platform.semantics import recommending
from clustering_platform_tests.orchestration.platform import Platform, materialized, write_conversation


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try two strategies only."""
    few = (recommending.Trial("flat", "hdbscan"), recommending.Trial("flat", "kmeans"))
    monkeypatch.setattr(recommending, "TRIALS", few)


def run(platform: Platform) -> dg.ExecuteInProcessResult:
    result = platform.run("recommend_topics", "talk")
    assert result.success, list(map(str, faults_of(result)))
    return result


@pytest.mark.usefixtures("quick")
def test_a_recommendation_is_shown_and_kept_beside_the_commits(platform: Platform) -> None:
    write_conversation(platform.dataset().folder, items=60, voters=5)
    assert platform.run("topics", "talk").success
    published = platform.log()
    shown = materialized(run(platform), "topic_recommendation")
    assert platform.log() == published
    assert "strategy: flat" in str(shown["recommended"])
    assert "| rank | strategy |" in str(shown["trials"])
    assert set(shown["CPU seconds"]) == {"flat, hdbscan", "flat, kmeans"}  # type: ignore[call-overload]
    rows = pq.read_table(recommendation_file(platform.settings, "talk")).to_pylist()
    assert sorted(row["rank"] for row in rows) == [1, 2]
    assert sum(row["is_recommended"] for row in rows) == 1


@pytest.mark.usefixtures("quick")
def test_made_again_it_is_the_same_to_the_last_bit(with_topics: Platform) -> None:
    contents = []
    for _ in range(2):
        run(with_topics)
        contents.append(recommendation_file(with_topics.settings, "talk").read_bytes())
    assert contents[0] == contents[1]


def test_without_vectors_it_says_what_to_run_first(platform: Platform) -> None:
    result = platform.run("recommend_topics", "talk")
    assert not result.success
    assert "run the job 'topics' for it first" in str(list(map(str, faults_of(result))))


def test_the_chain_that_publishes_does_without_it(platform: Platform) -> None:
    job = platform.definitions.resolve_job_def("topics")
    assert "topic_recommendation" not in [node.name for node in job.graph.nodes]
