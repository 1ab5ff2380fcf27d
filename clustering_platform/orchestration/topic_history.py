"""What was published of topics before, read from the commits: what lasting ids are matched with.

Needs nothing of Dagster; what is done with it belongs in ``semantics``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from clustering_platform.store.commits import Commit, Commits
from clustering_platform.store.curation import Curation
from clustering_platform.store.errors import StoreError

if TYPE_CHECKING:
    from clustering_platform.semantics.lineage import Before
    from clustering_platform.semantics.placing import Fit
    from clustering_platform.semantics.proposing import CuratedTopics


def earlier_topics(commits: Commits, dataset: str) -> Before | None:
    """Return the topics of the newest commit of a dataset whose tables of topics can be read; None without one."""
    from clustering_platform.semantics.lasting import read_before

    for commit in commits.log(dataset):
        if commit.day is None and "item_topics" in commit.tables:
            try:
                lasts = "topic_lineage" in commit.tables
                return read_before(
                    commit.sequence,
                    _read(commits, commit, "item_topics", "item_id", "path"),
                    _read(commits, commit, "found_item_topics", "item_id", "path") if lasts else None,
                    _read(commits, commit, "topic_lineage") if lasts else None,
                )
            except StoreError:
                continue
    return None


def earlier_fit(commits: Commits, dataset: str) -> Fit | None:
    """Return the tree that is published of a dataset, with its map; None where there is none that can be read."""
    from clustering_platform.semantics.placing import Fit
    from clustering_platform.semantics.topic_tables import FOUND_TABLES

    newest = commits.newest(dataset, None)
    if newest is None or "topic_fit" not in newest.tables:
        return None
    try:
        tables = {name: _read(commits, newest, name) for name in (*FOUND_TABLES, "projection")}
    except StoreError:
        return None
    return Fit(tables) if tables["topic_fit"].num_rows else None


def read_curated(commits: Commits, dataset: str) -> CuratedTopics:
    """Return the published topics of a dataset with all decisions about them up to now.

    Raises
    ------
    StoreError
        Nothing is published yet, or from before topics had lasting ids, or a file is damaged.
    """
    from clustering_platform.semantics.proposing import curated_topics

    newest = commits.newest(dataset, None)
    if newest is None or "topic_lineage" not in newest.tables:
        raise StoreError(f"no topics with lasting ids are published of {dataset!r}; run `clustering run {dataset}`")
    return curated_topics(
        dataset,
        _read(commits, newest, "found_topics", "topic_id", "parent_id", "size"),
        _read(commits, newest, "topic_lineage"),
        _read(commits, newest, "topic_names"),
        Curation(commits.files.root).read(dataset),
        newest.tables["curation"].rows,
    )


def check_compared(commits: Commits, dataset: str, topic_lineage: pa.Table, content: str) -> None:
    """Make sure that ids were matched with what is published now, or are those that are.

    Parameters
    ----------
    content
        Hash of the content of `topic_lineage`.

    Raises
    ------
    StoreError
        Another commit came after the one that they were matched with; numbers could be given twice.
    """
    newest = commits.newest(dataset, None)
    if newest and "topic_lineage" in newest.tables and newest.tables["topic_lineage"].content == content:
        return
    before = earlier_topics(commits, dataset)
    current = topic_lineage["compared_with"][0].as_py() if topic_lineage.num_rows else None
    if topic_lineage.num_rows and current != (before.commit if before else None):
        raise StoreError(
            f"the ids of the topics of {dataset!r} were matched with another commit than the newest; "
            "materialize 'topic_tree' again, or the whole job"
        )


def _read(commits: Commits, commit: Commit, table: str, *columns: str) -> pa.Table:
    return commits.files.open(commits.committed_file(commit, table)).read(*columns)
