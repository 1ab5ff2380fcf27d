"""The published days of a dataset, read from the commits in calendar order: what drift is made of."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from clustering_platform.store.commits import Commit, Commits
from clustering_platform.store.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

    from clustering_platform.opinions.drift.days import Day


_COUNTS = ("level", "cluster_id", "item_id", "disagree", "pass", "agree")


class PublishedDays:
    """The newest commit of each day of a dataset, as they are when first looked at."""

    def __init__(self, commits: Commits, dataset: str) -> None:
        self._commits = commits
        self._dataset = dataset

    @cached_property
    def newest(self) -> list[Commit]:
        """The commits, by day."""
        return [commit for commit in self._commits.current(self._dataset) if commit.day]

    @property
    def contents(self) -> list[list[str]]:
        """What drift depends on: each day, and the content of its tables that matter."""
        from clustering_platform.opinions.drift.days import TABLES_OF_A_DAY

        return [
            [str(commit.day), *(commit.tables[name].content for name in TABLES_OF_A_DAY if name in commit.tables)]
            for commit in self.newest
        ]

    def read(self, only: Collection[date] | None = None) -> Iterator[Day]:
        """Yield the days, or only some of them; each is read when it is asked for.

        Raises
        ------
        StoreError
            A file of a day is gone.
        """
        from clustering_platform.opinions.drift.days import Day

        for commit in self.newest:
            if commit.day is None or (only is not None and commit.day not in only):
                continue
            patterns = self._read(commit, "voting_patterns", *_COUNTS)
            yield Day(
                day=commit.day,
                status=self._read(commit, "opinion_snapshot", "status")["status"][0].as_py(),
                voter_groups=self._read(commit, "voter_groups", "voter_id", "x", "y", "group_id"),
                voting_patterns=patterns.filter(pc.equal(patterns["level"], "group")),
                voted_items=self._read(commit, "voted_items", "item_id"),
            )

    def _read(self, commit: Commit, table: str, *columns: str) -> pa.Table:
        try:
            return self._commits.files.open(self._commits.committed_file(commit, table)).read(*columns)
        except StoreError as error:
            raise StoreError(
                f"{self._dataset} on {commit.day}, commit {commit.sequence}: {error}; make that day anew first: "
                f"clustering run {self._dataset} --day {commit.day}"
            ) from error
