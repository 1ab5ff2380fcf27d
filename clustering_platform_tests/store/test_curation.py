"""The log of decisions: numbered, whole or not there, never lost, never changed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from datetime import UTC
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pydantic import ValidationError

from clustering_platform.store.catalog import rebuild_catalog
from clustering_platform.store.commits import Commits
from clustering_platform.store.curation import LONGEST_NAME, Action, Curation, plain_text
from clustering_platform.store.errors import StoreError
from clustering_platform.store.garbage import collect_garbage
from clustering_platform_tests.store.processes import CONTEXT, in_fresh_process, messages, start
from clustering_platform_tests.store.test_crashes import Fate, deaths
from clustering_platform_tests.store.test_garbage import pass_hours
from clustering_platform_tests.store.test_kills import kill_often
from clustering_platform_tests.store.versions import log_of


@pytest.fixture
def curation(tmp_path: Path) -> Curation:
    return Curation(tmp_path / "warehouse")


def values(curation: Curation, dataset: str = "talk") -> list[str | None]:
    return [decision.value for decision in curation.read(dataset)]


def test_before_the_first_decision_the_log_is_empty(curation: Curation) -> None:
    assert curation.read("talk") == []
    assert curation.last_sequence("talk") == 0


def test_decisions_come_back_as_they_were_taken_each_dataset_for_itself(curation: Curation) -> None:
    taken = [
        curation.append("talk", "rename", "t4", "Ball games", author="Ada"),
        curation.append("talk", "merge", "t4", "t7"),
        curation.append("talk", "unusable", "t12"),
        curation.append("talk", "note", "t0", "two\nlines"),
        curation.append("talk", "undo", "t4", "2"),
    ]
    other = curation.append("walk", "usable", "t1")
    assert curation.read("talk") == taken
    assert curation.read("walk") == [other]
    assert [decision.sequence for decision in taken] == [1, 2, 3, 4, 5]
    assert (taken[0].author, taken[1].author) == ("Ada", None)
    assert taken[0].decided_at.tzinfo == UTC
    assert [decision.undoes for decision in taken] == [0, 0, 0, 0, 2]


def test_the_log_can_be_read_as_it_was(curation: Curation) -> None:
    for number in range(4):
        curation.append("talk", "note", "t1", f"{number}")
    assert [decision.value for decision in curation.read("talk", 2)] == ["0", "1"]
    assert curation.read("talk", 0) == []
    assert len(curation.read("talk", 99)) == 4


@pytest.mark.parametrize(
    ("action", "topic_id", "value", "said"),
    [
        ("rename", "t1", None, "'rename' needs a value"),
        ("rename", "t1", "", "it is empty"),
        ("rename", "t1", "\u200d \u200d", "it is empty"),
        ("rename", "t1", "x" * (LONGEST_NAME + 1), "121 characters"),
        ("rename", "t1", "a\nb", r"U\+000A"),
        ("rename", "t1", "a\x1b[31mb", r"U\+001B"),
        ("rename", "t1", "a\u202eb", r"U\+202E"),
        ("rename", "topic 1", "x", "is no topic id"),
        ("rename", "t01", "x", "is no topic id"),
        ("merge", "t1", "Food", "is no topic id"),
        ("merge", "t1", "t1", "into itself"),
        ("unusable", "t1", "because", "takes no value"),
        ("note", "t1", "x" * 2001, "2001 characters"),
        ("undo", "t1", "1", "not the number of an earlier decision"),
        ("undo", "t1", "-1", "not the number of an earlier decision"),
        ("undo", "t1", "\u0661", "not the number of an earlier decision"),
        ("delete", "t1", None, "Input should be"),
    ],
)
def test_what_can_be_no_decision_is_refused_and_takes_no_number(
    curation: Curation, action: Action, topic_id: str, value: str | None, said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        curation.append("talk", action, topic_id, value)
    assert curation.last_sequence("talk") == 0


@given(st.text(max_size=130))
def test_a_name_that_is_let_through_is_one_plain_line(text: str) -> None:
    try:
        name = plain_text(text, LONGEST_NAME)
    except ValueError:
        return
    assert name == name.strip() == plain_text(name, LONGEST_NAME)
    assert 1 <= len(name) <= LONGEST_NAME
    assert len(name.splitlines()) == 1
    assert name.encode().decode() == name


@pytest.mark.parametrize("name", ["Büro & <Co> [b]x[/b] | 50 %", "می‌خواهم", "👩‍🚀 space", "e\u0301cole"])
def test_names_of_all_languages_are_let_through(curation: Curation, name: str) -> None:
    decision = curation.append("talk", "rename", "t1", name)
    assert curation.read("talk") == [decision]
    assert decision.value == ("école" if name.startswith("e") else name)


def test_a_decision_is_synced_before_it_has_its_name_and_its_name_before_it_counts(
    curation: Curation, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    before: list[int] = []
    fsync, link = os.fsync, os.link
    monkeypatch.setattr("os.fsync", lambda file: (synced.append(os.fstat(file).st_ino), fsync(file)))
    monkeypatch.setattr("os.link", lambda *names: (before.extend(synced), link(*names)))
    curation.append("talk", "usable", "t1")
    path = curation.path("talk", 1)
    folders = {folder.stat().st_ino for folder in path.parents if folder.is_relative_to(curation.warehouse.parent)}
    assert path.stat().st_ino in before
    assert folders <= set(synced[len(before) :])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is damaged"),
        ("[]", "is damaged"),
        ('{"action": 7, "sequence": "x", "value": 3}', "is damaged"),
        ('{"dataset": "talk"', "is damaged"),
    ],
)
def test_a_damaged_decision_is_named(curation: Curation, content: str, said: str) -> None:
    for number in range(3):
        curation.append("talk", "note", "t1", f"{number}")
    curation.path("talk", 2).write_text(content)
    with pytest.raises(StoreError, match=f"{2:020d}.json: this decision {said}.*put the file back"):
        curation.read("talk")
    assert len(curation.read("talk", 1)) == 1


def test_a_decision_that_is_missing_or_in_the_place_of_another_is_named(curation: Curation) -> None:
    for number in range(3):
        curation.append("talk", "note", "t1", f"{number}")
    second, third = curation.path("talk", 2), curation.path("talk", 3)
    content = second.read_text()
    second.write_text(third.read_text())
    with pytest.raises(StoreError, match="holds decision 3 of 'talk'"):
        curation.read("talk")
    second.write_text(json.dumps(json.loads(content) | {"dataset": "walk"}))
    with pytest.raises(StoreError, match="holds decision 2 of 'walk'"):
        curation.read("talk")
    second.unlink()
    with pytest.raises(StoreError, match=f"{2:020d}.json: this decision is missing"):
        curation.read("talk")
    assert curation.append("talk", "usable", "t1").sequence == 4, "its number is not given to another"


def test_decisions_outlive_garbage_collection_and_a_new_catalog(commits: Commits) -> None:
    curation = Curation(commits.files.root)
    taken = curation.append("talk", "rename", "t1", "Mine")
    left = curation.root / "talk" / ".0123.part"
    left.write_text("{")
    pass_hours(commits.files.root, 1e5)
    collect_garbage(commits, keep_commits=1, keep_hours=0)
    rebuild_catalog(commits, commits.files.root / "catalog.duckdb")
    assert curation.read("talk") == [taken]
    assert not left.exists(), "what a killed writer left goes"


def test_of_several_writers_at_once_each_gets_numbers_of_its_own_and_none_is_lost(curation: Curation) -> None:
    barrier = CONTEXT.Barrier(3)
    writers = [start(_write_many, curation.warehouse, name, barrier) for name in ("a", "b", "c")]
    taken = [said for _, pipe in writers for said in messages(pipe)]
    assert sorted(sequence for sequence, _ in taken) == list(range(1, 61))
    assert [(decision.sequence, decision.value) for decision in curation.read("talk")] == sorted(taken)


def _write_many(pipe: Connection, root: Path, name: str, barrier: Any) -> None:
    barrier.wait(timeout=60)
    for number in range(20):
        decision = Curation(root).append("talk", "note", "t1", f"{name}{number}")
        pipe.send((decision.sequence, decision.value))


def _append_for_ever(pipe: Connection, root: Path) -> None:
    curation = Curation(root)
    while True:
        number = curation.last_sequence("talk") + 1
        pipe.send(("begun", number))
        pipe.send(("published", curation.append("talk", "note", "t1", f"{number}").sequence))


def _last_readable(root: Path) -> set[float]:
    """Return the number of the last decision; all must be there and whole."""
    log = Curation(root).read("talk")
    if [decision.value for decision in log] != [f"{number}" for number in range(1, len(log) + 1)]:
        raise ValueError("decisions are mixed")
    return {float(len(log))}


def test_random_kills_leave_every_decision_whole_and_lose_none_that_was_taken(tmp_path: Path) -> None:
    complaints, _ = kill_often(_append_for_ever, _last_readable, tmp_path, kills=10)
    assert complaints == []
    assert Curation(tmp_path).last_sequence("talk") > 10


def _append_and_die(pipe: Connection, root: Path, last: int) -> None:
    Fate(last).take_over()
    Curation(root).append("talk", "note", "t1", "second")
    pipe.send("taken")


def _recover(root: Path) -> tuple[list[str | None], list[str | None]]:
    """Return the decisions found, and those after the next one."""
    curation = Curation(root)
    found = values(curation)
    curation.append("talk", "note", "t1", "third")
    return found, values(curation)


def test_death_before_any_call_leaves_the_log_as_it_was_or_with_the_decision(tmp_path: Path) -> None:
    def prepared(number: int) -> Path:
        root = tmp_path / str(number)
        Curation(root).append("talk", "note", "t1", "first")
        return root

    seen = []
    for root, words in deaths(_append_and_die, prepared):
        found, after = in_fresh_process(_recover, root)
        assert found in ([["first", "second"]] if words else [["first"], ["first", "second"]])
        assert after == [*found, "third"]
        seen.append((len(found), bool(words)))
    assert seen == sorted(seen), "who died later wrote no less"
    assert set(seen) == {(1, False), (2, False), (2, True)}


class CurationMachine(RuleBasedStateMachine):
    """Writers, killed writers and garbage collection, against a model that is a list for each dataset."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.curation = Curation(self.root)
        self.model: dict[str, list[str | None]] = {"talk": [], "walk": []}

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    @rule(dataset=st.sampled_from(["talk", "walk"]), value=st.sampled_from(["One", "Two"]))
    def append(self, dataset: str, value: str) -> None:
        decision = self.curation.append(dataset, "rename", "t1", value)
        self.model[dataset].append(value)
        assert decision.sequence == len(self.model[dataset])

    @rule(dataset=st.sampled_from(["talk", "walk"]))
    def append_while_another_takes_the_number(self, dataset: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            last = self.curation.last_sequence(dataset)
            stale = iter([max(last - 1, 0)])
            patch.setattr(Curation, "last_sequence", lambda *_: next(stale, last))
            self.curation.append(dataset, "note", "t1", "late")
        self.model[dataset].append("late")

    @rule(dataset=st.sampled_from(["talk", "walk"]))
    def die_while_writing(self, dataset: str) -> None:
        (self.curation.root / dataset).mkdir(parents=True, exist_ok=True)
        (self.curation.root / dataset / ".0123.part").write_text("{")

    @rule()
    def collect(self) -> None:
        pass_hours(self.root, 100)
        collect_garbage(log_of(self.root), keep_commits=1, keep_hours=1)

    @invariant()
    def the_log_is_what_was_written(self) -> None:
        for dataset, expected in self.model.items():
            assert values(self.curation, dataset) == expected


TestCurationMachine = CurationMachine.TestCase
TestCurationMachine.settings = settings(max_examples=15, stateful_step_count=20)
