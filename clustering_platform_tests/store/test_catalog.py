"""The catalog: a view for each table, over exactly the files of the newest commits."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from clustering_platform.store.catalog import connect, is_current, rebuild_catalog
from clustering_platform.store.catalog_views import COMMITS_COLUMNS
from clustering_platform.store.commits import Commits, Predecessor
from clustering_platform.store.errors import StoreError
from clustering_platform.tables import TABLES, Column
from clustering_platform.tables.runs import RUN_COLUMNS
from clustering_platform_tests.store.versions import DAY, ask_versions, log_of, make_commit, publish_version, write

EARLIER = date(2026, 3, 30)
SHOWN = "schema_name = 'main' AND NOT internal"
BY_DAY = [table.name for table in TABLES.values() if table.scope == "day"]


def ask(commits: Commits, question: str) -> list[tuple[Any, ...]]:
    """Return the answer of a catalog made anew."""
    catalog = commits.files.root.parent / "catalog.duckdb"
    rebuild_catalog(commits, catalog)
    with connect(catalog) as connection:
        return connection.execute(question).fetchall()


def publish_projection(commits: Commits, version: int, dataset: str = "talk") -> None:
    file = write(commits, "projection", version=version, dataset=dataset, day=None)
    sequence = commits.last_sequence(dataset) + 1
    commits.publish(make_commit({"projection": file}, sequence, dataset=dataset, day=None))


def test_without_a_commit_every_table_is_an_empty_view(commits: Commits) -> None:
    views = {name for (name,) in ask(commits, f"SELECT view_name FROM duckdb_views() WHERE {SHOWN}")}
    assert views == {*TABLES, *(f"{name}_history" for name in BY_DAY), "commits", "runs"}
    assert ask(commits, " UNION ALL ".join(f"SELECT count(*) FROM {view}" for view in views)) == [(0,)] * len(views)


@pytest.mark.parametrize("with_rows", [False, True])
def test_views_have_the_columns_and_types_of_the_contract(commits: Commits, with_rows: bool) -> None:
    for number, contract in enumerate(TABLES.values() if with_rows else (), start=1):
        day = DAY if contract.scope == "day" else None
        file = write(commits, contract.name, day=day, dataset=f"talk-{number}")
        place = {"dataset": f"talk-{number}", "scope": contract.scope, "day": day}
        commits.publish(make_commit({contract.name: file}, 1, **place))
    found: dict[str, list[tuple[str, str]]] = {}
    columns = f"SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE {SHOWN} ORDER BY column_index"
    for view, column, kind in ask(commits, columns):
        found.setdefault(view, []).append((column, kind))
    for contract in TABLES.values():
        expected = [(column.name, _duckdb_type(column)) for column in contract.stored_columns]
        assert found[contract.name] == expected
        assert found.get(f"{contract.name}_history") == (expected if contract.scope == "day" else None)


def _duckdb_type(column: Column) -> str:
    element = column.type.removeprefix("list<").removesuffix(">")
    names = {"bool": "BOOLEAN", "int8": "TINYINT", "int32": "INTEGER", "int64": "BIGINT", "float32": "FLOAT"}
    names |= {
        "float64": "DOUBLE",
        "string": "VARCHAR",
        "binary": "BLOB",
        "timestamp": "TIMESTAMP WITH TIME ZONE",
        "date": "DATE",
    }
    return names[element] + ("[]" if element != column.type else "")


def test_every_view_and_column_says_what_it_means(commits: Commits) -> None:
    described = dict(ask(commits, f"SELECT view_name, comment FROM duckdb_views() WHERE {SHOWN}"))
    for contract in TABLES.values():
        assert described[contract.name] == f"{contract.description} One row: {contract.grain}."
    columns = ask(
        commits,
        f"SELECT table_name, column_name, comment FROM duckdb_columns() WHERE {SHOWN}",
    )
    meaning = {(contract.name, column.name): column.description
               for contract in TABLES.values() for column in contract.stored_columns}  # fmt: skip
    meaning |= {(f"{name}_history", column): text for (name, column), text in meaning.items() if name in BY_DAY}
    meaning |= {("commits", name): text for name, (_, text) in COMMITS_COLUMNS.items()}
    meaning |= {("runs", column.name): column.description for column in RUN_COLUMNS}
    assert {(view, column): comment for view, column, comment in columns} == meaning


def test_a_table_by_day_shows_the_newest_day_of_each_dataset_and_its_history_every_day(commits: Commits) -> None:
    publish_version(commits, 1, day=DAY)
    publish_version(commits, 2, day=EARLIER)
    publish_version(commits, 3, day=EARLIER)
    publish_version(commits, 4, day=EARLIER, dataset="walk")
    question = "SELECT DISTINCT dataset, day, x FROM {} ORDER BY ALL"
    newest = [("talk", DAY, 1.0), ("walk", EARLIER, 4.0)]
    assert ask(commits, question.format("groups")) == newest
    assert ask(commits, question.format("groups_history")) == [("talk", EARLIER, 3.0), *newest]


def test_a_table_of_the_dataset_as_a_whole_shows_the_newest_commit_of_each_dataset(commits: Commits) -> None:
    for version in (1, 2):
        publish_projection(commits, version)
    publish_projection(commits, 5, dataset="walk")
    publish_version(commits, 3)
    assert ask(commits, "SELECT DISTINCT dataset, x FROM projection ORDER BY ALL") == [("talk", 2.0), ("walk", 5.0)]


def test_a_table_over_all_days_is_shown_beside_the_days_and_the_dataset_as_a_whole(commits: Commits) -> None:
    publish_version(commits, 1)
    publish_projection(commits, 2)
    for version in (3, 4):
        file = write(commits, "drift_days", version=version, day=None)
        commits.publish(make_commit({"drift_days": file}, version, day=None, scope="days"))
    assert ask(commits, "SELECT DISTINCT divergence FROM drift_days") == [(4.0,)]
    assert ask(commits, "SELECT DISTINCT x FROM projection") == [(2.0,)]
    assert ask(commits, "SELECT DISTINCT x FROM groups") == [(1.0,)]
    assert ask(commits, "SELECT scope FROM commits ORDER BY sequence") == [
        ("day",),
        ("dataset",),
        ("days",),
        ("days",),
    ]


def test_files_that_no_commit_names_are_not_seen(commits: Commits) -> None:
    publish_version(commits, 1)
    write(commits, "groups", version=2)
    assert ask(commits, "SELECT DISTINCT x FROM groups") == [(1.0,)]


def test_commits_lists_every_publication(commits: Commits) -> None:
    publish_version(commits, 1)
    made = datetime(2026, 4, 1, 12, 30, tzinfo=UTC)
    odd = {"status": "insufficient_voters", "reason": "it's 12 < 50; -- '", "created_at": made}
    commits.publish(make_commit({}, 2, day=None, **odd))
    assert ask(commits, "SELECT * EXCLUDE created_at FROM commits ORDER BY sequence") == [
        ("talk", "day", DAY, 1, "ready", None, "run-1", "input 1", None, False),
        ("talk", "dataset", None, 2, "insufficient_voters", "it's 12 < 50; -- '", "run-2", "input 2", None, False),
    ]
    assert ask(commits, "SELECT created_at FROM commits WHERE sequence = 2") == [(made,)]


@pytest.mark.parametrize(
    "name", ["o'brien's data", "a folder", "[1] *", "day=2001-01-01", "dataset=other", 'quo"te', "é"]
)
def test_the_data_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    commits = log_of(tmp_path / name / "warehouse")
    publish_version(commits, 1)
    publish_projection(commits, 1)
    assert ask(commits, "SELECT DISTINCT dataset, day, x FROM groups") == [("talk", DAY, 1.0)]
    assert ask(commits, "SELECT DISTINCT dataset, x FROM projection") == [("talk", 1.0)]


def test_after_a_move_the_catalog_is_made_anew(tmp_path: Path) -> None:
    publish_version(log_of(tmp_path / "here" / "warehouse"), 1)
    assert ask(log_of(tmp_path / "here" / "warehouse"), "SELECT count(*) FROM groups") == [(3,)]
    (tmp_path / "here").rename(tmp_path / "there")
    assert ask(log_of(tmp_path / "there" / "warehouse"), "SELECT count(*) FROM groups") == [(3,)]


def test_a_column_that_older_commits_lack_is_null_there(commits: Commits, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_version(commits, 1, dataset="older")
    old = TABLES["groups"]
    new = dataclasses.replace(old, columns=(*old.columns, Column("colour", "string", "Colour.", nullable=True)))
    monkeypatch.setitem(TABLES, "groups", new)
    question = "SELECT DISTINCT dataset, x, colour FROM groups ORDER BY ALL"
    assert ask(commits, question) == [("older", 1.0, None)]
    publish_version(commits, 2, dataset="newer")
    assert ask(commits, question) == [("newer", 2.0, "2"), ("older", 1.0, None)]


def test_commits_that_do_not_tell_the_columns_of_their_files_may_have_any(
    commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish(version: int) -> None:
        file = dataclasses.replace(write(commits, "groups", version=version, dataset=f"talk-{version}"), columns="")
        commits.publish(make_commit({"groups": file}, 1, dataset=f"talk-{version}"))

    publish(1)
    wider = dataclasses.replace(
        TABLES["groups"], columns=(*TABLES["groups"].columns, Column("colour", "string", "Colour.", nullable=True))
    )
    monkeypatch.setitem(TABLES, "groups", wider)
    publish(2)
    assert ask(commits, "SELECT DISTINCT x, colour FROM groups ORDER BY x") == [(1.0, None), (2.0, "2")]


def test_who_has_the_catalog_open_goes_on_reading_and_who_opens_it_now_sees_the_newest(
    commits: Commits, tmp_path: Path
) -> None:
    catalog = tmp_path / "catalog.duckdb"
    publish_version(commits, 1)
    rebuild_catalog(commits, catalog)
    with connect(catalog) as older:
        assert ask_versions(older) == {1.0}
        publish_version(commits, 2)
        rebuild_catalog(commits, catalog)
        with connect(catalog) as newer:
            assert ask_versions(newer) == {2.0}
        assert ask_versions(older) == {1.0}


def test_a_catalog_is_current_until_there_is_a_commit_a_column_or_a_place_that_it_does_not_know(
    commits: Commits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = commits.files.root.parent / "catalog.duckdb"
    assert not is_current(commits, catalog)
    publish_version(commits, 1)
    rebuild_catalog(commits, catalog)
    assert is_current(commits, catalog)
    publish_version(commits, 2)
    assert not is_current(commits, catalog)
    rebuild_catalog(commits, catalog)
    assert is_current(commits, catalog)
    described_anew = dataclasses.replace(TABLES["groups"], description="Otherwise described.")
    monkeypatch.setitem(TABLES, "groups", described_anew)  # as a later version does
    assert not is_current(commits, catalog)
    rebuild_catalog(commits, catalog)
    assert is_current(commits, catalog)
    assert ask_comment(catalog, "groups").startswith("Otherwise described. ")
    moved = commits.files.root.rename(tmp_path / "elsewhere")
    assert not is_current(log_of(moved), catalog)


def ask_comment(catalog: Path, view: str) -> str:
    with connect(catalog) as connection:
        question = "SELECT comment FROM duckdb_views() WHERE schema_name = 'main' AND view_name = ?"
        ((comment,),) = connection.execute(question, [view]).fetchall()
    return str(comment)


@pytest.mark.parametrize("content", [b"", b"no catalog", None])
def test_a_broken_catalog_is_made_from_scratch(commits: Commits, tmp_path: Path, content: bytes | None) -> None:
    catalog = tmp_path / "catalog.duckdb"
    publish_version(commits, 1)
    rebuild_catalog(commits, catalog)
    catalog.write_bytes(catalog.read_bytes()[:5000] if content is None else content)
    assert not is_current(commits, catalog)
    rebuild_catalog(commits, catalog)
    assert is_current(commits, catalog)
    assert ask_comment(catalog, "groups").startswith(TABLES["groups"].description)


def test_a_catalog_does_not_grow_with_the_times_it_is_made_anew(commits: Commits, tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.duckdb"
    sizes = []
    for _ in range(12):
        rebuild_catalog(commits, catalog)
        sizes.append(catalog.stat().st_size)
    assert sizes[11] == sizes[5]


def test_a_catalog_is_replaced_and_never_written_over(commits: Commits, tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.duckdb"
    rebuild_catalog(commits, catalog)
    with catalog.open("rb") as held:
        before = held.read()
        publish_version(commits, 1)
        rebuild_catalog(commits, catalog)
        held.seek(0)
        assert held.read() == before
    assert catalog.read_bytes() != before


def test_what_a_killed_rebuild_left_goes_with_the_next(commits: Commits, tmp_path: Path) -> None:
    for leftover in (".catalog.duckdb.0123.part", ".catalog.duckdb.0123.part.wal"):
        (tmp_path / leftover).touch()
    assert ask(commits, "SELECT count(*) FROM groups") == [(0,)]
    assert {path.name for path in tmp_path.iterdir()} == {"catalog.duckdb", ".catalog.duckdb.lock", "warehouse"}


def test_a_rebuild_that_fails_leaves_the_old_catalog(commits: Commits, tmp_path: Path) -> None:
    publish_version(commits, 1)
    assert ask(commits, "SELECT DISTINCT x FROM groups") == [(1.0,)]
    commit = publish_version(commits, 2)
    (commits.files.root / commit.tables["groups"].path).unlink()
    with pytest.raises(Exception, match="No files found"):
        rebuild_catalog(commits, tmp_path / "catalog.duckdb")
    with connect(tmp_path / "catalog.duckdb") as connection:
        assert ask_versions(connection) == {1.0}
    assert list(tmp_path.glob("*.part*")) == []


def test_the_catalog_cannot_be_written_through_a_reader(commits: Commits, tmp_path: Path) -> None:
    rebuild_catalog(commits, tmp_path / "catalog.duckdb")
    with connect(tmp_path / "catalog.duckdb") as connection, pytest.raises(Exception, match="read-only"):
        connection.execute("DROP VIEW groups")


def test_without_a_catalog_the_reader_is_told_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no catalog yet; publish a dataset with `clustering run NAME`"):
        connect(tmp_path / "catalog.duckdb")


def test_commits_says_what_each_goes_on_from_and_which_days_are_to_be_made_anew(commits: Commits) -> None:
    commits.publish(make_commit({}, 1, day=EARLIER))
    first = Predecessor(day=EARLIER, sequence=1, fingerprint="input 1")
    for sequence in (2, 3):
        commits.publish(make_commit({}, sequence, continuity="warm", predecessor=first))
    question = "SELECT sequence, predecessor, is_stale FROM commits ORDER BY sequence"
    assert ask(commits, question) == [(1, None, False), (2, 1, False), (3, 1, False)]
    commits.publish(make_commit({}, 4, day=EARLIER))
    assert ask(commits, question) == [(1, None, False), (2, 1, False), (3, 1, True), (4, None, False)]
