"""Outcomes and topics of opinions from the input to what is published and shown."""

import csv

import dagster as dg
import pytest
from rich.console import Console

from clustering_platform.cli.summary import print_summary
from clustering_platform.orchestration.runs import faults_of
from clustering_platform.store.catalog import connect
from clustering_platform_tests.orchestration.platform import DAY, Platform, materialized
from clustering_platform_tests.orchestration.test_publication import INGEST, KEY


@pytest.fixture
def judged(platform: Platform) -> Platform:
    """A conversation of many more items, those on one of its three subjects nearly all wrong."""
    folder = platform.dataset().folder
    subjects = ("buses and trams run late", "the library roof leaks rain", "old oak trees stand tall")
    with (folder / "items.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows((f"s{item}", f"{subjects[item % 3]} {item}") for item in range(90))
    with (folder / "results.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item_id", "label", "truth"])
        writer.writerows(
            (f"s{item}", "wrong" if item % 3 == 0 and item % 7 else "correct", f"s{(item + 1) % 90}")
            for item in range(90)
        )
    (folder / "dataset.yaml").write_text("outcomes: {file: results.csv, truth: truth}\ntopics: {min_topic_size: 10}")
    return platform


def shown(platform: Platform) -> str:
    console = Console(width=200, record=True, quiet=True)
    with console.capture() as captured:
        console.quiet = False
        print_summary(platform.settings, "talk", console)
    return captured.get()


def test_outcomes_are_published_with_the_topics_and_shown(judged: Platform) -> None:
    topics = judged.run("topics", "talk")
    assert topics.success, list(map(str, faults_of(topics)))
    with connect(judged.settings.catalog) as catalog:
        counts = catalog.execute("SELECT items_with_outcome, errors FROM topic_outcomes WHERE depth = 0").fetchall()
        worst = catalog.execute(
            "SELECT t.exemplar_ids[1] FROM topic_outcomes o JOIN topic_tree t USING (topic_id) WHERE is_worse"
        ).fetchall()
        assert catalog.execute("SELECT count(*) FROM outcomes").fetchall() == [(90,)]
        assert catalog.execute("SELECT pairs FROM outcome_pairs WHERE depth = 1").fetchall() == [(90,)]
    assert counts == [(90, 25)]
    assert worst
    assert all(int(item[1:]) % 3 == 0 for (item,) in worst)
    assert "buses and trams" in str(materialized(topics, "topic_outcomes")["worst topics"])
    assert "Outcomes: 90 items have one, 25 are errors (28%)" in shown(judged)
    assert "more errors: " in shown(judged)


def test_a_dataset_without_outcomes_shows_nothing_of_them(published: Platform) -> None:
    assert "Outcomes" not in shown(published)


def test_another_outcome_is_something_new_and_an_unknown_item_is_refused(judged: Platform) -> None:
    judged.run("topics", "talk")
    results = judged.dataset().folder / "results.csv"
    results.write_text(results.read_text().replace("s0,correct", "s0,wrong"))
    assert judged.run("topics", "talk").success
    with connect(judged.settings.catalog) as catalog:
        assert catalog.execute("SELECT errors FROM topic_outcomes WHERE depth = 0").fetchall() == [(26,)]
    results.write_text(results.read_text().replace("\ns", "\nx"))
    refused = judged.run("topics", "talk")
    assert "no item of this dataset has that id" in " ".join(map(str, faults_of(refused)))


def test_a_day_says_which_published_topics_divide_its_groups(platform: Platform) -> None:
    _, opinions = platform.publish()
    assert opinions.success
    with connect(platform.settings.catalog) as catalog:
        (root,) = catalog.execute("SELECT items, seen FROM topic_divisions WHERE depth = 0").fetchall()
        assert root == catalog.execute("SELECT count(*), sum(seen) FROM voted_items").fetchone()
        assert catalog.execute("SELECT count(*) FROM topic_opinions WHERE depth = 0").fetchall() == [(2,)]


def test_a_day_without_published_topics_has_no_topics_yet_and_has_them_later(platform: Platform) -> None:
    assert platform.run("topics", "talk", asset_selection=[dg.AssetKey(name) for name in INGEST]).success
    assert platform.run("opinions", KEY).success
    assert platform.log()[0].tables["topic_divisions"].rows == 0
    later = platform.publish()[1]
    assert later.success
    assert "unchanged since commit" in materialized(later, "voting_patterns")
    assert platform.log()[0].tables["topic_divisions"].rows > 0


def test_other_topics_make_only_what_depends_on_them_anew(published: Platform) -> None:
    before = published.log()[0]
    (published.dataset().folder / "dataset.yaml").write_text("topics: {max_depth: 0}")
    _, opinions = published.publish()
    assert opinions.success
    after = published.log()[0]
    assert after.day == before.day == DAY
    assert after.sequence > before.sequence, "the day was published anew"
    assert after.fingerprint == before.fingerprint, "but goes for the same to days that go on from it"
    assert after.tables["topic_divisions"].content != before.tables["topic_divisions"].content
    changed = {name for name, table in after.tables.items() if table.path != before.tables[name].path}
    assert changed == {"topic_opinions", "topic_divisions", "opinion_snapshot"}
    again = published.publish()[1]
    assert "unchanged since commit" in materialized(again, "opinion_snapshot")


def test_topics_of_a_day_made_with_topics_of_before_are_not_published(published: Platform) -> None:
    (published.dataset().folder / "dataset.yaml").write_text("topics: {max_depth: 0}")
    published.run("topics", "talk")
    alone = published.run("opinions", KEY, asset_selection=[dg.AssetKey("opinion_snapshot")])
    assert not alone.success
    assert "materialize 'topic_opinions' again" in " ".join(map(str, faults_of(alone)))
