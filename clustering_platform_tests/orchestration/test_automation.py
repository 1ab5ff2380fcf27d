"""What follows when one table changes, and what does not."""

from collections.abc import Callable

import dagster as dg
import pytest

import clustering_platform_tests.orchestration.platform as platform_module
from clustering_platform.orchestration.partitions import Slice
from clustering_platform.tables import TABLES
from clustering_platform_tests.orchestration.platform import DAY, QUIET, Platform, WordEmbedder

word_direction = platform_module._direction


class Watch:
    """Looks at the conditions again and again, as the daemon does."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.cursor: dg.AssetDaemonCursor | None = None

    def requested_during(self, work: Callable[[], object]) -> dict[str, set[str]]:
        """Return the assets that are asked for by a look that begins before some work, and reads while it is done."""
        events = self.platform.instance.event_log_storage
        began = events.get_maximum_record_id()
        work()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(events, "get_maximum_record_id", lambda: began)
            return self.requested()

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


@pytest.fixture
def watch(with_topics: Platform) -> Watch:
    watch = Watch(with_topics)
    assert watch.requested() == {}
    return watch


def test_nothing_follows_a_job_neither_while_it_is_under_way_nor_later(watch: Watch) -> None:
    assert watch.requested_during(lambda: watch.platform.run("opinions", Slice("talk", DAY).key)) == {}
    assert watch.requested() == {}


def test_what_depends_on_a_table_that_was_materialized_alone_follows_it_each_time_and_nothing_else(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    materialize_embeddings(watch.platform)
    assert watch.requested() == {}  # the same model: the same content
    for length in (3, 4):  # the second time, what was asked for is still to be made
        change_model(monkeypatch, length=length)
        materialize_embeddings(watch.platform)
        found = watch.requested()
        assert set(found) == {"talk"}
        assert found["talk"] >= {"found_topics", "item_topics", "topic_names", "curation"}
        assert found["talk"].isdisjoint({"items", "votes", "chunks", "embeddings"})
    assert watch.requested() == {}


def change_model(monkeypatch: pytest.MonkeyPatch, *, length: int) -> None:
    monkeypatch.setattr(WordEmbedder, "model", f"words of {length} letters")
    monkeypatch.setattr(platform_module, "_direction", lambda word: 2 * word_direction(word[:length]))


def materialize_embeddings(platform: Platform) -> None:
    job = platform.definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=platform.instance,
        partition_key="talk",
        asset_selection=[dg.AssetKey("embeddings")],
        run_config=QUIET,
    )
    assert result.success
