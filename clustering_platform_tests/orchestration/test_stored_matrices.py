"""Which stored matrix a day goes on from, and that this changes nothing about the day."""

from datetime import timedelta

import pytest

from clustering_platform.orchestration.partitions import Slice
from clustering_platform.orchestration.recipes import FORCE_TAG
from clustering_platform_tests.orchestration.platform import DAY, Platform, materialized, write_conversation


def test_a_day_goes_on_from_the_matrix_of_the_day_before(published: Platform) -> None:
    write_conversation(published.dataset().folder, extra=9)
    later = DAY + timedelta(days=1)
    _, grown = published.publish(day=later)
    assert materialized(grown, "vote_matrix")["went on from"] == "the matrix of commit 2"
    assert published.run("opinions", Slice("talk", later).key, tags={FORCE_TAG: "true"}).success
    anew, before = published.log()[:2]
    assert {name: table.content for name, table in anew.tables.items()} == {
        name: table.content for name, table in before.tables.items()
    }


@pytest.mark.parametrize("settings", ["opinions: {window: 60}", None], ids=["a window", "other votes"])
def test_a_matrix_that_does_not_fit_is_not_gone_on_from(published: Platform, settings: str | None) -> None:
    write_conversation(published.dataset().folder, extra=9)
    if settings:
        (published.dataset().folder / "dataset.yaml").write_text(settings)
    else:
        votes = published.dataset().folder / "votes.csv"
        votes.write_text(votes.read_text().replace("v3,s4,", "v3,s77,", 1))
    _, opinions = published.publish(day=DAY + timedelta(days=1))
    assert opinions.success
    assert "went on from" not in materialized(opinions, "vote_matrix")


def test_a_matrix_of_a_window_is_not_taken_for_one_of_all_votes(platform: Platform) -> None:
    (platform.dataset().folder / "dataset.yaml").write_text("opinions: {window: 20}")
    platform.publish()
    (platform.dataset().folder / "dataset.yaml").write_text("opinions: {window: all}")
    opinions = platform.run("opinions", Slice("talk", DAY).key)
    assert opinions.success
    assert "went on from" not in materialized(opinions, "vote_matrix")
    assert platform.log()[0].tables["vote_matrix"].rows == 80
