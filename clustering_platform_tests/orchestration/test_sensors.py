"""What the sensors and the schedule ask for."""

import os
import time
import uuid
from datetime import date
from pathlib import Path

import dagster as dg

from clustering_platform.orchestration.assets.sources import observe
from clustering_platform.orchestration.partitions import today
from clustering_platform.orchestration.schedules import snapshot_requests
from clustering_platform.orchestration.sensors import look_for_votes, look_into_inbox
from clustering_platform_tests.orchestration.platform import DAY, Platform, write_conversation


def look(platform: Platform, cursor: str | None = None) -> dg.SensorResult:
    with dg.build_sensor_context(instance=platform.instance, cursor=cursor) as context:
        result = look_into_inbox(context, platform.settings.inbox)
    assert isinstance(result, dg.SensorResult)
    return result


def settle(folder: Path, *, seconds: float = 60) -> None:
    for path in folder.iterdir():
        os.utime(path, (time.time() - seconds, time.time() - seconds))


def test_a_new_dataset_gets_a_partition_and_a_run(platform: Platform) -> None:
    platform.instance.delete_dynamic_partition("dataset", "talk")
    settle(platform.settings.inbox / "talk")
    result = look(platform)
    (request,) = result.run_requests or []
    (addition,) = result.dynamic_partitions_requests or []
    assert (request.partition_key, request.tags["clustering/dataset"]) == ("talk", "talk")
    assert list(addition.partition_keys) == ["talk"]
    assert {event.asset_key.to_user_string() for event in result.asset_events} == {"dataset_files", "dataset_config"}


def test_an_unchanged_dataset_is_not_requested_again(platform: Platform) -> None:
    settle(platform.dataset().folder)
    first = look(platform)
    again = look(platform, first.cursor)
    assert again.run_requests == []
    assert again.cursor == first.cursor


def test_touching_a_file_without_changing_it_requests_nothing(platform: Platform) -> None:
    settle(platform.dataset().folder)
    first = look(platform)
    settle(platform.dataset().folder, seconds=30)
    assert look(platform, first.cursor).run_requests == []


def test_changed_content_is_requested_once_under_a_key_of_its_own(platform: Platform) -> None:
    settle(platform.dataset().folder)
    first = look(platform)
    write_conversation(platform.dataset().folder, extra=5)
    settle(platform.dataset().folder)
    second = look(platform, first.cursor)
    keys = [request.run_key for result in (first, second) for request in result.run_requests or []]
    assert len(set(keys)) == 2


def test_content_that_comes_back_is_requested_again(platform: Platform) -> None:
    folder, cursor, keys = platform.dataset().folder, None, []
    for extra in (0, 5, 0):
        write_conversation(folder, extra=extra)
        settle(folder, seconds=100 - len(keys))
        result = look(platform, cursor)
        cursor = result.cursor
        keys += [request.run_key for request in result.run_requests or []]
    assert len(set(keys)) == 3


def test_the_first_look_for_votes_leaves_alone_what_was_there_before(with_topics: Platform) -> None:
    with dg.build_sensor_context(instance=with_topics.instance) as context:
        first = look_for_votes(context)
    assert first.run_requests == []
    with_topics.run("topics", "talk", tags={"clustering/force": "true"})
    with dg.build_sensor_context(instance=with_topics.instance, cursor=first.cursor) as context:
        (request,) = look_for_votes(context).run_requests or []
    assert request.partition_key == f"talk|{today()}"


def test_files_that_are_still_being_written_are_left_for_later(platform: Platform) -> None:
    assert look(platform).run_requests == []


def test_a_link_in_the_inbox_is_reported_and_stops_no_other_dataset(platform: Platform) -> None:
    settle(platform.dataset().folder)
    other = platform.dataset("linked").folder
    (other / "votes.csv").symlink_to("/etc/hostname")
    assert [request.partition_key for request in look(platform).run_requests or []] == ["talk"]


