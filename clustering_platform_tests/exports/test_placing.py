"""What is given out appears whole, or not at all."""

from pathlib import Path

import pytest

from clustering_platform.exports.errors import ExportError
from clustering_platform.exports.placing import clear_drafts, placed_file, placed_folder


class InterruptedWriteError(Exception):
    """What goes wrong in the middle."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_has_its_name_when_it_is_whole(tmp_path: Path) -> None:
    with placed_file(tmp_path / "a.csv", replace=False) as file:
        file.write(b"x")
        assert "a.csv" not in names(tmp_path)
    assert names(tmp_path) == ["a.csv"]


def test_a_fault_leaves_neither_file_nor_folder(tmp_path: Path) -> None:
    with pytest.raises(InterruptedWriteError), placed_file(tmp_path / "a.csv", replace=False):
        raise InterruptedWriteError
    with pytest.raises(InterruptedWriteError), placed_folder(tmp_path / "a", replace=False):
        raise InterruptedWriteError
    assert names(tmp_path) == []


def test_a_fault_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.csv").write_text("old")
    with pytest.raises(InterruptedWriteError), placed_folder(tmp_path / "a", replace=True):
        raise InterruptedWriteError
    assert (tmp_path / "a" / "x.csv").read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_what_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(ExportError, match="--replace"), placed_file(tmp_path / "a.csv", replace=False):
        pass
    with placed_file(tmp_path / "a.csv", replace=True) as file:
        file.write(b"new")
    assert (tmp_path / "a.csv").read_text() == "new"


def test_a_folder_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ExportError, match="there is a folder"), placed_file(tmp_path / "a", replace=True):
        pass


def test_a_folder_is_replaced_whole_but_not_if_it_holds_anything_else(tmp_path: Path) -> None:
    known = frozenset({"x.csv", "y.csv"})
    for name in ("x.csv", "y.csv"):
        with placed_folder(tmp_path / "a", replace=True, known=known) as folder:
            (folder / name).write_text(name)
    assert names(tmp_path / "a") == ["y.csv"]
    (tmp_path / "a" / "thesis.doc").write_text("precious")
    with pytest.raises(ExportError, match=r"'thesis\.doc'"), placed_folder(tmp_path / "a", replace=True, known=known):
        pass
    assert names(tmp_path / "a") == ["thesis.doc", "y.csv"]


def test_a_file_is_no_folder_to_replace(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("precious")
    with pytest.raises(ExportError), placed_folder(tmp_path / "a", replace=True, known=frozenset()):
        pass
    assert (tmp_path / "a").read_text() == "precious"


def test_a_missing_folder_above_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no such folder"), placed_file(tmp_path / "b" / "a.csv", replace=False):
        pass


def test_drafts_of_killed_processes_are_cleared(tmp_path: Path) -> None:
    (tmp_path / ".a.0123.part").mkdir()
    clear_drafts(tmp_path / "a")
    assert names(tmp_path) == []
