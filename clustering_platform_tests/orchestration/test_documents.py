"""Documents, from the folder to a commit."""

from clustering_platform.store.catalog import connect
from clustering_platform_tests.orchestration.platform import Platform

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
