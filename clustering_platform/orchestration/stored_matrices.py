"""Vote matrices of former commits from which a new one can go on.

How it goes on is known to ``opinions.increment``; here the best matrix is looked for.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING

from clustering_platform.opinions.log import rows_until, time_of
from clustering_platform.orchestration.recipes import FORCE_TAG
from clustering_platform.store.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

    from clustering_platform.opinions.increment import StoredMatrix
    from clustering_platform.orchestration.publication import Publication
    from clustering_platform.orchestration.table_assets import Run
    from clustering_platform.store.commits import Commit
    from clustering_platform.store.reading import StoredTable

_MOST_LOOKED_AT = 10


def make_vote_matrix(
    run: Run, votes: StoredTable, voters: StoredTable, items: StoredTable
) -> tuple[pa.Table, pa.Table]:
    """Return the tables `vote_matrix` and `voted_items` of a run's day, going on from a stored matrix if one fits."""
    from clustering_platform.opinions.matrix import build_vote_matrix

    found = find_stored_matrix(run, votes, run.day)
    build = functools.partial(
        build_vote_matrix,
        votes,
        voters.read("voter_id"),
        items.read("item_id", "moderation", "is_meta"),
        day=run.day,
        config=run.config.opinions,
    )
    if found:
        commit, stored = found
        try:
            made = build(stored=stored)
        except StoreError as error:
            run.log.info(f"commit {commit.sequence} cannot be gone on from: {error}")
        else:
            run.metadata["went on from"] = f"the matrix of commit {commit.sequence}"
            return made
    return build()


def find_stored_matrix(publication: Publication, votes: StoredTable, day: date) -> tuple[Commit, StoredMatrix] | None:
    """Return the newest commit whose matrix was made of the first votes of a log, and that matrix.

    None where there is no such commit, where votes fall out of the window, or where all is to be computed anew.
    """
    is_forced = publication.context.run.tags.get(FORCE_TAG) == "true"
    stop = rows_until(votes, day)
    if publication.config.opinions.window != "all" or is_forced or not stop:
        return None
    for commit in islice(_earlier_commits(publication, day), _MOST_LOOKED_AT):
        try:
            if log_rows := _rows_in_common(publication, commit, votes, stop):
                return commit, _load(publication, commit, log_rows)
        except StoreError as error:
            publication.log.info(f"commit {commit.sequence} cannot be gone on from: {error}")
    return None


def _earlier_commits(publication: Publication, day: date) -> Iterator[Commit]:
    """Yield the newest commit of each day up to `day` made by the same version of the code, latest day first."""
    for commit in reversed(publication.warehouse.commits.current(publication.part.dataset)):
        if commit.day and commit.day <= day and commit.code_version == publication.code_version:
            yield commit


def _rows_in_common(publication: Publication, commit: Commit, votes: StoredTable, stop: int) -> int:
    """Return of how many of the first votes of a log a commit was made, 0 where it was made of others."""
    file = publication.warehouse.commits.committed_file(commit, "opinion_snapshot")
    (row,) = publication.warehouse.files.read(file).to_pylist()
    if not 0 < row["log_rows"] <= stop or row["first_vote_at"] != time_of(votes, 0):  # else some are out of its window
        return 0
    return int(row["log_rows"]) if row["log_digest"] == votes.digest(row["log_rows"]) else 0


def _load(publication: Publication, commit: Commit, log_rows: int) -> StoredMatrix:
    from clustering_platform.opinions.increment import StoredMatrix

    matrix, voted = (
        publication.warehouse.files.open(publication.warehouse.commits.committed_file(commit, name))
        for name in ("vote_matrix", "voted_items")
    )
    return StoredMatrix(matrix, voted.read("item_id", "disagree", "pass", "agree"), log_rows)
