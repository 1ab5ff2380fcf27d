"""Files are written once, whole or not at all."""

from __future__ import annotations

import errno
import os
import resource
import stat
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clustering_platform.store.commits import Commits
from clustering_platform.store.errors import StoreError
from clustering_platform.store.files import Files, StoredFile
from clustering_platform.tables import TABLES, conform
from clustering_platform_tests.store.processes import in_fresh_process
from clustering_platform_tests.store.versions import (
    DAY,
    committed_versions,
    log_of,
    publish_version,
    sample,
    write,
)

GROUPS = TABLES["groups"]


@pytest.fixture
def files(commits: Commits) -> Files:
    return commits.files


def put(files: Files, *, version: int = 1, run_id: str = "run", **inputs: str) -> StoredFile:
    return files.write(sample(GROUPS, version=version), GROUPS, dataset="talk", day=DAY, run_id=run_id, inputs=inputs)


def everything_in(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_table_comes_back_as_it_was_computed(files: Files) -> None:
    for contract in TABLES.values():
        table = sample(contract, version=7)
        day = DAY if contract.scope == "day" else None
        stored = files.write(table, contract, dataset="talk", day=day, run_id="run", inputs={})
        assert files.read(stored).equals(conform(table, contract))
        assert files.read(stored.path).schema.remove_metadata() == contract.schema()


def test_a_table_without_rows_comes_back_with_its_columns(files: Files) -> None:
    stored = files.write(GROUPS.empty(), GROUPS, dataset="talk", day=DAY, run_id="run", inputs={})
    assert stored.rows == 0
    assert files.read(stored).equals(GROUPS.empty())


@pytest.mark.parametrize(("table", "day"), [("groups", DAY), ("projection", None)])
def test_columns_of_the_partition_are_in_the_file_but_not_in_the_table(
    files: Files, table: str, day: date | None
) -> None:
    contract = TABLES[table]
    stored = files.write(sample(contract), contract, dataset="talk", day=day, run_id="run", inputs={})
    in_file = pq.ParquetFile(files.root / stored.path).read()
    assert in_file["dataset"].to_pylist() == ["talk", "talk"]
    assert ("day" in in_file.column_names) == (day is not None)
    assert in_file.column_names[-len(contract.columns) :] == files.read(stored).column_names


def test_the_same_content_again_is_the_same_file(files: Files) -> None:
    first = put(files, votes="a")
    before = everything_in(files.root)
    assert put(files, votes="a") == first
    assert everything_in(files.root) == before


def test_other_content_or_other_inputs_get_the_next_number_and_replace_nothing(files: Files) -> None:
    stored = [put(files, votes="a"), put(files, version=2, votes="a"), put(files, version=2, votes="b")]
    assert [Path(file.path).name for file in stored] == ["run.parquet", "run-2.parquet", "run-3.parquet"]
    assert [set(files.read(file)["x"].to_pylist()) for file in stored] == [{1.0}, {2.0}, {2.0}]
    assert files.find("groups", "talk", DAY, "run") == stored[-1]


def test_numbers_go_on_after_the_ninth(files: Files) -> None:
    last = [put(files, version=version) for version in range(1, 13)][-1]
    assert Path(last.path).name == "run-12.parquet"
    assert files.find("groups", "talk", DAY, "run") == last


def test_a_run_finds_only_files_of_its_own(files: Files) -> None:
    put(files, run_id="run-of-somebody")
    put(files, run_id="runner")
    assert files.find("groups", "talk", DAY, "run") is None
    assert Path(put(files).path).name == "run.parquet"


def test_the_content_hash_depends_on_data_and_schema_alone(files: Files) -> None:
    first = put(files, votes="a")
    assert put(files, run_id="another", votes="b", items="c").content == first.content
    assert put(files, version=2).content != first.content
    assert files.describe(first.path) == first
    assert first.inputs == {"votes": "a"}


def test_a_file_that_was_never_seen_to_be_written_hashes_the_same(files: Files) -> None:
    first = put(files)
    assert in_fresh_process(_content, files.root, first.path) == first.content


def _content(root: Path, path: str) -> str:
    return Files(root).describe(path).content


def test_a_table_that_breaks_its_contract_is_refused_with_the_columns_named(files: Files) -> None:
    table = sample(GROUPS).drop_columns(["letter"]).append_column("colour", pa.array(["red", "blue"]))
    with pytest.raises(ValueError, match=r"table groups: missing columns \['letter'\], unknown columns \['colour'\]"):
        files.write(table, GROUPS, dataset="talk", day=DAY, run_id="run", inputs={})
    assert not files.root.exists()


def test_a_null_inside_a_list_is_refused_and_leaves_nothing(files: Files) -> None:
    table = sample(GROUPS).drop_columns(["base_cluster_ids"]).append_column("base_cluster_ids", pa.array([[1], [None]]))
    with pytest.raises(ValueError, match="declared non-nullable but contains nulls"):
        files.write(table, GROUPS, dataset="talk", day=DAY, run_id="run", inputs={})
    assert everything_in(files.root) == {}


@pytest.mark.parametrize("table", ["groups", "projection"])
def test_a_file_that_is_gone_or_cut_off_is_told_with_the_table_to_materialize(commits: Commits, table: str) -> None:
    stored = write(commits, table, day=DAY if table == "groups" else None)
    path = commits.files.root / stored.path
    for damage in (lambda: os.truncate(path, 100), path.unlink):
        damage()
        for use in (commits.files.read, lambda file: commits.files.describe(file.path)):
            with pytest.raises(StoreError, match=f"{stored.path}: .* gone or damaged; materialize '{table}' again"):
                use(stored)


def test_a_file_that_is_cut_off_or_replaced_after_it_was_read_is_read_again(files: Files) -> None:
    stored, other = put(files), put(files, version=2)
    path = files.root / stored.path
    assert files.describe(stored.path).content == stored.content
    path.unlink()
    path.hardlink_to(files.root / other.path)
    assert files.describe(stored.path).content == other.content
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(StoreError, match="gone or damaged"):
        files.describe(stored.path)


def test_a_written_file_leaves_no_temporary_name_and_stays_readable_by_others(files: Files) -> None:
    stored = put(files)
    assert list(everything_in(files.root)) == [stored.path]
    assert stat.S_IMODE((files.root / stored.path).stat().st_mode) & 0o400


@pytest.mark.parametrize("call", ["fsync", "link"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_when_the_disk_fails_nothing_half_done_is_left_behind_and_the_last_commit_stands(
    commits: Commits, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    publish_version(commits, 1)
    before = everything_in(commits.files.root)

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(f"os.{call}", fail)
    with pytest.raises(OSError, match=os.strerror(code)):
        publish_version(commits, 2)
    after = everything_in(commits.files.root)
    assert before.items() <= after.items()
    written = {"link": 0, "fsync": 3}[call]  # files are synced when they are committed; those without wait for `gc`
    assert [Path(path).parts[0] for path in after if path not in before] == ["files"] * written
    assert committed_versions(commits.files.root) == {1}


def test_when_the_disk_is_full_nothing_is_left_behind_and_the_last_commit_stands(commits: Commits) -> None:
    publish_version(commits, 1)
    before = everything_in(commits.files.root)
    assert in_fresh_process(_write_with_little_room, commits.files.root) == errno.EFBIG
    assert everything_in(commits.files.root) == before
    assert committed_versions(commits.files.root) == {1}


def _write_with_little_room(root: Path) -> int | None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
    try:
        publish_version(log_of(root), 2, rows={"voter_groups": 20_000})
    except OSError as error:
        return error.errno
    return None
