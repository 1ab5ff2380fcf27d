"""When drift is made anew."""

from datetime import date, timedelta

import dagster as dg

from clustering_platform.orchestration.partitions import Slice
from clustering_platform.orchestration.sensors import look_for_days
from clustering_platform.store.commits import Commit
from clustering_platform_tests.orchestration.platform import DAY, Platform, materialized

EARLIEST, EARLIER = DAY - timedelta(days=5), DAY - timedelta(days=2)
UNDER_WAY = dg.DagsterRunStatus.STARTED


def look(platform: Platform, cursor: str | None = None) -> dg.SensorResult:
    with dg.build_sensor_context(instance=platform.instance, cursor=cursor) as context:
        return look_for_days(context, platform.commits)


def requested(result: dg.SensorResult) -> list[str | None]:
    return [request.partition_key for request in result.run_requests or []]


def drift(platform: Platform) -> Commit | None:
    return platform.commits.newest("talk", None, scope="days")


def compared_days(platform: Platform) -> list[tuple[date, date | None]]:
    commit = drift(platform)
    assert commit
    table = platform.commits.files.read(platform.commits.committed_file(commit, "drift_days"))
    return list(zip(table["day"].to_pylist(), table["compared_with"].to_pylist(), strict=True))


def test_topics_alone_ask_for_no_drift(with_topics: Platform) -> None:
    assert requested(look(with_topics)) == []


def test_drift_is_asked_for_once_when_a_day_was_published_whoever_did_it(published: Platform) -> None:
    first = look(published)
    assert requested(first) == ["talk"]
    assert requested(look(published, first.cursor)) == []
    assert published.run("drift", "talk").success
    assert requested(look(published)) == []


def test_nothing_is_asked_for_after_a_run_that_found_nothing_new(published: Platform) -> None:
    published.run("drift", "talk")
    before = drift(published)
    published.run("opinions", Slice("talk", DAY).key)
    assert requested(look(published)) == []
    published.run("drift", "talk")
    assert drift(published) == before


def test_filled_gaps_are_waited_for_and_then_compared_in_order(published: Platform) -> None:
    published.run("drift", "talk")
    waits = published.instance.create_run_for_job(
        published.definitions.resolve_job_def("opinions"),
        status=UNDER_WAY,
        tags={"dagster/partition": Slice("talk", EARLIEST).key},
    )
    published.run("opinions", Slice("talk", EARLIER).key)
    early = look(published)
    assert requested(early) == []
    assert "days of it are being made: talk" in str(early.skip_reason)
    published.instance.delete_run(waits.run_id)
    published.run("opinions", Slice("talk", EARLIEST).key)
    assert requested(look(published, early.cursor)) == ["talk"]
    result = published.run("drift", "talk")
    assert compared_days(published) == [(EARLIEST, None), (EARLIER, EARLIEST), (DAY, EARLIER)]
    assert "data:image/png" in str(materialized(result, "drift_days")["drift"])


def test_a_dataset_whose_commits_cannot_be_read_stops_no_other(published: Platform) -> None:
    published.instance.add_dynamic_partitions("dataset", ["damaged"])
    damaged = published.commits.path("damaged", 1)
    damaged.parent.mkdir()
    damaged.write_text("{")
    assert requested(look(published)) == ["talk"]
