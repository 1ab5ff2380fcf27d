"""Real conversations, from the export folder to groups and named topics."""

from pathlib import Path

import pytest

from clustering_platform.datasets import suggest_name
from clustering_platform.store.catalog import connect
from clustering_platform.tables import TABLES
from clustering_platform_tests.e2e.processes import clustering_here

pytestmark = pytest.mark.e2e

# Conversation, voters in its export.
CONVERSATIONS = [
    ("scoop-hivemind.biodiversity", 536),
    ("vtaiwan.uberx", 1921),
]


@pytest.mark.parametrize(("conversation", "voters"), CONVERSATIONS)
def test_a_conversation_becomes_groups_and_named_topics(
    conversation: str, voters: int, shared_data: Path, tmp_path: Path
) -> None:
    name, data = suggest_name(conversation), tmp_path / "data"
    added = clustering_here(data, "add", str(shared_data / "polis" / conversation))
    assert added.splitlines()[0].startswith(("conversation: ", repr(conversation)))
    assert "participants-votes.csv: 0 of" in added
    printed = clustering_here(data, "run", name)
    assert "Group B" in printed
    with connect(data / "catalog.duckdb") as catalog:
        assert catalog.execute("SELECT voters, status FROM opinion_snapshot").fetchall() == [(voters, "ready")]
        ((groups,),) = catalog.execute("SELECT count(*) FROM groups").fetchall()
        ((topics,),) = catalog.execute("SELECT count(*) FROM topic_names WHERE name <> ''").fetchall()
        ((unnamed,),) = catalog.execute(
            "SELECT count(*) FROM topic_tree ANTI JOIN topic_names USING (topic_id)"
        ).fetchall()
    assert 2 <= groups <= 5
    assert topics >= 4
    assert unnamed == 0


def test_a_small_conversation_waits_for_voters_until_told_otherwise(shared_data: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    clustering_here(data, "add", str(shared_data / "polis" / "london.youth.policing"))
    printed = clustering_here(data, "run", "london-youth-policing")
    assert "26 < 50 voters" in printed
    with connect(data / "catalog.duckdb") as catalog:
        assert catalog.execute("SELECT status, groups FROM opinion_snapshot").fetchall() == [("insufficient_voters", 0)]
    folder = data / "inbox" / "london-youth-policing"
    (folder / "dataset.yaml").write_text("opinions:\n  min_voters: 15\n")
    printed = clustering_here(data, "run", "london-youth-policing")
    assert "Group B" in printed


def test_no_raw_voter_id_of_a_pseudonymous_dataset_reaches_a_table_or_the_output(tmp_path: Path) -> None:
    data, source = tmp_path / "data", tmp_path / "poll.csv"
    rows = ["voter_id,item_id,vote,voted_at", "canary-999@example.org,s1,maybe,2026-05-01"]
    for voter in range(60):
        for item in range(10):
            vote = "agree" if (voter + item) % 3 else "disagree"
            rows.append(f"canary-{voter:03d}@example.org,s{item},{vote},2026-05-0{1 + voter % 9}")
    source.write_text("\n".join(rows))
    output = clustering_here(data, "add", str(source)) + clustering_here(data, "run", "poll")
    assert "canary" not in output
    for path in data.rglob("*"):
        if path.is_file() and "inbox" not in path.parts:
            assert b"canary" not in path.read_bytes(), path
    with connect(data / "catalog.duckdb") as catalog:
        assert catalog.execute("SELECT count(DISTINCT voter_id) FROM votes").fetchall() == [(60,)]
        assert catalog.execute("SELECT reason FROM quarantine").fetchall() == [("vote_out_of_range",)]
        for table in TABLES:
            assert "canary" not in str(catalog.execute(f"FROM {table}").fetchall()), table
