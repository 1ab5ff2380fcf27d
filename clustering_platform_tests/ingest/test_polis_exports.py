"""Exports of Polis: real ones, and what is told apart in them."""

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest

from clustering_platform.datasets import Dataset
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.ingest import Ingested, ingest_dataset
from clustering_platform_tests.ingest.folders import PLAIN, T, findings, ingest, last_votes

EXPORTS = {
    "15-per-hour-seattle": (54, 339, 2995),
    "bg2050-volunteers": (371, 126, 14341),
    "brexit-consensus": (50, 204, 5312),
    "london.youth.policing": (39, 26, 640),
    "scoop-hivemind.biodiversity": (316, 536, 29802),
    "vtaiwan.uberx": (197, 1921, 49997),
}
MATH = {
    "150ptpt-3gp-no-strict-no-meta": (118, 4785),
    "25ptpt-3gp-no-strict-with-meta": (57, 1386),
    "above-100-ptpts": (63, 5216),
}


def ingest_folder(folder: Path) -> Ingested:
    return ingest_dataset(Dataset("conversation", folder), PLAIN)


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def matrix_of(folder: Path) -> dict[tuple[str, str], int]:
    rows = read_rows(folder / "participants-votes.csv")
    return {
        (row["participant"], column): int(value)
        for row in rows
        for column, value in row.items()
        if column.isdecimal() and value
    }


