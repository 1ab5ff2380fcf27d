"""From a published dataset to files: the command and the asset."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import Result
from typer.testing import CliRunner

from clustering_platform.cli.main import app
from clustering_platform.definitions import defs
from clustering_platform.exports.conversation import read_conversation
from clustering_platform.exports.polis import FILE_NAMES
from clustering_platform.exports.topic_files import TOPIC_FILES
from clustering_platform.orchestration.runs import faults_of
from clustering_platform.store.errors import StoreError
from clustering_platform.store.garbage import collect_garbage
from clustering_platform_tests.exports.conversations import rows_of
from clustering_platform_tests.orchestration.platform import DAY, Platform, new_platform, write_conversation

Command = Callable[..., Result]
KEY = f"talk|{DAY}"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform on which the dataset `talk` is published."""
    with new_platform(tmp_path_factory.mktemp("platform")) as made:
        write_conversation(made.dataset().folder)
        made.publish()
        yield made


@pytest.fixture
def export(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run `clustering export` in an empty folder."""
    monkeypatch.setenv("CLUSTERING_HOME", str(Path(__file__).parents[2]))
    monkeypatch.setenv("CLUSTERING_DATA", str(platform.settings.data_folder))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["export", *map(str, arguments)])


def test_a_table_goes_to_a_file_named_after_it(export: Command, tmp_path: Path) -> None:
    result = export("talk", "groups")
    assert result.exit_code == 0, result.output
    assert "talk.groups.csv: 2 rows" in result.output
    assert [row["letter"] for row in rows_of((tmp_path / "talk.groups.csv").read_text())] == ["A", "B"]
    assert export("talk", "groups", "--day", DAY).exit_code == 0
    assert (tmp_path / f"talk.groups.{DAY}.csv").is_file()


@pytest.mark.parametrize("ending", ["csv", "jsonl", "json", "parquet"])
def test_the_format_follows_from_the_ending_or_is_said(export: Command, tmp_path: Path, ending: str) -> None:
    assert export("talk", "votes", "--output", tmp_path / f"a.{ending}").exit_code == 0
    assert export("talk", "votes", "--format", ending, "--output", tmp_path / "b").exit_code == 0
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / "b").read_bytes()
    if ending == "parquet":
        assert pq.read_metadata(tmp_path / "b").num_rows == 1440


def test_standard_output_holds_the_table_and_nothing_else(export: Command) -> None:
    result = export("talk", "opinion_snapshot", "--format", "jsonl", "--output", "-")
    assert [json.loads(line)["status"] for line in result.stdout.splitlines()] == ["ready"]


def test_a_reader_that_has_had_enough_is_no_fault(export: Command, platform: Platform) -> None:
    code = "from clustering_platform.cli.main import main; main()"
    command = [sys.executable, "-c", code, "export", "talk", "votes", "-o", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as done:
        assert done.stdout
        assert done.stderr
        assert done.stdout.readline().startswith("dataset,sequence")
        done.stdout.close()
        assert done.stderr.read() == ""


def test_a_day_becomes_the_files_of_polis(export: Command, tmp_path: Path) -> None:
    result = export("talk", "--polis", "out", "--day", DAY)
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILE_NAMES
    assert "participant-ids.csv says who is who" in result.output
    math = json.loads((tmp_path / "out" / "math-pca2.json").read_text())
    assert (math["math_tick"], math["n"], len(math["group-clusters"])) == (2, 80, 2)
    assert math["repness"]["0"]
    clusters = rows_of((tmp_path / "out" / "comment-clusters.csv").read_text())
    assert {row["layer0-cluster-id"] for row in clusters} == {"0", "1", "2"}


def test_topics_become_the_files_of_visualisers(export: Command, tmp_path: Path) -> None:
    result = export("talk", "--topics", "out")
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == TOPIC_FILES
    items = json.loads((tmp_path / "out" / "items.json").read_text())
    clusters = {row["id"]: row for row in json.loads((tmp_path / "out" / "clusters.json").read_text())}
    assert len(items) == len(rows_of((tmp_path / "out" / "items.csv").read_text())) == 24
    assert all(row["path_names"] == [clusters[topic]["name"] for topic in row["path"]] for row in items)
    assert all(1 <= row["strength"] <= 10 for row in clusters.values())
    assert pq.read_table(tmp_path / "out" / "items.parquet").select(["x", "y", "text"]).num_rows == 24
    assert export("talk", "--topics", "out").exit_code == 1
    assert export("talk", "--topics", "out", "--replace").exit_code == 0


def test_the_commands_in_the_documentation_work(export: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTERING_START_DAY", "2026-01-01")
    commands = [line for name in ("exports", "operations") for line in documented(name) if "[" not in line]
    assert len(commands) > 8
    for line in commands:
        program, *arguments = shlex.split(line, comments=True)
        assert program == "clustering"
        words = [{"town-plans": "talk", "2026-10-07": str(DAY)}.get(word, word) for word in arguments]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, (line, result.output)


def documented(name: str) -> list[str]:
    """Return the commands in the shell blocks of a page."""
    text = (Path(__file__).parents[2] / "docs" / f"{name}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("talk",), "--polis FOLDER"),
        (("talk", "groups", "--topics", "x"), "--topics FOLDER"),
        (("talk", "--polis", "x", "--topics", "y"), "--topics FOLDER"),
        (("talk", "--topics", "x", "--day", DAY), "--topics FOLDER"),
        (("talk", "--topics", "taken"), "there is a folder of that name"),
        (("talk", "--topics", "taken", "--replace"), "it holds 'mine.txt'"),
        (("talk", "groups", "--polis", "x"), "--polis FOLDER"),
        (("talk", "grups"), "did you mean 'groups'"),
        (("tolk", "groups"), "did you mean 'talk'"),
        (("talk", "groups", "--format", "xlsx"), "csv, jsonl, json, parquet"),
        (("talk", "groups", "--day", "2026-01-02"), "nearest day that is: 2026-03-31"),
        (("talk", "--polis", "x", "--day", "2026-01-02"), "nearest day that is: 2026-03-31"),
        (("talk", "groups", "--output", "taken"), "there is a folder of that name"),
        (("talk", "--polis", "taken"), "there is a folder of that name"),
        (("talk", "--polis", "taken", "--replace"), "it holds 'mine.txt'"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_is_written(
    export: Command, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine")
    result = export(*arguments)
    assert result.exit_code == 1
    assert said in result.output
    assert [path.name for path in tmp_path.rglob("*")] == ["taken", "mine.txt"]


def test_the_asset_writes_the_folder_of_its_day(platform: Platform) -> None:
    results = [platform.run("export", KEY) for _ in range(2)]
    assert all(result.success for result in results)
    folder = platform.settings.data_folder / "exports" / "talk" / str(DAY)
    assert {path.name for path in folder.iterdir()} == FILE_NAMES
    assert [path.name for path in folder.parent.iterdir()] == [str(DAY)]
    first, second = (result.asset_materializations_for_node("polis_export")[0] for result in results)
    assert first.metadata["folder"].value == str(folder)
    assert first.metadata["commit"].value == 2
    assert "| votes.csv |" in str(first.metadata["files"].value)
    assert first.tags["dagster/data_version"] == second.tags["dagster/data_version"]


def test_the_asset_of_topics_writes_the_folder_of_its_dataset(platform: Platform) -> None:
    results = [platform.run("export_topics", "talk") for _ in range(2)]
    assert all(result.success for result in results)
    folder = platform.settings.data_folder / "exports" / "talk" / "topics"
    assert {path.name for path in folder.iterdir()} == TOPIC_FILES
    first, second = (result.asset_materializations_for_node("topic_export")[0] for result in results)
    assert first.metadata["folder"].value == str(folder)
    assert first.metadata["commit"].value == 1
    assert "| items.parquet |" in str(first.metadata["files"].value)
    assert first.tags["dagster/data_version"] == second.tags["dagster/data_version"]


def test_topics_that_are_not_published_are_told(platform: Platform) -> None:
    platform.dataset("silent")
    result = platform.run("export_topics", "silent")
    assert not result.success
    assert ["clustering run silent" in fault.message for fault in faults_of(result)] == [True]


def test_ids_of_authors_are_given_out_where_the_dataset_says_plain(tmp_path: Path) -> None:
    with new_platform(tmp_path) as platform:
        for name, privacy in (("closed", "pseudonym"), ("open", "plain")):
            dataset = platform.dataset(name)
            rows = [f"s{row},the bus number {row % 7} is late,anna" for row in range(30)]
            (dataset.folder / "items.csv").write_text("\n".join(["id,text,author_id", *rows]))
            (dataset.folder / "dataset.yaml").write_text(f"privacy: {{voter_ids: {privacy}}}")
            assert platform.run("topics", name).success
            assert platform.run("export_topics", name).success
            folder = platform.settings.exports / name / "topics"
            holding = [path.name for path in folder.iterdir() if b"anna" in path.read_bytes()]
            assert holding == (["items.csv"] if privacy == "plain" else [])
            (row, *_) = rows_of((folder / "items.csv").read_text())
            assert ("author_id" in row) == (privacy == "plain")


def test_the_asset_says_that_a_day_is_not_published(platform: Platform) -> None:
    result = platform.run("export", "talk|2026-03-30")
    assert not result.success
    assert ["2026-03-30 of 'talk' is not published" in fault.message for fault in faults_of(result)] == [True]


def test_no_other_job_exports() -> None:
    for job in ("topics", "opinions"):
        nodes = defs.resolve_job_def(job).graph.nodes_in_topological_order
        assert not {"polis_export", "topic_export"} & {node.name for node in nodes}


def test_a_day_before_the_first_vote_is_given_out_as_empty(platform: Platform) -> None:
    assert platform.run("opinions", "talk|2026-02-01").success
    assert platform.run("export", "talk|2026-02-01").success
    folder = platform.settings.data_folder / "exports" / "talk" / "2026-02-01"
    assert json.loads((folder / "math-pca2.json").read_text())["lastVoteTimestamp"] == 0


def test_a_day_is_given_out_with_the_votes_from_which_it_was_made(tmp_path: Path) -> None:
    with new_platform(tmp_path) as platform:
        dataset = platform.dataset()
        write_conversation(dataset.folder, voters=60)
        platform.publish()
        write_conversation(dataset.folder, voters=80)
        platform.run("topics", "talk")
        made = read_conversation(platform.commits, dataset, DAY)
        assert made.votes.num_rows == made.tables["opinion_snapshot"]["votes"][0].as_py() == 1080
        collect_garbage(platform.commits, keep_commits=1, keep_hours=0)
        assert read_conversation(platform.commits, dataset, DAY).tables["votes"].num_rows == 1440


def test_a_day_is_given_out_although_topics_were_never_published(platform: Platform, tmp_path: Path) -> None:
    with platform.copied(tmp_path) as copy:
        copy.commits.path("talk", 1).unlink()
        made = read_conversation(copy.commits, copy.dataset(), DAY)
        assert (made.votes.num_rows, made.tables["items"].num_rows, made.tables["topic_tree"].num_rows) == (1440, 24, 0)
        collect_garbage(copy.commits, keep_commits=1, keep_hours=0)
        with pytest.raises(StoreError, match="clustering run talk"):
            read_conversation(copy.commits, copy.dataset(), DAY)
