"""The export files of Polis: the same content as real ones, and ours again when they are read back."""

import csv
import io
from pathlib import Path

import pyarrow as pa
import pytest

from clustering_platform.datasets import Dataset
from clustering_platform.exports.conversation import Conversation
from clustering_platform.exports.polis import FILE_NAMES
from clustering_platform.ingest.ingest import ingest_dataset
from clustering_platform.ingest.pseudonyms import Pseudonyms
from clustering_platform.tables import TABLES, conform
from clustering_platform_tests.exports.conversations import (
    cells,
    conversation,
    exported,
    from_export,
    given_by_polis,
    rows_of,
    two_camps,
)
from clustering_platform_tests.opinions.polis_data import CONVERSATIONS, load_conversation
from clustering_platform_tests.opinions.tables import items_table, plain_items, votes_table

REAL = ("15-per-hour-seattle", "london.youth.policing", "bg2050-volunteers", "scoop-hivemind.biodiversity")
NOT_COMPARED = {
    "votes.csv": {"datetime"},  # written in the zone of whoever exported it
    "comments.csv": {"datetime", "group-informed-consensus"},
    "participants-votes.csv": {"group-id", "xid"},  # groups are ours; ids in other systems are not held
}
PLAIN_FILES = FILE_NAMES - {"participant-ids.csv", "comment-ids.csv"}
HOSTILE = ('=1+1, "q"', "two\nlines;-x", "@x", "\ttab", "naïve 投票 🗳", "'=x", "")


def with_texts(texts: tuple[str, ...]) -> Conversation:
    """Return a conversation whose items, numbered from 0, have some texts."""
    votes, items = two_camps(items=len(texts))
    return conversation(votes, items.set_column(1, TABLES["items"].schema().field("text"), pa.array(texts)))


