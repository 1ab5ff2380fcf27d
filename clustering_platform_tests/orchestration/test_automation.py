"""What follows when one table changes, and what does not."""

from datetime import date, timedelta

import dagster as dg
import pytest

import clustering_platform_tests.orchestration.platform as platform_module
from clustering_platform.orchestration.partitions import Slice
from clustering_platform.store.commits import Commit
from clustering_platform.tables import TABLES
from clustering_platform_tests.orchestration.platform import DAY, QUIET, Platform, WordEmbedder, materialized

EARLIEST, EARLIER = DAY - timedelta(days=5), DAY - timedelta(days=2)
word_direction = platform_module._direction
DRIFT = {"drift_days", "group_lineage", "group_flows", "voter_moves", "opinion_shifts"}


class Watch:
    """Looks at the conditions again and again, as the daemon does."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.cursor: dg.AssetDaemonCursor | None = None

    def requested(self) -> dict[str, set[str]]:
        """Return the assets that are asked for, by partition, since the last look."""
        result = dg.evaluate_automation_conditions(
            self.platform.definitions, self.platform.instance, cursor=self.cursor
        )
        self.cursor = result.cursor
        found: dict[str, set[str]] = {}
        for table in TABLES:
            for key in result.get_requested_partitions(dg.AssetKey(table)):
                found.setdefault(str(key), set()).add(table)
        return found


def test_drift_follows_published_days_and_nothing_follows_a_job_or_a_run_with_nothing_new(
    with_topics: Platform,
) -> None:
    platform = with_topics
    watch = Watch(platform)
    assert watch.requested() == {}
    platform.run("opinions", Slice("talk", DAY).key)
    assert watch.requested() == {"talk": DRIFT}
    assert platform.run("drift", "talk").success
    assert watch.requested() == {}
    first = platform.commits.newest("talk", None, scope="days")
    assert first
    assert compared_days(platform, first) == [(DAY, None)]

    platform.run("opinions", Slice("talk", DAY).key)
    assert watch.requested() == {}
    platform.run("drift", "talk")
    assert platform.commits.newest("talk", None, scope="days") == first

    for day in (EARLIER, EARLIEST):  # gaps are filled, two days between two looks
        platform.run("opinions", Slice("talk", day).key)
    assert watch.requested() == {"talk": DRIFT}
    result = platform.run("drift", "talk")
    second = platform.commits.newest("talk", None, scope="days")
    assert second
    assert compared_days(platform, second) == [(EARLIEST, None), (EARLIER, EARLIEST), (DAY, EARLIER)]
    assert "data:image/png" in str(materialized(result, "drift_days")["drift"])


def compared_days(platform: Platform, commit: Commit) -> list[tuple[date, date | None]]:
    table = platform.commits.files.read(platform.commits.committed_file(commit, "drift_days"))
    return list(zip(table["day"].to_pylist(), table["compared_with"].to_pylist(), strict=True))


def test_what_depends_on_a_table_that_was_materialized_alone_follows_it_and_nothing_else(
    with_topics: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = with_topics
    watch = Watch(platform)
    watch.requested()
    materialize_embeddings(platform)
    assert watch.requested() == {}  # the same model: the same content
    monkeypatch.setattr(WordEmbedder, "model", "longer words")
    monkeypatch.setattr(platform_module, "_direction", lambda word: 2 * word_direction(word[:3]))
    materialize_embeddings(platform)
    found = watch.requested()
    assert set(found) == {"talk"}
    assert found["talk"] >= {"found_topics", "item_topics", "topic_names", "curation"}
    assert found["talk"].isdisjoint({"items", "votes", "chunks", "embeddings", *DRIFT})


def materialize_embeddings(platform: Platform) -> None:
    job = platform.definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=platform.instance,
        partition_key="talk",
        asset_selection=[dg.AssetKey("embeddings")],
        run_config=QUIET,
    )
    assert result.success
