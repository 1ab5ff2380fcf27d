"""Any order of writing, committing, dying, collecting and waiting, against a model that is a list of commits."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from clustering_platform.store.commits import CommitConflictError
from clustering_platform.store.errors import StoreError
from clustering_platform.store.files import StoredFile
from clustering_platform.store.garbage import collect_garbage
from clustering_platform_tests.store.test_garbage import pass_hours
from clustering_platform_tests.store.versions import DAY, log_of, make_commit, versions_in, write

KEEP_HOURS = 24
Slice = tuple[str, date | None]
SLICES: list[Slice] = [("talk", DAY), ("talk", date(2026, 4, 1)), ("talk", None), ("walk", DAY)]
slices = st.sampled_from(SLICES)


@dataclass
class Published:
    """A commit as the model knows it."""

    part: Slice
    sequence: int
    version: int
    path: str
    hour: int


@dataclass
class Model:
    """What ought to be there; `files` holds the hour at which each was written."""

    hour: int = 0
    commits: list[Published] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    last_sequence: dict[str, int] = field(default_factory=dict)

    def newest(self, part: Slice) -> Published | None:
        return next((commit for commit in reversed(self.commits) if commit.part == part), None)

    def collect(self, keep: int) -> None:
        stay = []
        for commit in self.commits:
            later = [other for other in self.commits if other.part == commit.part and other.sequence > commit.sequence]
            if len(later) < keep or self.is_young(later[0].hour):
                stay.append(commit)
        self.commits = stay
        named = {commit.path for commit in stay}
        self.files = {path: hour for path, hour in self.files.items() if path in named or self.is_young(hour)}

    def is_young(self, hour: int) -> bool:
        return self.hour - hour < KEEP_HOURS


class StoreMachine(RuleBasedStateMachine):
    """Drives a warehouse and the model side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.commits = log_of(self.root)
        self.model = Model()
        self.version = 0
        self.written: dict[Slice, tuple[int, StoredFile]] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    @rule(part=slices)
    def write(self, part: Slice) -> None:
        self.version += 1
        table = "groups" if part[1] else "projection"
        file = write(self.commits, table, version=self.version, dataset=part[0], day=part[1])
        self.model.files[file.path] = self.model.hour
        self.written[part] = self.version, file

    @rule(part=slices)
    def commit(self, part: Slice) -> None:
        if part not in self.written:
            return
        version, file = self.written[part]
        sequence = self.model.last_sequence.get(part[0], 0) + 1
        commit = make_commit({file.table: file}, sequence, dataset=part[0], day=part[1], run_id=f"run-{version}")
        if file.path not in self.model.files:
            with pytest.raises(StoreError, match="nothing was committed"):
                self.commits.publish(commit)
            return
        self.commits.publish(commit)
        self.model.commits.append(Published(part, sequence, version, file.path, self.model.hour))
        self.model.last_sequence[part[0]] = sequence

    @rule(part=slices, back=st.integers(0, 3))
    def commit_too_late(self, part: Slice, back: int) -> None:
        sequence = self.model.last_sequence.get(part[0], 0) - back
        with pytest.raises(CommitConflictError):
            self.commits.publish(make_commit({}, sequence, dataset=part[0], day=part[1]))

    @rule(part=slices)
    def die_while_writing(self, part: Slice) -> None:
        folder = self.commits.files.folder("groups", *part)
        folder.mkdir(parents=True, exist_ok=True)
        self.version += 1
        leftover = folder / f".{self.version}.part"
        leftover.write_bytes(b"PAR1")
        self.model.files[leftover.relative_to(self.root).as_posix()] = self.model.hour

    @rule(tens=st.integers(1, 3))
    def wait(self, tens: int) -> None:
        pass_hours(self.root, 10 * tens)
        self.model.hour += 10 * tens

    @rule(keep=st.integers(1, 3))
    def collect(self, keep: int) -> None:
        collect_garbage(self.commits, keep_commits=keep, keep_hours=KEEP_HOURS)
        self.model.collect(keep)

    @invariant()
    def the_newest_of_every_slice_is_what_the_model_says(self) -> None:
        for part in SLICES:
            found, expected = self.commits.newest(*part), self.model.newest(part)
            assert (found and found.sequence) == (expected and expected.sequence)

    @invariant()
    def every_commit_that_is_left_can_be_read(self) -> None:
        found = [commit for dataset in self.commits.datasets() for commit in self.commits.log(dataset)]
        expected = {(commit.part, commit.sequence): commit.version for commit in self.model.commits}
        assert {((commit.dataset, commit.day), commit.sequence) for commit in found} == set(expected)
        for commit in found:
            (table,) = commit.tables.values()
            version = expected[(commit.dataset, commit.day), commit.sequence]
            assert versions_in(self.commits.files.read(table.path), table.rows) == {float(version)}

    @invariant()
    def there_is_no_file_too_much_and_none_too_few(self) -> None:
        files = (path for path in (self.root / "files").rglob("*") if path.is_file())
        assert {path.relative_to(self.root).as_posix() for path in files} == set(self.model.files)


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=25, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow]
)
