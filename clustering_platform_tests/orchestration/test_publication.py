"""What a run publishes: everything at its end, nothing twice, nothing half."""

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import dagster as dg
import pytest

from clustering_platform.orchestration import table_assets
from clustering_platform.orchestration.partitions import Slice
from clustering_platform.orchestration.publication import Publication
from clustering_platform.orchestration.recipes import FORCE_TAG
from clustering_platform.orchestration.runs import faults_of
from clustering_platform.orchestration.warehouse import Warehouse
from clustering_platform.store.catalog import connect
from clustering_platform.store.locks import dataset_lock
from clustering_platform.tables import TABLES
from clustering_platform.tables.outcomes import OUTCOME_TABLES
from clustering_platform_tests.orchestration.platform import DAY, Platform, materialized, write_conversation

KEY = f"talk|{DAY}"


def test_three_jobs_publish_every_table_of_the_contract(platform: Platform) -> None:
    assert all(result.success for result in [*platform.publish(), platform.run("drift", "talk")])
    days, day, whole = platform.log()
    assert [(commit.scope, commit.day) for commit in (whole, day, days)] == [
        ("dataset", None),
        ("day", DAY),
        ("days", None),
    ]
    assert set(whole.tables) | set(day.tables) | set(days.tables) == set(TABLES)
    assert {commit.status for commit in (whole, day, days)} == {"ready"}
    with connect(platform.settings.catalog) as catalog:
        assert catalog.execute("SELECT count(*) FROM voter_groups WHERE group_id IS NOT NULL").fetchall() == [(80,)]
        assert catalog.execute("SELECT size FROM groups ORDER BY 1").fetchall() == [(27,), (53,)]


def test_row_accounting_is_part_of_the_commit(platform: Platform) -> None:
    write_conversation(platform.dataset().folder, bad_rows=3)
    platform.run("topics", "talk")
    rows = platform.log()[0].rows
    assert rows
    assert rows.quarantined == 3
    assert rows.read == rows.accepted + rows.quarantined + rows.superseded


def test_a_run_with_nothing_new_computes_and_publishes_nothing(published: Platform) -> None:
    commits = published.log()
    topics, opinions = published.publish()
    assert topics.success
    assert opinions.success
    assert published.log() == commits
    assert materialized(topics, "topic_tree")["unchanged since commit"] == 1
    assert materialized(opinions, "opinion_snapshot")["unchanged since commit"] == 2
    assert "data:image/png;base64" in str(materialized(opinions, "opinion_snapshot")["opinion map"])


def test_force_computes_all_the_same_and_gives_the_same_content(published: Platform) -> None:
    assert published.run("opinions", KEY, tags={FORCE_TAG: "true"}).success
    newest, _, older = published.log()[0], None, published.log()[1]
    assert newest.sequence == 3
    assert {name: table.content for name, table in newest.tables.items()} == {
        name: table.content for name, table in older.tables.items()
    }


def test_votes_after_the_day_change_nothing_about_it(published: Platform) -> None:
    write_conversation(published.dataset().folder, extra=9)
    topics, opinions = published.publish()
    assert topics.success
    assert materialized(opinions, "vote_matrix")["unchanged since commit"] == 2
    assert materialized(opinions, "groups")["unchanged since commit"] == 2
    assert [commit.day for commit in published.log()] == [None, DAY, None]


def edit_items(platform: Platform, *, old: str, new: str) -> None:
    path = platform.dataset().folder / "items.csv"
    path.write_text(path.read_text().replace(old, new))


def test_new_texts_and_new_items_change_nothing_about_a_day(published: Platform) -> None:
    edit_items(published, old="id,text\n", new="id,text\ns77,a new statement\n")
    edit_items(published, old="the library roof", new="the roof of the library")
    topics, opinions = published.publish()
    assert topics.success
    assert materialized(topics, "items")["dagster/row_count"] == 25
    assert materialized(opinions, "vote_matrix")["unchanged since commit"] == 2


def test_moderation_of_an_item_that_was_voted_on_changes_the_day(published: Platform) -> None:
    edit_items(published, old="id,text\n", new="id,text,moderated\n")
    edit_items(published, old="number 0\n", new="number 0,-1\n")
    _, opinions = published.publish()
    assert opinions.success
    assert published.log()[0].day == DAY
    with connect(published.settings.catalog) as catalog:
        out = catalog.execute("SELECT item_id FROM voted_items WHERE is_moderated_out").fetchall()
    assert out == [("s0",)]


def publication(platform: Platform) -> Publication:
    context = SimpleNamespace(run=SimpleNamespace(run_id="new", parent_run_id=None), instance=platform.instance)
    warehouse = Warehouse(data_folder=str(platform.settings.data_folder))
    return Publication(warehouse, Slice("talk"), cast("dg.AssetExecutionContext", context))