def rewritten(source: Path, target: Path, **changes: Any) -> Path:
    """Copy an export, changing columns of its votes by functions of their value."""
    shutil.copytree(source, target)
    rows = read_rows(source / "votes.csv")
    with (target / "votes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: changes.get(name, str)(value) for name, value in row.items()} for row in rows)
    return target


@pytest.fixture(scope="module")
def seattle(shared_data: Path) -> Path:
    return shared_data / "polis" / "15-per-hour-seattle"


@pytest.mark.parametrize("name", EXPORTS)
def test_real_exports_are_read_as_polis_itself_counted_them(name: str, shared_data: Path) -> None:
    folder = shared_data / "polis" / name
    ingested = ingest_folder(folder)
    n_items, n_voters, n_votes = EXPORTS[name]
    assert ingested.quarantined == 0
    assert (len(ingested.items), len(ingested.votes)) == (n_items, n_votes)
    assert last_votes(ingested) == matrix_of(folder)
    summary = dict(
        row for row in csv.reader((folder / "summary.csv").open(encoding="utf-8", newline="")) if len(row) == 2
    )
    assert int(summary["voters"]) == n_voters == len(set(ingested.votes["voter_id"].to_pylist()))
    assert int(summary["comments"]) == len(set(ingested.votes["item_id"].to_pylist()))
    assert ingested.about["title"] == summary["topic"]
    assert f"participants-votes.csv: 0 of {len(matrix_of(folder)):,} votes differ from those read" in findings(ingested)
    assert f"summary.csv counts {n_voters:,} voters and {int(summary['comments']):,} comments" in findings(ingested)
    assert any(finding.startswith("agree is +1") for finding in findings(ingested))


@pytest.mark.parametrize("name", MATH)
def test_exports_without_summary_and_matrix_are_read(name: str, shared_data: Path) -> None:
    ingested = ingest_folder(shared_data / "polis-math" / name)
    assert ingested.quarantined == 0
    assert (len(ingested.items), len(ingested.votes)) == MATH[name]
    rows = read_rows(shared_data / "polis-math" / name / "comments.csv")
    assert ingested.items["is_meta"].to_pylist() == [row["is-meta"] == "true" for row in rows]
    assert ingested.items["moderation"].to_pylist() == [int(row["moderated"]) for row in rows]


def test_votes_with_agree_as_minus_one_are_turned(seattle: Path, tmp_path: Path) -> None:
    negated = rewritten(seattle, tmp_path / "negated", vote=lambda vote: str(-int(vote)))
    ingested = ingest_folder(negated)
    assert ingested.votes == ingest_folder(seattle).votes
    assert any(finding.startswith("agree is -1 in this file and was turned") for finding in findings(ingested))


def test_sign_set_by_hand_is_taken_and_doubted(seattle: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(seattle, tmp_path / "copy")
    (copy / "dataset.yaml").write_text("source: {vote_sign: agree_negative}")
    ingested = ingest_folder(copy)
    assert {pair: -vote for pair, vote in last_votes(ingested).items()} == matrix_of(seattle)
    assert any("as set by source.vote_sign; but the counts of 54 of 54" in finding for finding in findings(ingested))
    assert not any(finding.startswith("participants-votes.csv: 0 of") for finding in findings(ingested))


def test_times_in_seconds_give_the_same_votes(seattle: Path, tmp_path: Path) -> None:
    in_seconds = rewritten(seattle, tmp_path / "seconds", timestamp=lambda time: str(int(time) // 1000))
    ingested = ingest_folder(in_seconds)
    assert "times are numbers, in s" in findings(ingested)
    assert last_votes(ingested) == matrix_of(seattle)
    whole = [time.replace(microsecond=0) for time in ingest_folder(seattle).votes["voted_at"].to_pylist()]
    assert sorted(ingested.votes["voted_at"].to_pylist()) == sorted(whole)


def test_changed_cells_and_counts_are_noticed(seattle: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(seattle, tmp_path / "copy")
    matrix = (copy / "participants-votes.csv").read_text().replace("\n1,1,0,13,8,4,1,", "\n1,1,0,13,8,4,-1,")
    (copy / "participants-votes.csv").write_text(matrix)
    (copy / "summary.csv").write_text("topic,x\nvoters,340\ncomments,54\n")
    noticed = findings(ingest_folder(copy))
    assert "participants-votes.csv: 1 of 2,872 votes differ from those read" in noticed
    assert "summary.csv counts 340 voters (339 were read) and 54 comments" in noticed


def test_ids_of_other_systems_are_not_read(shared_data: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(shared_data / "polis" / "london.youth.policing", tmp_path / "copy")
    rows = read_rows(copy / "participants-votes.csv")
    with (copy / "participants-votes.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "xid": "xid-canary"} for row in rows)
    (copy / "participant-xids.csv").write_text("participant,xid\n1,xid-canary\n")
    ingested = ingest_folder(copy)
    tables = (ingested.items, ingested.votes, ingested.voters, ingested.quarantine, ingested.report)
    assert not any("xid-canary" in str(table.to_pylist()) for table in tables)


COMMENTS = "comment-id,comment-body,agrees,disagrees\n0,One,2,0\n1,Two,0,1\n"


def polis_votes(*votes: tuple[str, str, int]) -> str:
    rows = "".join(f"{T + 1000 * number},{item},{voter},{vote}\n" for number, (voter, item, vote) in enumerate(votes))
    return "timestamp,comment-id,voter-id,vote\n" + rows


def test_counts_that_fit_neither_sign_leave_agree_as_plus_one_and_say_so(tmp_path: Path) -> None:
    ingested = ingest(tmp_path, {"comments.csv": COMMENTS, "votes.csv": polis_votes(("a", "0", 1), ("b", "1", 0))})
    assert last_votes(ingested) == {("a", "0"): 1, ("b", "1"): 0}
    assert any("fit neither sign" in finding for finding in findings(ingested))


def test_several_exports_are_not_one_dataset(tmp_path: Path) -> None:
    files = {
        f"{name}/{file}": content
        for name, vote in (("one", 1), ("two", -1))
        for file, content in (("comments.csv", COMMENTS), ("votes.csv", polis_votes(("a", "0", vote))))
    }
    with pytest.raises(IngestError, match=r"several Polis exports in one dataset \(one, two\)"):
        ingest(tmp_path / "auto", files)
    as_table = ingest(tmp_path / "table", files, {"source": {"format": "table"}})
    assert len(as_table.votes) == 2


def test_a_copy_of_an_export_within_it_is_counted_once(tmp_path: Path) -> None:
    content = {"comments.csv": COMMENTS, "votes.csv": polis_votes(("a", "0", 1))}
    files = content | {f"copy/{name}": text for name, text in content.items()}
    ingested = ingest(tmp_path, files)
    assert (len(ingested.votes), len(ingested.items)) == (1, 2)


def test_a_format_that_is_promised_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"source\.format is polis, but"):
        ingest(tmp_path, {"items.csv": "id,text\n1,x\n"}, {"source": {"format": "polis"}})


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", 'participant,0\n1,"x\n', "participant,0,0\n"])
def test_a_matrix_that_cannot_be_read_stops_nothing(content: str, tmp_path: Path) -> None:
    files = {"comments.csv": COMMENTS, "votes.csv": polis_votes(("a", "0", 1)), "participant-votes.csv": content}
    ingested = ingest(tmp_path, files)
    assert len(ingested.votes) == 1
    assert any("could not be compared" in finding for finding in findings(ingested))
