"""What `clustering curate` says, does and refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from clustering_platform.cli.main import app
from clustering_platform.semantics.curation import build_curation, build_topic_names, known_topics
from clustering_platform.semantics.lasting import build_lasting_tree
from clustering_platform.store.catalog import rebuild_catalog
from clustering_platform.store.commits import Commit, Commits, committed
from clustering_platform.store.curation import Curation
from clustering_platform.store.files import Files
from clustering_platform.tables import TABLES
from clustering_platform_tests.semantics.trees import Tree, as_found, tables

Command = Callable[..., Result]
NAMES = {"t0": "All", "t1": "Sport", "t2": "Music", "t3": "Food", "t4": "Bread", "t5": "Wine"}
TREE: Tree = {"t0": {"t1": ["a", "b"], "t2": ["c", "d"], "t3": {"t4": ["e", "f"], "t5": ["g"]}}}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a dataset that has topics published."""
    (tmp_path / "data" / "inbox" / "talk").mkdir(parents=True)
    commits = Commits(Files(tmp_path / "data" / "warehouse"))
    publish(commits)
    rebuild_catalog(commits, tmp_path / "data" / "catalog.duckdb")
    return tmp_path / "data"


def publish(commits: Commits) -> None:
    """Publish the tree with what was decided so far, as a run would."""
    topic_tree, item_topics, embeddings = tables(TREE)
    found, items = as_found(topic_tree, item_topics)
    log = Curation(commits.files.root).read("talk")
    lasting, lasting_items, lineage = build_lasting_tree(embeddings, found, items, log=[])
    said = {"summary": "", "keywords": [], "centroid": [1.0], "namer": "test"}
    rows = [{"topic_id": key, "name": NAMES[key], **said} for key in NAMES]
    proposed = TABLES["proposed_names"].empty().from_pylist(rows, TABLES["proposed_names"].schema())
    made = {
        "topic_tree": lasting,
        "item_topics": lasting_items,
        "topic_lineage": lineage,
        "found_topics": found,
        "topic_names": build_topic_names(proposed, TABLES["written_names"].empty(), lasting, log),
        "curation": build_curation(log, known_topics(found, lineage)),
    }
    sequence = commits.last_sequence("talk") + 1
    files = {
        name: commits.files.write(table, TABLES[name], dataset="talk", day=None, run_id=f"run-{sequence}", inputs={})
        for name, table in made.items()
    }
    commits.publish(
        Commit(
            dataset="talk",
            day=None,
            sequence=sequence,
            status="ready",
            run_id=f"run-{sequence}",
            fingerprint="",
            code_version="",
            tables=committed(files),
        )
    )