def test_the_recipe_of_any_day_can_be_had_without_computing_it(published: Platform) -> None:
    later = DAY + timedelta(days=1)
    before = publication(published).day_recipe(DAY), publication(published).day_recipe(later)
    assert before[0] == before[1] == published.log()[0].fingerprint
    write_conversation(published.dataset().folder, extra=9)
    published.run("topics", "talk")
    assert publication(published).day_recipe(DAY) == before[0]
    assert publication(published).day_recipe(later) != before[1]


def test_a_changed_setting_makes_a_new_commit(published: Platform) -> None:
    (published.dataset().folder / "dataset.yaml").write_text("opinions: {max_groups: 3}")
    assert published.run("opinions", KEY).success
    assert published.log()[0].sequence == 3


def test_one_asset_alone_writes_its_file_and_says_that_publication_waits(platform: Platform) -> None:
    result = platform.run("topics", "talk", asset_selection=[dg.AssetKey(name) for name in INGEST])
    assert result.success
    assert platform.log() == []
    shown = materialized(result, "votes")
    assert shown["published"] == "not yet: that waits for 'topic_names'"
    assert (platform.settings.warehouse / str(shown["path"])).is_file()


INGEST = ("items", "item_vectors", "votes", "voters", "outcomes", "quarantine", "ingest_report")
OUTCOMES = tuple(table.name for table in OUTCOME_TABLES)
PIECES = (("chunks",), ("embeddings",))
FOUND = ("found_topics", "found_item_topics", "topic_levels", "topic_merges", "topic_scales", "topic_fit")
TREE = ("topic_tree", "item_topics", "topic_lineage")
STEPS = (FOUND, ("projection",), TREE, ("document_topics",), OUTCOMES, ("proposed_names",), ("written_names",))
LAST = ("topic_names", "curation")


def keys_of(*selections: tuple[str, ...]) -> list[dg.AssetKey]:
    return [dg.AssetKey(name) for selection in selections for name in selection]


def test_assets_materialized_one_by_one_are_published_by_the_last(platform: Platform) -> None:
    for selection in (INGEST, *PIECES, *STEPS):
        assert platform.run("topics", "talk", asset_selection=[dg.AssetKey(name) for name in selection]).success
        assert platform.log() == []
    assert platform.run("topics", "talk", asset_selection=[dg.AssetKey(name) for name in LAST]).success
    assert [commit.sequence for commit in platform.log()] == [1]


def test_tables_that_do_not_belong_together_are_not_published(platform: Platform) -> None:
    for selection in (INGEST, *PIECES, *STEPS):
        platform.run("topics", "talk", asset_selection=[dg.AssetKey(name) for name in selection])
    write_conversation(platform.dataset().folder, items=30)
    platform.run("topics", "talk", asset_selection=[dg.AssetKey(name) for name in (*INGEST, "embeddings")])
    result = platform.run("topics", "talk", asset_selection=[dg.AssetKey(name) for name in LAST])
    assert not result.success
    assert platform.log() == []


def test_re_execution_reads_what_the_first_run_made_and_writes_its_own(platform: Platform) -> None:
    first = platform.run("topics", "talk", asset_selection=keys_of(INGEST, *PIECES))
    rest = keys_of(*STEPS, LAST)
    tags = {"dagster/parent_run_id": first.run_id, "dagster/root_run_id": first.run_id}
    second = platform.run("topics", "talk", asset_selection=rest, tags=tags)
    assert second.success
    tables = platform.log()[0].tables
    assert first.run_id in tables["embeddings"].path
    assert second.run_id in tables["topic_tree"].path


def test_too_many_bad_rows_publish_nothing_and_say_why(platform: Platform) -> None:
    write_conversation(platform.dataset().folder, voters=20, bad_rows=200)
    result = platform.run("topics", "talk")
    assert not result.success
    assert platform.log() == []
    (fault,) = faults_of(result)
    assert fault.where == "quarantine"
    assert "200" in fault.message
    assert "votes.csv" in fault.message


def test_fewer_voters_than_needed_is_a_commit_with_what_there_is(platform: Platform) -> None:
    write_conversation(platform.dataset().folder, voters=12)
    _, opinions = platform.publish()
    assert opinions.success
    commit = platform.log()[0]
    assert commit.status == "insufficient_voters"
    assert commit.reason
    assert "12" in commit.reason
    assert "50" in commit.reason
    assert commit.tables["groups"].rows == 0
    assert commit.tables["item_statistics"].rows == 24


def test_a_dataset_that_is_not_in_the_inbox_fails_with_its_name(platform: Platform) -> None:
    platform.instance.add_dynamic_partitions("dataset", ["tulk"])
    result = platform.run("topics", "tulk")
    assert not result.success
    assert "did you mean 'talk'" in " ".join(map(str, faults_of(result)))


@pytest.fixture
def failing_projection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no map today")

    monkeypatch.setattr("clustering_platform.semantics.projection.project", fail)


@pytest.mark.usefixtures("failing_projection")
def test_a_failed_run_leaves_the_last_commit_as_it_was(platform: Platform) -> None:
    result = platform.run("topics", "talk")
    assert not result.success
    assert "no map today" in " ".join(map(str, faults_of(result)))
    assert platform.log() == []


