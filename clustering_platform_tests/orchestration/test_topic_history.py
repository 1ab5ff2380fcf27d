"""Ids and decisions through the whole chain: what lasts when items come and people decide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from clustering_platform.orchestration.recipes import FORCE_TAG
from clustering_platform.orchestration.runs import faults_of
from clustering_platform.orchestration.topic_history import check_compared, earlier_topics
from clustering_platform.store.catalog import connect
from clustering_platform.store.curation import Action, Curation
from clustering_platform.store.errors import StoreError
from clustering_platform.store.garbage import collect_garbage
from clustering_platform_tests.orchestration.platform import Platform, materialized, new_platform, write_conversation
from clustering_platform_tests.orchestration.test_publication import FOUND, INGEST, PIECES, keys_of
from clustering_platform_tests.orchestration.test_publication import TREE as TREE_ASSET
from clustering_platform_tests.store.test_garbage import pass_hours

TREE = ("found_topics", "topic_tree", "item_topics")


@pytest.fixture(scope="module")
def with_tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """To be copied only: a tree of several topics is published."""
    with new_platform(tmp_path_factory.mktemp("tree")) as made:
        (made.dataset().folder / "dataset.yaml").write_text("topics: {min_topic_size: 6}")
        write_conversation(made.dataset().folder, items=60, voters=5)
        run(made)
        yield made


@pytest.fixture
def published(with_tree: Platform, tmp_path: Path) -> Iterator[Platform]:
    """A platform with a tree of several topics published."""
    with with_tree.copied(tmp_path) as copy:
        yield copy


def run(platform: Platform, *, force: bool = False) -> dg.ExecuteInProcessResult:
    result = platform.run("topics", "talk", tags={FORCE_TAG: "true"} if force else {})
    assert result.success, list(map(str, faults_of(result)))
    return result


def decide(platform: Platform, action: Action, topic_id: str, value: str | None = None) -> None:
    Curation(platform.settings.warehouse).append("talk", action, topic_id, value, author="Ada")


def ask(platform: Platform, question: str) -> list[tuple[Any, ...]]:
    with connect(platform.settings.catalog) as catalog:
        return catalog.execute(question).fetchall()


def leaves(platform: Platform) -> list[str]:
    rows = ask(platform, "SELECT topic_id FROM topic_tree WHERE method = 'leaf' ORDER BY size DESC, topic_id")
    return [topic_id for (topic_id,) in rows]


def is_unchanged(result: dg.ExecuteInProcessResult, table: str) -> bool:
    return "unchanged since commit" in materialized(result, table)


def test_a_rename_is_published_without_growing_the_tree_and_holds_when_items_come(published: Platform) -> None:
    topic = leaves(published)[0]
    decide(published, "rename", topic, "Things on wheels")
    renamed = run(published)
    assert all(is_unchanged(renamed, table) for table in ("embeddings", *TREE, "proposed_names"))
    named = f"SELECT name, source FROM topic_names WHERE topic_id = '{topic}'"
    assert ask(published, named) == [("Things on wheels", "human")]
    write_conversation(published.dataset().folder, items=69, voters=5)
    grown = run(published)
    assert not is_unchanged(grown, "found_topics")
    assert ask(published, named) == [("Things on wheels", "human")]
    assert ask(published, f"SELECT status FROM topic_lineage WHERE topic_id = '{topic}'") == [("continued",)]
    assert ask(published, "SELECT state, author FROM curation") == [("applied", "Ada")]


def test_a_merge_makes_the_tree_anew_from_what_was_found_and_is_undone_to_the_same_bytes(published: Platform) -> None:
    before = published.log()[0].tables
    one, other = leaves(published)[:2]
    decide(published, "merge", one, other)
    merged = run(published)
    assert is_unchanged(merged, "found_topics")
    assert one not in leaves(published)
    decide(published, "undo", one, "1")
    run(published)
    after = published.log()[0].tables
    for table in ("topic_tree", "item_topics", "topic_names"):
        assert after[table].content == before[table].content


def test_a_forced_run_on_the_same_input_gives_the_same_ids_all_continued(published: Platform) -> None:
    before = published.log()[0].tables
    run(published, force=True)
    after = published.log()[0].tables
    for table in ("found_topics", "found_item_topics", "topic_tree", "item_topics", "topic_names"):
        assert after[table].content == before[table].content
    assert ask(published, "SELECT DISTINCT status, compared_with FROM topic_lineage") == [("continued", 1)]


def test_the_same_input_in_two_warehouses_gives_the_same_bytes(published: Platform, tmp_path_factory: Any) -> None:
    with new_platform(tmp_path_factory.mktemp("other")) as other:
        (other.dataset().folder / "dataset.yaml").write_text("topics: {min_topic_size: 6}")
        write_conversation(other.dataset().folder, items=60, voters=5)
        run(other)
        same = {
            name: table.content for name, table in other.log()[0].tables.items() if name in (*TREE, "topic_lineage")
        }
    assert same == {name: published.log()[0].tables[name].content for name in same}


def test_with_nothing_decided_since_nothing_is_published(published: Platform) -> None:
    decide(published, "note", "t1", "look again")
    run(published)
    commits = len(published.log())
    run(published)
    assert len(published.log()) == commits


def test_numbers_are_not_given_again_after_settings_changed_and_a_name_comes_back_with_its_topic(
    published: Platform,
) -> None:
    topic = leaves(published)[0]
    used = {topic_id for (topic_id,) in ask(published, "SELECT topic_id FROM topic_lineage")}
    decide(published, "rename", topic, "Mine")
    config = published.dataset().folder / "dataset.yaml"
    config.write_text("topics: {max_depth: 0}")
    run(published)
    assert ask(published, "SELECT topic_id FROM topic_tree") == [("t0",)]
    assert ask(published, "SELECT state FROM curation") == [("dormant",)]
    pass_hours(published.settings.warehouse, 1000)
    collect_garbage(published.commits, keep_commits=1, keep_hours=1)
    config.write_text("topics: {min_topic_size: 6}")
    run(published)
    assert ask(published, "SELECT state FROM curation") == [("applied",)]
    assert ask(published, "SELECT topic_id FROM topic_names WHERE name = 'Mine'") == [(topic,)]
    others = {topic_id for (topic_id,) in ask(published, "SELECT topic_id FROM topic_tree")} - {topic, "t0"}
    assert others
    assert not others & used


def test_ids_matched_with_another_commit_than_the_newest_are_not_published(published: Platform) -> None:
    files = published.commits.files

    def check(run_id: str) -> None:
        file = files.find("topic_lineage", "talk", None, run_id)
        assert file
        check_compared(published.commits, "talk", files.read(file), file.content)

    keys = keys_of(INGEST, *PIECES, FOUND, TREE_ASSET)
    write_conversation(published.dataset().folder, items=69, voters=5)
    early = published.run("topics", "talk", asset_selection=keys)
    check(early.run_id)
    write_conversation(published.dataset().folder, items=63, voters=5)
    newest = run(published)
    check(newest.run_id)
    with pytest.raises(StoreError, match="matched with another commit than the newest; materialize 'topic_tree' again"):
        check(early.run_id)


def test_decisions_taken_while_a_run_is_under_way_wait_for_the_next(
    published: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = leaves(published)[:2]

    def rename_meanwhile(*arguments: Any, **options: Any) -> Any:
        decide(published, "merge", one, other)
        return kept(*arguments, **options)

    from clustering_platform.semantics import naming

    kept = naming.name_topics
    monkeypatch.setattr(naming, "name_topics", rename_meanwhile)
    run(published, force=True)
    monkeypatch.undo()
    assert ask(published, "SELECT count(*) FROM curation") == [(0,)]
    assert one in leaves(published)
    run(published)
    assert one not in leaves(published)


def test_commits_from_before_topics_had_lasting_ids_are_matched_with_too(published: Platform) -> None:
    newest = published.log()[0]
    old = {name: table for name, table in newest.tables.items() if name not in ("topic_lineage", "found_item_topics")}
    published.commits.publish(newest.model_copy(update={"sequence": newest.sequence + 1, "tables": old}))
    before = earlier_topics(published.commits, "talk")
    assert before
    assert before.commit == newest.sequence + 1
    assert before.found.topic_ids == before.published.topic_ids
    assert before.remembered == {}
    run(published)
    statuses = ask(published, "SELECT DISTINCT status FROM topic_lineage")
    assert statuses == [("continued",)]


def test_a_damaged_log_stops_the_run_and_names_the_file(published: Platform) -> None:
    decide(published, "rename", "t1", "Mine")
    path = Curation(published.settings.warehouse).path("talk", 1)
    path.write_text("{")
    result = published.run("topics", "talk")
    assert not result.success
    assert path.name in " ".join(map(str, faults_of(result)))