@pytest.fixture
def curate(data: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run ``clustering curate talk ...``."""
    monkeypatch.setenv("CLUSTERING_DATA", str(data))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, ["curate", "talk", *(str(word) for word in words)])


def log(data: Path) -> list[tuple[str, str, str | None]]:
    return [(row.action, row.topic_id, row.value) for row in Curation(data / "warehouse").read("talk")]


def test_a_decision_is_written_down_and_what_publishes_it_is_said(curate: Command, data: Path) -> None:
    result = curate("rename", "t1", "Ball games", "--author", "Ada")
    assert result.exit_code == 0, result.output
    assert "decision 1: t1 is called 'Ball games'" in result.output
    assert "now: clustering run talk" in result.output
    assert log(data) == [("rename", "t1", "Ball games")]
    assert Curation(data / "warehouse").read("talk")[0].author == "Ada"


def test_every_kind_of_decision_can_be_taken_and_topics_are_meant_by_name_too(curate: Command, data: Path) -> None:
    for words in (
        ("merge", "Sport", "music"),
        ("unusable", "Food"),
        ("usable", "t4"),
        ("note", "Wine", "from here\nand there"),
        ("undo", 2),
    ):
        result = curate(*words)
        assert result.exit_code == 0, result.output
    assert log(data) == [
        ("merge", "t1", "t2"),
        ("unusable", "t3", None),
        ("usable", "t4", None),
        ("note", "t5", "from here\nand there"),
        ("undo", "t3", "2"),
    ]


def test_a_new_name_counts_at_once(curate: Command, data: Path) -> None:
    curate("rename", "Sport", "Games")
    assert curate("note", "Games", "hm").exit_code == 0
    assert "no topic is called 'Sport'" in curate("note", "Sport", "hm").output
    assert len(log(data)) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rename", "Spirt", "X"), "no topic is called 'Spirt'; did you mean t1, 'Sport'?"),
        (("rename", "t55", "X"), "there never was a topic t55; did you mean t5, 'Wine'?"),
        (("rename", "t1", "a\x1b[31m"), "U+001B"),
        (("rename", "t1", "x" * 121), "at most 120 are allowed"),
        (("rename", "t1", "Music"), "t2 beside it is called 'Music'"),
        (("rename", "t1", "X", "--author", "a\nb"), "author: it holds the character U+000A"),
        (("merge", "Food", "Bread"), "t4 is below t3"),
        (("merge", "t0", "t1"), "t0 holds every item"),
        (("note", "t1", " "), "it is empty"),
        (("undo", 4), "there is no decision 4; 0 were taken about 'talk'"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason_and_not_written_down(
    curate: Command, data: Path, words: tuple[str, ...], said: str
) -> None:
    result = curate(*words)
    assert result.exit_code == 1
    assert said in result.output
    assert log(data) == []


def test_a_name_of_two_topics_is_not_enough(curate: Command) -> None:
    curate("rename", "t4", "Sport")
    result = curate("unusable", "Sport")
    assert result.exit_code == 1
    assert "2 topics are called 'Sport': t1, t4; say which by its id" in result.output


def test_the_list_says_what_came_of_each_decision(curate: Command, data: Path) -> None:
    assert "nothing was decided about the topics of 'talk' yet" in curate("list").output
    curate("rename", "t1", "Games", "--author", "[b]Ada[/b]")
    publish(Commits(Files(data / "warehouse")))
    curate("rename", "t1", "[red]Play[/red] <b>")
    curate("note", "t2", "loud")
    curate("undo", 3)
    lines = curate("list").output.splitlines()
    assert [line.split()[0] for line in lines] == ["number", "1", "2", "3", "4"]
    assert "[b]Ada[/b]" in lines[1]
    assert "superseded  " in lines[1]
    assert "by decision 2" in lines[1]
    assert "t1 [red]Play[/red] <b>" in lines[2]
    assert "applied, not published yet" in lines[2]
    assert "by decision 4" in lines[3]


def test_a_summary_marks_topics_of_no_use_and_prints_names_as_they_are(curate: Command, data: Path) -> None:
    curate("unusable", "t3")
    curate("rename", "t1", "[red]Play[/red]")
    commits = Commits(Files(data / "warehouse"))
    publish(commits)
    rebuild_catalog(commits, data / "catalog.duckdb")
    shown = CliRunner().invoke(app, ["show", "talk"]).output
    assert "Food (3), unusable" in shown
    assert "Bread (2), unusable" in shown
    assert "[red]Play[/red] (2)" in shown


def test_nothing_can_be_decided_before_anything_is_published(curate: Command, data: Path) -> None:
    (data / "inbox" / "walk").mkdir()
    result = CliRunner().invoke(app, ["curate", "walk", "rename", "t1", "X"])
    assert result.exit_code == 1
    assert "no topics with lasting ids are published of 'walk'; run `clustering run walk`" in result.output
    assert "did you mean 'talk'?" in CliRunner().invoke(app, ["curate", "tolk", "list"]).output


def test_with_publish_the_topics_are_run_and_nothing_else(curate: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def run_dataset(settings: object, dataset: object, **options: object) -> bool:
        seen.append(options["opinions"])
        return len(seen) == 1

    monkeypatch.setattr("clustering_platform.cli.running.run_dataset", run_dataset)
    assert curate("rename", "t1", "X", "--publish").exit_code == 0
    assert curate("rename", "t1", "Y", "--publish").exit_code == 1
    assert seen == [False, False]
