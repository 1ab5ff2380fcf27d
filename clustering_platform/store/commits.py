"""Commits: which files together are the published state of a dataset, or of one day of it.

A commit is a small JSON file, created only if its number is free and never changed. Numbers of a dataset go up by
one; time never orders anything. A reader resolves commits once and opens only the files they name. What a commit names
is durable before the commit is there.
"""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from clustering_platform.store.errors import StoreError
from clustering_platform.store.files import Files, StoredFile, make_durable, new_file, publish
from clustering_platform.tables import Scope


class CommitConflictError(StoreError):
    """Another writer committed first; nothing was published."""


class CommittedTable(BaseModel):
    """A table of a commit."""

    model_config = ConfigDict(frozen=True)

    path: str
    rows: int
    bytes: int
    content: str
    columns: str = Field(default="", description="Hash of names and types of its columns; empty where it is unknown.")


class RowAccounting(BaseModel):
    """What became of the input rows: read = accepted + quarantined + superseded."""

    model_config = ConfigDict(frozen=True)

    read: int
    accepted: int
    quarantined: int
    superseded: int


class Predecessor(BaseModel):
    """The commit of an earlier day that a commit goes on from."""

    model_config = ConfigDict(frozen=True)

    day: date
    sequence: int
    fingerprint: str