def test_read_votes_ask_for_todays_snapshot_of_every_dataset_once(platform: Platform) -> None:
    write_conversation(platform.dataset("walk").folder)
    for name in ("talk", "walk"):
        assert platform.run("topics", name).success
    with dg.build_sensor_context(instance=platform.instance, cursor="0") as context:
        result = look_for_votes(context)
    assert [request.partition_key for request in result.run_requests or []] == [
        f"talk|{today()}",
        f"walk|{today()}",
    ]
    with dg.build_sensor_context(instance=platform.instance, cursor=result.cursor) as context:
        assert look_for_votes(context).run_requests == []


def test_the_schedule_asks_for_a_day_of_all_datasets_with_votes(with_topics: Platform) -> None:
    (with_topics.dataset("texts").folder / "items.csv").write_text("id,text\n1,one\n2,two\n")
    with_topics.run("topics", "texts")
    requests = list(snapshot_requests(with_topics.instance, with_topics.settings, date(2026, 4, 1)))
    assert [getattr(request, "partition_key", request) for request in requests] == ["talk|2026-04-01"]


def test_the_schedule_asks_for_nothing_before_the_day_axis(platform: Platform) -> None:
    (reason,) = snapshot_requests(platform.instance, platform.settings, date(2025, 12, 31))
    assert isinstance(reason, dg.SkipReason)


def test_a_changed_setting_is_seen_as_that_and_not_as_changed_files(platform: Platform) -> None:
    def versions() -> dict[str, str]:
        return {event.asset_key.to_user_string(): event.tags["dagster/data_version"] for event in observe(dataset)}

    dataset = platform.dataset()
    before = versions()
    (dataset.folder / "dataset.yaml").write_text("title: Talk")
    settings = versions()
    write_conversation(dataset.folder, extra=1)
    files = versions()
    assert (settings["dataset_files"], files["dataset_config"]) == (before["dataset_files"], settings["dataset_config"])
    assert settings["dataset_config"] != before["dataset_config"]
    assert files["dataset_files"] != before["dataset_files"]


def archive(platform: Platform, name: str = "talk") -> None:
    (platform.settings.inbox / name / "dataset.yaml").write_text("archived: true\n")


def test_an_archived_dataset_leaves_the_axis_and_comes_back_when_it_is_live_again(platform: Platform) -> None:
    settle(platform.dataset().folder)
    first = look(platform)
    archive(platform)
    second = look(platform, first.cursor)
    (removal,) = second.dynamic_partitions_requests or []
    assert list(removal.partition_keys) == ["talk"]
    assert second.run_requests == []
    platform.instance.delete_dynamic_partition("dataset", "talk")
    assert list(snapshot_requests(platform.instance, platform.settings, DAY))[-1] == dg.SkipReason(
        "no dataset with votes yet"
    )
    (platform.settings.inbox / "talk" / "dataset.yaml").unlink()
    settle(platform.settings.inbox / "talk")
    third = look(platform, second.cursor)
    assert [request.partition_key for request in third.run_requests or []] == ["talk"]
    assert [list(request.partition_keys) for request in third.dynamic_partitions_requests or []] == [["talk"]]


def test_a_dataset_stays_on_the_axis_while_a_run_of_it_is_under_way(platform: Platform) -> None:
    archive(platform)
    tags = {"dagster/partition": "talk|2026-03-31"}
    run = dg.DagsterRun(job_name="opinions", run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED, tags=tags)
    platform.instance.add_run(run)
    assert not look(platform).dynamic_partitions_requests
    platform.instance.report_run_canceled(run)
    assert look(platform).dynamic_partitions_requests


def test_an_inbox_out_of_reach_takes_no_dataset_away(platform: Platform) -> None:
    platform.settings.inbox.rename(platform.settings.inbox.with_name("elsewhere"))
    assert not look(platform).dynamic_partitions_requests
