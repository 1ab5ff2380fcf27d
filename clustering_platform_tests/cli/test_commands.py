"""What the commands say and do, short of running jobs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from clustering_platform.cli.main import app
from clustering_platform_tests.orchestration.platform import write_conversation

Command = Callable[..., Result]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "data" / "inbox"


@pytest.fixture
def clustering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command on a data folder of its own."""
    monkeypatch.setenv("CLUSTERING_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """A folder with a conversation, outside the inbox."""
    folder = tmp_path / "Town.Talk"
    folder.mkdir()
    write_conversation(folder)
    return folder


def names(inbox: Path) -> list[str]:
    return sorted(path.name for path in inbox.iterdir()) if inbox.is_dir() else []


def test_add_shows_what_it_found_and_offers_a_valid_name(clustering: Command, talk: Path, inbox: Path) -> None:
    result = clustering("add", talk)
    assert result.exit_code == 0, result.output
    assert "'town-talk'" in result.output
    assert "votes.csv" in result.output
    assert "items.csv: items: 24 read, 24 accepted" in result.output
    assert "clustering run town-talk" in result.output
    assert names(inbox) == ["town-talk"]


def test_add_counts_documents_together(clustering: Command, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    for name, content in {"a.txt": b"one", "b.md": b"two", "c.txt": b"caf\xe9"}.items():
        (tmp_path / "reports" / name).write_bytes(content)
    result = clustering("add", tmp_path / "reports")
    assert result.exit_code == 0, result.output
    assert "3 files: documents: 3 read, 2 accepted, 1 quarantined, 0 superseded" in result.output
    assert "c.txt:1" in result.output


def test_add_takes_a_single_file(clustering: Command, talk: Path, inbox: Path) -> None:
    assert clustering("add", talk / "votes.csv", "--name", "votes-only").exit_code == 0
    assert names(inbox / "votes-only") == ["votes.csv"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "there is no such file or folder"),
        ((".", "--name", "A|B"), "cannot name a dataset"),
        ((".", "--name", "../x"), "cannot name a dataset"),
    ],
)
def test_add_refuses_what_it_cannot_use_and_leaves_nothing(
    clustering: Command, inbox: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = clustering("add", *arguments)
    assert result.exit_code == 1
    assert said in result.output
    assert names(inbox) == []


def test_add_refuses_a_folder_without_votes_or_items(clustering: Command, tmp_path: Path, inbox: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.csv").write_text("a,b\n1,2\n")
    result = clustering("add", tmp_path / "notes")
    assert result.exit_code == 1
    assert "readme.csv" in result.output
    assert names(inbox) == []


def test_add_does_not_overwrite_unless_asked(clustering: Command, talk: Path, inbox: Path) -> None:
    clustering("add", talk, "--name", "talk")
    refused = clustering("add", talk, "--name", "talk")
    assert refused.exit_code == 1
    assert "--replace" in refused.output
    (inbox / "talk" / "dataset.yaml").write_text("title: Kept\n")
    write_conversation(talk, voters=10)
    assert clustering("add", talk, "--name", "talk", "--replace").exit_code == 0
    assert (inbox / "talk" / "votes.csv").read_bytes() == (talk / "votes.csv").read_bytes()
    assert (inbox / "talk" / "dataset.yaml").read_text() == "title: Kept\n"
    assert names(inbox) == ["talk"]


def test_add_clears_away_what_a_killed_one_left(clustering: Command, talk: Path, inbox: Path) -> None:
    (inbox / ".talk.0123.part").mkdir(parents=True)
    assert clustering("add", talk, "--name", "talk").exit_code == 0
    assert names(inbox) == ["talk"]


def test_run_names_the_nearest_dataset(clustering: Command, talk: Path) -> None:
    clustering("add", talk, "--name", "talk")
    result = clustering("run", "tolk")
    assert result.exit_code == 1
    assert "did you mean 'talk'?" in result.output


def test_run_tells_a_fault_in_the_settings_before_anything_runs(clustering: Command, talk: Path, inbox: Path) -> None:
    clustering("add", talk, "--name", "talk")
    (inbox / "talk" / "dataset.yaml").write_text("opinions: {min_voter: 3}")
    result = clustering("run", "talk")
    assert result.exit_code == 1
    assert "did you mean 'min_voters'?" in result.output
    assert not (inbox.parent / "dagster").exists()


def test_datasets_lists_what_has_not_run_yet(clustering: Command, talk: Path) -> None:
    assert "no datasets yet" in clustering("datasets").output
    clustering("add", talk, "--name", "talk")
    assert "not run yet" in clustering("datasets").output


def test_a_question_that_is_no_sql_is_told_as_such(clustering: Command) -> None:
    clustering("catalog")
    result = clustering("sql", "SELEC 1")
    assert result.exit_code == 1
    assert "SELEC" in result.output


def test_questions_work_before_anything_is_published(clustering: Command) -> None:
    clustering("catalog")
    assert "0" in clustering("sql", "SELECT count(*) FROM votes").output


def test_what_people_wrote_is_printed_as_it_is(clustering: Command, talk: Path, inbox: Path) -> None:
    clustering("add", talk, "--name", "talk")
    (inbox / "talk" / "dataset.yaml").write_text("title: '[/x] [b]t[/b]'\n")
    assert "[/x] [b]t[/b]" in clustering("datasets").output
    clustering("catalog")
    assert "[1] [/b] x" in clustering("sql", "SELECT '[1] [/b] x'").output
    assert "'[/x]' cannot name a dataset" in clustering("show", "[/x]").output


def test_one_faulty_dataset_hides_no_other(clustering: Command, talk: Path, inbox: Path) -> None:
    clustering("add", talk, "--name", "good")
    clustering("add", talk, "--name", "odd")
    (inbox / "odd" / "dataset.yaml").write_text("titel: odd\n")
    listed = clustering("datasets")
    assert listed.exit_code == 0
    assert "good" in listed.output
    assert "did you mean 'title'?" in listed.output


@pytest.mark.parametrize("day", ["2025-12-31", "2999-01-01", "yesterday"])
def test_a_day_that_is_no_partition_is_refused_before_anything_runs(
    clustering: Command, talk: Path, inbox: Path, day: str
) -> None:
    clustering("add", talk, "--name", "talk")
    result = clustering("run", "talk", "--day", day)
    assert result.exit_code != 0
    assert day in result.output
    assert not (inbox.parent / "dagster").exists()


def test_an_empty_question_is_told_as_such(clustering: Command) -> None:
    clustering("catalog")
    assert "there is no question in it" in clustering("sql", " ").output


def test_a_setting_of_the_process_that_cannot_be_read_is_named(
    clustering: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUSTERING_START_DAY", "soon")
    result = clustering("datasets")
    assert result.exit_code == 1
    assert "CLUSTERING_START_DAY: " in result.output


def test_outside_the_project_nothing_is_written(
    clustering: Command, talk: Path, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUSTERING_HOME", str(tmp_path))
    result = clustering("add", talk)
    assert result.exit_code == 1
    assert "no dagster.yaml in" in result.output
    assert not inbox.parent.exists()


def test_a_data_folder_that_cannot_be_made_is_named(
    clustering: Command, talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUSTERING_DATA", str(talk / "votes.csv"))
    result = clustering("add", talk)
    assert result.exit_code == 1
    assert "CLUSTERING_DATA" in result.output