class Commit(BaseModel):
    """One all-or-nothing publication."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    dataset: str
    scope: Scope = Field(description="Whether its tables are of the dataset as a whole, of a day, or over all days.")
    day: date | None = Field(description="Day of an opinion snapshot; None for all else.")
    sequence: int
    status: str
    reason: str | None = None
    run_id: str
    fingerprint: str = Field(description="Hash of input, config and code version; equal means nothing new.")
    code_version: str
    tables: dict[str, CommittedTable]
    rows: RowAccounting | None = None
    continuity: Literal["cold", "warm"] = Field(
        default="cold", description="`warm`: it goes on from the nearest earlier day that was published, if any was."
    )
    predecessor: Predecessor | None = None
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @model_validator(mode="before")
    @classmethod
    def _scope_of_its_day(cls, content: Any) -> Any:
        """Tell the scope of commits that say none: those made before there were tables over all days."""
        if isinstance(content, dict) and "scope" not in content:
            return content | {"scope": "day" if content.get("day") else "dataset"}
        return content


class Commits:
    """The commit log of a warehouse: ``commits/<dataset>/<20-digit sequence>.json``."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.root = files.root / "commits"

    def datasets(self) -> list[str]:
        """Return the names of all datasets with a folder of commits."""
        return sorted(path.name for path in self.root.iterdir() if path.is_dir()) if self.root.is_dir() else []

    def path(self, dataset: str, sequence: int) -> Path:
        """Return where the commit of that number is, or would be."""
        return self.root / dataset / f"{sequence:020d}.json"

    def paths(self, dataset: str) -> list[Path]:
        """Return the commit files of a dataset, oldest first."""
        return sorted((self.root / dataset).glob("[0-9]*.json"))

    def log(self, dataset: str) -> Iterator[Commit]:
        """Yield the commits of a dataset, newest first; those collected as garbage meanwhile are left out."""
        for path in reversed(self.paths(dataset)):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            yield Commit.model_validate_json(content)

    def newest(self, dataset: str, day: date | None, *, scope: Scope | None = None) -> Commit | None:
        """Return the newest commit of a day; where `day` is None, of the dataset as a whole or of another scope."""
        scope = scope or ("day" if day else "dataset")
        return next((commit for commit in self.log(dataset) if (commit.scope, commit.day) == (scope, day)), None)

    def current(self, dataset: str) -> list[Commit]:
        """Return the newest commit of the dataset as a whole and of each of its days, by day."""
        return newest_by_day(self.log(dataset))

    def before(self, dataset: str, day: date) -> Commit | None:
        """Return the newest commit of the nearest earlier day that has one."""
        earlier = [commit for commit in self.current(dataset) if commit.day and commit.day < day]
        return earlier[-1] if earlier else None

    def last_sequence(self, dataset: str) -> int:
        """Return the number of the newest commit of a dataset; 0 where there is none."""
        paths = self.paths(dataset)
        return int(paths[-1].stem) if paths else 0

    def publish(self, commit: Commit) -> Path:
        """Write a commit under its sequence number, which must be the next one.

        Raises
        ------
        CommitConflictError
            The number is taken: somebody else committed since it was chosen.
        StoreError
            A file of the commit is missing or has another size than it had.
        """
        for table in commit.tables.values():
            self._check(table, "; nothing was committed, run it again")
        if commit.sequence != self.last_sequence(commit.dataset) + 1:
            raise CommitConflictError(_conflict(commit))
        make_durable((self.files.root / table.path for table in commit.tables.values()), self.files.root)
        target = self.path(commit.dataset, commit.sequence)
        with new_file(target.parent) as file:
            file.write(commit.model_dump_json(indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
            try:
                publish(file, target)
            except FileExistsError as error:
                raise CommitConflictError(_conflict(commit)) from error
        make_durable([target], self.files.root)
        return target

    def committed_file(self, commit: Commit, table: str) -> StoredFile:
        """Return the file of a table of a commit.

        Raises
        ------
        StoreError
            The commit has no such table, or the file is missing or has another size than it had.
        """
        if table not in commit.tables:
            raise StoreError(f"it has no table {table!r}")
        self._check(commit.tables[table])
        return self.files.describe(commit.tables[table].path)

    def _check(self, table: CommittedTable, advice: str = "") -> None:
        path = self.files.root / table.path
        if not path.is_file() or path.stat().st_size != table.bytes:
            raise StoreError(f"{path}: is missing or not as it was written{advice}")


def newest_by_day(log: Iterable[Commit]) -> list[Commit]:
    """Return the first commit of the dataset as a whole and of each of its days in a log, newest first; by day."""
    newest: dict[date | None, Commit] = {}
    for commit in log:
        if commit.scope != "days":
            newest.setdefault(commit.day, commit)
    return sorted(newest.values(), key=lambda commit: commit.day or date.min)


def stale_days(current: Iterable[Commit]) -> set[date]:
    """Return the days whose newest commit does not go on from what is now the newest of the nearest earlier day.

    Or which goes on from a day of which that is so. Only commits that are `warm` can be stale. A commit made anew with
    the same fingerprint is the same.

    Parameters
    ----------
    current
        The newest commit of each day of one dataset, by day; see `newest_by_day`.
    """
    stale: set[date] = set()
    before: Commit | None = None
    for commit in current:
        if commit.day is None:
            continue
        now = (before.day, before.fingerprint) if before else None
        then = (commit.predecessor.day, commit.predecessor.fingerprint) if commit.predecessor else None
        follows_stale = before is not None and before.day in stale
        if commit.continuity == "warm" and (now != then or follows_stale):
            stale.add(commit.day)
        before = commit
    return stale


def _conflict(commit: Commit) -> str:
    return (
        f"dataset {commit.dataset!r}: commit {commit.sequence} was made by another run in the meantime; "
        "this run published nothing, start it again"
    )


def committed(files: dict[str, StoredFile]) -> dict[str, CommittedTable]:
    """Return files as the tables of a commit.

    Raises
    ------
    StoreError
        A table was made from another version of a table than the one beside it.
    """
    for name, file in files.items():
        for source, content in file.inputs.items():
            if source in files and files[source].content != content:
                raise StoreError(
                    f"table {name!r} was made from an older {source!r} than the one at hand; "
                    f"materialize {name!r} again, or the whole job"
                )
    return {
        name: CommittedTable(
            path=file.path, rows=file.rows, bytes=file.bytes, content=file.content, columns=file.columns
        )
        for name, file in sorted(files.items())
    }
