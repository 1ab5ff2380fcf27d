"""What a day takes over from earlier ones: the tables it goes on from, or the best numbers of groups before it.

Which day is gone on from is said by ``Publication.predecessor``; what is done with it, in ``opinions.warm`` and
``opinions.smoothing``.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from clustering_platform.orchestration.table_assets import Run
from clustering_platform.store.commits import Commit
from clustering_platform.store.errors import StoreError
from clustering_platform.store.reading import StoredTable

if TYPE_CHECKING:
    import pyarrow as pa

    from clustering_platform.opinions.smoothing import Best
    from clustering_platform.opinions.warm import EarlierLevels


def earlier_table(run: Run, name: str, *columns: str) -> pa.Table | None:
    """Return a table of the day that this one goes on from, or some of its columns; None where it starts anew.

    Raises
    ------
    StoreError
        The commit of that day has no such table, or its file is gone.
    """
    commit = run.predecessor
    if commit is None:
        return None
    try:
        return run.warehouse.files.open(run.warehouse.commits.committed_file(commit, name)).read(*columns)
    except StoreError as error:
        raise StoreError(
            f"{run.part} goes on from {commit.day}, commit {commit.sequence}: {error}; make {commit.day} anew first"
        ) from error


def earlier_levels(run: Run) -> EarlierLevels | None:
    """Return base clusters and groupings of the day that this one goes on from, None where it starts anew."""
    from clustering_platform.opinions.warm import EarlierLevels

    base_clusters, groupings = earlier_table(run, "base_clusters"), earlier_table(run, "groupings")
    return None if base_clusters is None or groupings is None else EarlierLevels(base_clusters, groupings)


class EarlierDays:
    """The days before the one of a run, each as its votes say: read where it is published, else computed."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def changed(self, day: date) -> bool:
        """Tell whether a day may differ from the day before."""
        from clustering_platform.opinions.smoothing import is_changed

        return is_changed(self._votes, day=day, config=self.run.config.opinions)

    def best_number(self, day: date) -> Best | None:
        """Return the best number of groups of a day, None where there were no groups."""
        from clustering_platform.opinions.compute import best_number_on
        from clustering_platform.opinions.smoothing import best_of

        commit = self.run.warehouse.commits.newest(self.run.part.dataset, day)
        groupings = self._groupings(commit, day) if commit else None
        if commit and groupings is not None:
            self.run.log.info(f"number of groups on {day}: read from commit {commit.sequence}")
            return best_of(groupings)
        self.run.log.info(f"number of groups on {day}: computed from its votes")
        return best_number_on(self._votes, self._voters, self._items, day=day, config=self.run.config.opinions)

    def _groupings(self, commit: Commit, day: date) -> pa.Table | None:
        """Return the groupings of a commit that would be made the same now."""
        commits = self.run.warehouse.commits
        try:
            groupings = commits.committed_file(commit, "groupings")
        except StoreError:
            return None
        is_current = groupings.recipe == self.run.day_recipe(day)
        return self.run.warehouse.files.read(groupings) if is_current else None

    @cached_property
    def _votes(self) -> StoredTable:
        return self._open("votes")

    @cached_property
    def _voters(self) -> pa.Table:
        return self._open("voters").read("voter_id")

    @cached_property
    def _items(self) -> pa.Table:
        return self._open("items").read("item_id", "moderation", "is_meta")

    def _open(self, table: str) -> StoredTable:
        return self.run.warehouse.files.open(self.run.file(table))