@pytest.mark.parametrize("name", REAL)
def test_votes_comments_and_matrix_are_those_of_the_real_export(name: str, shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "polis" / name
    ours = exported(from_export(folder), tmp_path, raw=True)
    for file, left_out in NOT_COMPARED.items():
        theirs, rows = rows_of((folder / file).read_bytes().decode()), rows_of(ours[file])
        columns = [column for column in theirs[0] if column not in left_out]
        assert [column for column in rows[0] if column not in left_out] == columns
        assert cells(rows, columns) == cells(theirs, columns)


@pytest.mark.parametrize("name", REAL[:2])
def test_the_summary_counts_alike(name: str, shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "polis" / name
    theirs = dict(row for row in csv.reader((folder / "summary.csv").open(encoding="utf-8", newline="")) if row)
    ours = dict(csv.reader(io.StringIO(exported(from_export(folder), tmp_path)["summary.csv"])))
    same = ("topic", "voters", "commenters", "comments")
    assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_groups_are_those_given(name: str, shared_data: Path, tmp_path: Path) -> None:
    polis = load_conversation(shared_data / "polis-math" / name)
    files = exported(given_by_polis(polis), tmp_path)
    bases = dict(zip(polis.math["base-clusters"]["id"], polis.math["base-clusters"]["members"], strict=True))
    theirs = {
        str(pid): str(group["id"])
        for group in polis.math["group-clusters"]
        for bid in group["members"]
        for pid in bases[bid]
    }
    matrix = rows_of(files["participants-votes.csv"])
    assert {row["participant"]: row["group-id"] for row in matrix if row["group-id"]} == theirs
    for row in rows_of(files["comment-groups.csv"]):
        for group, entry in polis.math["group-votes"].items():
            counts, letter = entry["votes"][row["comment-id"]], "abcde"[int(group)]
            assert [int(row[f"group-{letter}-{name}"]) for name in ("agrees", "disagrees", "votes")] == [
                counts[name] for name in "ADS"
            ]
        assert int(row["total-votes"]) == sum(int(row[f"total-{side}"]) for side in ("agrees", "disagrees", "passes"))


def test_every_file_is_written_with_the_headers_of_polis(tmp_path: Path) -> None:
    files = exported(conversation(*two_camps()), tmp_path)
    assert set(files) == PLAIN_FILES
    columns = {name: text.partition("\n")[0] for name, text in files.items()}
    items = ",".join(str(item) for item in range(10))
    assert columns["votes.csv"] == "timestamp,datetime,comment-id,voter-id,vote"
    assert columns["comments.csv"] == (
        "timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body"
    )
    assert columns["participants-votes.csv"] == f"participant,group-id,n-comments,n-votes,n-agree,n-disagree,{items}"
    assert columns["participant-importance.csv"] == f"participant,group-id,n-comments,n-votes,n-important,{items}"
    assert columns["participant-xids.csv"] == "participant,xid"
    assert columns["comment-groups.csv"].startswith(
        "comment-id,comment,total-votes,total-agrees,total-disagrees,total-passes,"
        "group-a-votes,group-a-agrees,group-a-disagrees,group-a-passes,group-b-votes"
    )
    assert columns["comment-clusters.csv"] == "comment-id,moderated,active,comment-body"
    assert columns["stats-history.csv"] == "n-votes,n-comments,n-visitors,n-voters,n-commenters"
    assert [row[0] for row in csv.reader(io.StringIO(files["summary.csv"]))] == [
        *("topic", "url", "voters", "voters-in-conv", "commenters", "comments", "groups"),
        *("conversation-description", "vote-convention"),
    ]


def test_what_is_exported_reads_back_as_the_same_votes(tmp_path: Path) -> None:
    votes = [("3", "10", 1), ("7", "10", -1), ("3", "10", 0), ("3", "2", 1), ("7", "2", 1), ("3", "2", 1)]
    items = items_table([("10", 1, True), ("2", -1, False), ("99", 0, False)])
    made = conversation(votes_table(votes), items)
    exported(made, tmp_path / "out")
    again = ingest_dataset(Dataset("again", tmp_path / "out"), Pseudonyms())
    kept = ["voter_id", "item_id", "vote", "voted_at", "is_superseded"]
    assert again.votes.select(kept).to_pylist() == made.tables["votes"].select(kept).to_pylist()
    told = ["item_id", "moderation", "is_meta"]
    assert sorted(map(str, again.items.select(told).to_pylist())) == sorted(map(str, items.select(told).to_pylist()))
    assert again.quarantined == again.read - again.accepted - again.superseded == 0
    findings = " ".join(finding for row in again.report.to_pylist() for finding in row["findings"])
    assert "0 of 4 votes differ from those read" in findings


@pytest.mark.parametrize("raw", [False, True])
def test_hostile_texts_are_safe_in_a_spreadsheet_and_unchanged_when_raw(raw: bool, tmp_path: Path) -> None:
    files = exported(with_texts(HOSTILE), tmp_path, raw=raw)
    for file, column in (
        ("comments.csv", "comment-body"),
        ("comment-groups.csv", "comment"),
        ("comment-clusters.csv", "comment-body"),
    ):
        texts = tuple(row[column] for row in rows_of(files[file]))
        assert (texts == HOSTILE) is raw
        assert raw or not any(text.startswith(tuple("=+-@\t\r\n")) for text in texts)
    assert {row["vote"] for row in rows_of(files["votes.csv"])} == {"1", "0", "-1"}


def test_raw_texts_are_the_same_when_read_back(tmp_path: Path) -> None:
    exported(with_texts(HOSTILE), tmp_path / "out", raw=True)
    again = ingest_dataset(Dataset("again", tmp_path / "out"), Pseudonyms())
    texts = dict(zip(again.items["item_id"].to_pylist(), again.items["text"].to_pylist(), strict=True))
    assert tuple(texts[str(item)] for item in range(len(HOSTILE))) == HOSTILE


def test_a_hostile_title_is_safe_too(tmp_path: Path) -> None:
    files = exported(conversation(*two_camps(), title="=1+1"), tmp_path)
    assert files["summary.csv"].startswith("topic,'=1+1\n")


def test_numbers_stand_for_ids_that_are_none_and_a_file_says_which(tmp_path: Path) -> None:
    votes = votes_table([("=zoe", "b", 1), ("ann", "b", -1), ("=zoe", "a", 1)])
    files = exported(conversation(votes, plain_items("a", "b")), tmp_path)
    assert set(files) == FILE_NAMES
    assert rows_of(files["participant-ids.csv"]) == [
        {"participant": "0", "voter_id": "'=zoe"},
        {"participant": "1", "voter_id": "ann"},
    ]
    assert rows_of(files["comment-ids.csv"]) == [
        {"comment-id": "0", "item_id": "b"},
        {"comment-id": "1", "item_id": "a"},
    ]
    assert [row["voter-id"] for row in rows_of(files["votes.csv"])] == ["0", "1", "0"]


def test_authors_count_for_their_comments_and_get_numbers_after_the_voters(tmp_path: Path) -> None:
    items = plain_items("0", "1", "2")
    authors = pa.array(["ann", "eve", "ann"], pa.string())
    items = items.set_column(items.schema.get_field_index("author_id"), items.schema.field("author_id"), authors)
    votes = votes_table([("bob", "0", 1), ("ann", "0", 1), ("ann", "1", 0)])
    files = exported(conversation(votes, items), tmp_path)
    assert [row["author-id"] for row in rows_of(files["comments.csv"])] == ["1", "2", "1"]
    matrix = rows_of(files["participants-votes.csv"])
    assert cells(matrix, ["participant", "n-comments", "n-votes", "n-agree", "n-disagree"]) == [
        ("0", "0", "1", "1", "0"),
        ("1", "2", "2", "1", "0"),
    ]
    assert "commenters,2\n" in files["summary.csv"]
    assert rows_of(files["stats-history.csv"])[-1] == {
        "n-votes": "3",
        "n-comments": "3",
        "n-visitors": "",
        "n-voters": "2",
        "n-commenters": "2",
    }


def test_only_votes_of_the_snapshot_are_in_its_files(tmp_path: Path) -> None:
    made = conversation(*two_camps())
    later = votes_table([("77", "0", 1)], times=[made.tables["votes"]["voted_at"][-1].as_py().replace(year=2027)])
    tables = dict(made.tables) | {"votes": pa.concat_tables([made.tables["votes"], later])}
    files = exported(Conversation("Talk", "", made.day, made.tick, tables), tmp_path)
    assert "77" not in {row["voter-id"] for row in rows_of(files["votes.csv"])}


def test_topics_are_clusters_on_layers_the_finest_first(tmp_path: Path) -> None:
    tree = [("t0", None, 0, ["t0"]), ("t1", "t0", 1, ["t0", "t1"]), ("t2", "t0", 1, ["t0", "t2"])]
    tree += [("t3", "t2", 2, ["t0", "t2", "t3"])]
    topic_tree = pa.Table.from_pylist(
        [
            {"topic_id": topic, "parent_id": parent, "depth": depth, "path": path}
            | {
                "size": 1,
                "noise_size": 0,
                "own_noise": 0,
                "method": "leaf",
                "note": "",
                "cohesion": 1.0,
                "silhouette": None,
                "stability": None,
                "threshold": 0.5,
            }
            | {"exemplar_ids": [], "diverse_ids": [], "centroid": []}
            for topic, parent, depth, path in tree
        ]
    )
    places = {"0": tree[3], "2": tree[1], "3": tree[0]}
    item_topics = pa.Table.from_pylist(
        [
            {
                "item_id": item,
                "content_hash": item,
                "topic_id": topic,
                "depth": depth,
                "path": path,
                "is_noise": False,
                "similarity": 0.75,
            }
            | {"confidence": 1.0, "membership": None, "neighbour_similarity": None, "origin": "fitted"}
            for item, (topic, _, depth, path) in places.items()
        ]
    )
    votes, items = two_camps(items=4)
    made = conversation(
        votes,
        items,
        topic_tree=conform(topic_tree, TABLES["topic_tree"]),
        item_topics=conform(item_topics, TABLES["item_topics"]),
    )
    rows = rows_of(exported(made, tmp_path)["comment-clusters.csv"])
    names = [f"layer{layer}-{what}" for what in ("cluster-id", "distance", "confidence") for layer in (0, 1)]
    assert list(rows[0]) == ["comment-id", "moderated", "active", *names, "comment-body"]
    found = [[row[name] for name in names] for row in rows]
    assert found == [
        ["0", "1", "0.25", "", "", ""],
        ["", "", "", "", "", ""],
        ["-1", "0", "", "0.25", "", ""],
        ["-1", "-1", "", "", "", ""],
    ]


def test_without_votes_or_groups_the_files_are_there_with_what_is_known(tmp_path: Path) -> None:
    empty = exported(conversation(TABLES["votes"].empty(), plain_items("0")), tmp_path / "empty")
    assert set(empty) == PLAIN_FILES
    assert len(rows_of(empty["comments.csv"])) == 1
    for name in ("votes.csv", "participants-votes.csv", "comment-groups.csv", "stats-history.csv"):
        assert rows_of(empty[name]) == []
    few = exported(conversation(votes_table([("0", "0", 1)]), plain_items("0")), tmp_path / "few")
    assert rows_of(few["participants-votes.csv"]) == [
        {
            "participant": "0",
            "group-id": "",
            "n-comments": "0",
            "n-votes": "1",
            "n-agree": "1",
            "n-disagree": "0",
            "0": "1",
        }
    ]
    assert few["comment-groups.csv"] == "comment-id,comment,total-votes,total-agrees,total-disagrees,total-passes\n"
    assert "groups,0\n" in few["summary.csv"]