def test_a_run_waits_for_the_one_that_holds_its_dataset(platform: Platform) -> None:
    impatient = Platform(platform.settings.home, platform.instance, lock_timeout=0.2)
    with dataset_lock(platform.settings.warehouse, "talk", holder="run 1", timeout=0):
        busy = impatient.run("topics", "talk")
    assert not busy.success
    assert "is still being computed by run 1" in " ".join(map(str, faults_of(busy)))
    assert impatient.run("topics", "talk").success


def test_a_run_that_lost_its_place_publishes_nothing(with_topics: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Warehouse, "base_sequence", property(lambda _: 0))
    late = with_topics.run("topics", "talk", tags={FORCE_TAG: "true"})
    assert not late.success
    assert "made by another run in the meantime" in " ".join(map(str, faults_of(late)))
    assert [commit.sequence for commit in with_topics.log()] == [1]


def ingest(platform: Platform) -> dg.ExecuteInProcessResult:
    return platform.run("topics", "talk", asset_selection=[dg.AssetKey(name) for name in INGEST])


def test_refused_input_is_no_input_for_opinions(published: Platform) -> None:
    write_conversation(published.dataset().folder, voters=60, bad_rows=400)
    refused, opinions = published.publish()
    assert materialized(refused, "votes") == {}
    assert materialized(refused, "quarantine")["dagster/row_count"] == 400
    assert materialized(opinions, "opinion_snapshot")["unchanged since commit"] == 2


def test_a_commit_says_what_input_it_was_made_from_and_not_what_lies_there_later(platform: Platform) -> None:
    first = ingest(platform)
    write_conversation(platform.dataset().folder, items=30)
    rest = keys_of(*PIECES, *STEPS, LAST)
    again = {"dagster/parent_run_id": first.run_id, "dagster/root_run_id": first.run_id}
    assert platform.run("topics", "talk", asset_selection=rest, tags=again).success
    assert platform.log()[0].tables["items"].rows == 24
    assert platform.run("topics", "talk").success
    assert platform.log()[0].tables["items"].rows == 30


def test_tables_made_with_other_settings_are_not_published_together(published: Platform) -> None:
    (published.dataset().folder / "dataset.yaml").write_text("opinions: {max_groups: 2}")
    alone = published.run("opinions", KEY, asset_selection=[dg.AssetKey("opinion_snapshot")])
    assert not alone.success
    assert "materialize 'vote_matrix' again, or the whole job" in " ".join(map(str, faults_of(alone)))
    assert published.run("opinions", KEY).success
    assert [commit.sequence for commit in published.log()] == [3, 2, 1]


def test_another_pseudonym_key_is_something_new(with_topics: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTERING_PSEUDONYM_KEY", "another key, long enough")
    with_topics.run("topics", "talk")
    newer, older = with_topics.log()
    assert newer.tables["votes"].content != older.tables["votes"].content


def test_a_file_that_got_lost_is_made_again_and_committed(published: Platform) -> None:
    lost = published.settings.warehouse / published.log()[0].tables["groups"].path
    lost.unlink()
    assert published.run("opinions", KEY).success
    newest, before = published.log()[:2]
    assert newest.tables["groups"].content == before.tables["groups"].content
    with connect(published.settings.catalog) as catalog:
        assert catalog.execute("SELECT count(*) FROM groups").fetchall() == [(2,)]


def test_a_catalog_that_got_lost_is_there_again_after_the_next_run(published: Platform) -> None:
    published.settings.catalog.unlink()
    published.run("opinions", KEY)
    with connect(published.settings.catalog) as catalog:
        assert catalog.execute("SELECT count(*) FROM groups").fetchall() == [(2,)]


def test_changed_topic_settings_leave_what_does_not_depend_on_them(published: Platform) -> None:
    (published.dataset().folder / "dataset.yaml").write_text("topics: {max_depth: 1}")
    topics, opinions = published.publish()
    assert materialized(topics, "votes")["unchanged since commit"] == 1
    assert "unchanged since commit" not in materialized(topics, "topic_tree")
    assert materialized(opinions, "vote_matrix")["unchanged since commit"] == 2


def test_votes_are_not_read_with_the_voters_of_another_reading(
    with_topics: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_topics.dataset().folder
    kept = table_assets.violations
    write_conversation(folder, extra=3)
    monkeypatch.setattr(
        table_assets,
        "violations",
        lambda table, contract: ["wrong"] if contract.name == "votes" else kept(table, contract),
    )
    assert not with_topics.run("topics", "talk").success, "only the refused votes are materialized, as evidence"
    monkeypatch.undo()
    commits = len(with_topics.log())
    day = with_topics.run("opinions", KEY)
    assert not day.success
    assert any("were not read together; run 'topics' again" in fault.message for fault in faults_of(day))
    assert len(with_topics.log()) == commits
