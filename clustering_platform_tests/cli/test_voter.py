"""`clustering voter`, on tables as a run would have committed them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import Result
from typer.testing import CliRunner

from clustering_platform.cli.main import app
from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.compute import compute_opinions
from clustering_platform.store.commits import Commit, Commits, committed
from clustering_platform.store.files import Files
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.tables import DAY, ingested, plain_items, votes_table

Command = Callable[..., Result]
LATER = DAY + timedelta(days=1)
ITEMS = plain_items(*(f"i{item}" for item in range(10)))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder whose inbox has the dataset `talk`, with plain ids."""
    folder = tmp_path / "data" / "inbox" / "talk"
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text("privacy: {voter_ids: plain}\nopinions: {min_voters: 2}\n")
    return tmp_path / "data"


@pytest.fixture
def clustering(data: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("CLUSTERING_DATA", str(data))
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def conversation(name: str = "v{:02d}") -> pa.Table:
    """Return votes of two groups of fifteen, v00 in the first; v00 has not voted on i0, i5 and i9."""
    return votes_table(
        [
            (name.format(voter), f"i{item}", 1 if item % 2 or voter % 2 else -1)
            for voter in range(30)
            for item in range(9 if voter == 0 else 10)
            if (voter + item) % 5
        ]
    )


def publish(data: Path, day: date | None, tables: Mapping[str, pa.Table]) -> None:
    commits = Commits(Files(data / "warehouse"))
    sequence = commits.last_sequence("talk") + 1
    files = {
        name: commits.files.write(
            table, TABLES[name], dataset="talk", day=day, run_id=f"run-{sequence}", inputs={}, recipe=""
        )
        for name, table in tables.items()
    }
    commit = Commit(
        dataset="talk",
        day=day,
        sequence=sequence,
        status="ready",
        run_id=f"run-{sequence}",
        fingerprint="",
        code_version="",
        tables=committed(files),
    )
    commits.publish(commit)


def publish_talk(data: Path, votes: pa.Table, *, days: tuple[date, ...] = (DAY,), min_voters: int = 2) -> None:
    publish(data, None, {"items": ITEMS})
    for day in days:
        publish(
            data, day, compute_opinions(*ingested(votes, ITEMS), day=day, config=OpinionsConfig(min_voters=min_voters))
        )


def test_a_voter_is_shown_with_place_group_and_all_that_follows(clustering: Command, data: Path) -> None:
    publish_talk(data, conversation())
    shown = clustering("voter", "talk", "v00").output
    assert f"v00 on {DAY}: 7 votes" in shown
    assert "of 15 voters, base cluster" in shown
    assert "how typical: 100% agreement" in shown
    assert "nearest other: group" in shown
    alike = shown[shown.index("Voters who vote alike") : shown.index("Not yet voted on")]
    assert "v10" in alike
    assert "100%" in alike
    assert "100% agree: item i9" in shown
    assert "100% disagree: item i0" in shown
    next_items = shown[shown.index("To be shown next") :]
    assert next_items.count("item i") == 4  # three are open, and one of them is drawn
    assert "drawn with seed 42: item i" in next_items


def test_the_same_is_shown_each_time(clustering: Command, data: Path) -> None:
    publish_talk(data, conversation())
    assert clustering("voter", "talk", "v00").output == clustering("voter", "talk", "v00").output


def test_an_unknown_voter_is_told_with_the_nearest_ids(clustering: Command, data: Path) -> None:
    publish_talk(data, conversation())
    result = clustering("voter", "talk", "v1")
    assert result.exit_code == 1
    assert "there is no voter 'v1'" in result.output
    assert "did you mean 'v01' or 'v10' or 'v11'?" in result.output
    assert "did you mean" not in clustering("voter", "talk", "somebody-else").output


def test_a_pseudonym_is_accepted_and_a_raw_id_told_as_such(clustering: Command, data: Path) -> None:
    (data / "inbox" / "talk" / "dataset.yaml").write_text("opinions: {min_voters: 2}\n")
    publish_talk(data, conversation("{:032x}"))
    assert f"{3:032x} on {DAY}" in clustering("voter", "talk", f"{3:032x}").output
    refused = clustering("voter", "talk", "jo@example.org")
    assert refused.exit_code == 1
    assert "pseudonyms of 32 hexadecimal digits" in refused.output


def test_a_day_takes_the_newest_snapshot_up_to_it(clustering: Command, data: Path) -> None:
    publish_talk(data, conversation(), days=(DAY, LATER))
    assert f"v00 on {LATER}" in clustering("voter", "talk", "v00").output
    assert f"v00 on {DAY}" in clustering("voter", "talk", "v00", "--day", DAY).output
    before = clustering("voter", "talk", "v00", "--day", DAY - timedelta(days=1))
    assert before.exit_code == 1
    assert f"(published: {DAY}, {LATER})" in before.output


def test_without_groups_voters_still_have_similar_ones_and_next_items(clustering: Command, data: Path) -> None:
    publish_talk(data, conversation(), min_voters=50)
    shown = clustering("voter", "talk", "v00").output
    assert "in no group" in shown
    assert "v10" in shown
    assert "To be shown next" in shown


def test_nothing_published_yet_is_told(clustering: Command, data: Path) -> None:
    result = clustering("voter", "talk", "v00")
    assert result.exit_code == 1
    assert "there is no snapshot of 'talk'" in result.output


def test_a_snapshot_from_before_there_were_measures_is_told_with_what_to_do(clustering: Command, data: Path) -> None:
    publish(data, None, {"items": ITEMS})
    tables = compute_opinions(*ingested(conversation(), ITEMS), day=DAY, config=OpinionsConfig(min_voters=2))
    publish(data, DAY, {name: table for name, table in tables.items() if name != "voter_measures"})
    result = clustering("voter", "talk", "v00")
    assert result.exit_code == 1
    assert f"clustering run talk --day {DAY}" in result.output
