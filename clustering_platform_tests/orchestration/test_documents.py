"""Documents, from the folder to a commit."""

import pyarrow as pa

from clustering_platform.exports.conversation import read_conversation
from clustering_platform.exports.polis_csv import comment_clusters
from clustering_platform.exports.topics import read_topics
from clustering_platform.orchestration.runs import faults_of
from clustering_platform.store.catalog import connect
from clustering_platform_tests.orchestration.platform import DAY, Platform, materialized, write_conversation

SUBJECTS = ("river bank fish water bridge", "oak forest leaf squirrel shade", "castle wall tower knight moat")


def write_documents(platform: Platform, *, count: int = 30) -> None:
    """Write documents on one subject each, every third of them long."""
    folder = platform.dataset("reports").folder
    for row in range(count):
        words = SUBJECTS[row % 3].split()
        text = " ".join(words[(row + place) % 5] for place in range(600 if row % 9 == 0 else 12))
        (folder / f"report-{row}.md").write_text(text)
    (folder / "bad.txt").write_bytes(b"caf\xe9")


def test_documents_are_cut_and_published_with_the_topics_of_each(platform: Platform) -> None:
    write_documents(platform)
    assert platform.run("topics", "reports").success
    commit = platform.log("reports")[0]
    assert commit.rows
    assert (commit.rows.read, commit.rows.accepted, commit.rows.quarantined) == (31, 30, 1)
    assert commit.tables["chunks"].rows == commit.tables["item_topics"].rows > 30
    with connect(platform.settings.catalog) as catalog:
        main = "SELECT count(*), sum(is_main::int) FROM document_topics JOIN items ON document_id = items.item_id"
        rows, mains = catalog.execute(main).fetchall()[0]
        longest = "SELECT max(tokens), count(*) FROM chunks WHERE document_id = 'report-0.md'"
        tokens, pieces = catalog.execute(longest).fetchall()[0]
    assert rows >= mains == 30
    assert tokens <= 512
    assert pieces == 2


def write_long_statements(platform: Platform, *, count: int = 60) -> None:
    """Write a conversation with outcomes on two subjects; the first statements say theirs at great length."""
    folder = platform.dataset("talk").folder
    write_conversation(folder, items=count)
    rows = [f"s{row},{' '.join(SUBJECTS[row % 2].split() * (60 if row < 4 else 1))} {row}" for row in range(count)]
    (folder / "items.csv").write_text("id,text\n" + "\n".join(rows) + "\n")
    results = [f"s{row},{'wrong' if row % 2 and row % 5 else 'right'}" for row in range(count)]
    (folder / "results.csv").write_text("item_id,label\n" + "\n".join(results) + "\n")
    (folder / "dataset.yaml").write_text(
        "outcomes: {file: results.csv}\ntopics: {min_topic_size: 10, chunks: {tokens: 64}}"
    )


def test_an_item_that_is_cut_counts_once_in_outcomes_opinions_and_exports(platform: Platform) -> None:
    write_long_statements(platform)
    topics, opinions = platform.publish()
    assert topics.success, list(map(str, faults_of(topics)))
    assert opinions.success, list(map(str, faults_of(opinions)))
    with connect(platform.settings.catalog) as catalog:
        ((pieces, cut),) = catalog.execute("SELECT count(*), count(DISTINCT document_id) FROM chunks").fetchall()
        judged = catalog.execute("SELECT items_with_outcome, errors FROM topic_outcomes WHERE depth = 0").fetchall()
        voted = catalog.execute("SELECT items FROM topic_divisions WHERE depth = 0").fetchall()
        main = dict(catalog.execute("SELECT document_id, topic_id FROM document_topics WHERE is_main").fetchall())
        worst = catalog.execute("SELECT topic_id FROM topic_outcomes WHERE is_worse").fetchall()
    assert pieces > cut == 60
    assert judged == [(60, 24)]
    assert voted == [(60,)]
    assert worst
    assert "castle" not in str(materialized(topics, "topic_outcomes")["worst topics"])
    assert "oak forest" in str(materialized(topics, "topic_outcomes")["worst topics"])
    given = read_topics(platform.commits, platform.dataset())
    rows = pa.Table.from_batches(list(given.items()))
    assert (
        dict(
            zip(
                rows["item_id"].to_pylist(),
                given.tree.ids.take(rows["topic"].combine_chunks()).to_pylist(),
                strict=True,
            )
        )
        == main
    )
    assert sum(batch.num_rows for batch in given.pieces("text")) == pieces
    clusters = comment_clusters(read_conversation(platform.commits, platform.dataset(), DAY))
    assert clusters.num_rows == 60
    assert clusters["layer0-cluster-id"].null_count == 0


def test_settings_choose_what_takes_part_and_what_counts(platform: Platform) -> None:
    folder = platform.dataset("notes").folder
    rows = [f"n{row},{SUBJECTS[row % 3]} {row},{'ab'[row % 2]},2026-03-{row % 28 + 1:02}" for row in range(60)]
    (folder / "items.csv").write_text("id,text,kind,created_at\n" + "\n".join(rows) + "\n")
    settings = folder / "dataset.yaml"

    def embedded() -> int:
        result = platform.run("topics", "notes")
        assert result.success, list(map(str, faults_of(result)))
        return platform.log("notes")[0].tables["embeddings"].rows

    settings.write_text("topics: {only: {metadata: {kinds: [a]}}}")
    assert "did you mean 'kind'" in " ".join(map(str, faults_of(platform.run("topics", "notes"))))
    settings.write_text("topics: {only: {metadata: {kind: [a]}, since: 2026-03-08, until: 2026-03-14}}")
    assert embedded() == 6
    settings.write_text("topics: {strategy: flat, flat: {algorithm: kmeans, clusters: 3, decay_days: 7}}")
    assert embedded() == 60
