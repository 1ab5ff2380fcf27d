"""Files and folders that appear under their name when they are whole, and not before."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from clustering_platform.exports.errors import ExportError


@contextlib.contextmanager
def placed_file(target: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """Open a file that takes the name `target` when the block has ended well, and is gone if it has not.

    Raises
    ------
    ExportError
        Something has that name and is not to be replaced, or is a folder.
    """
    _check_free(target, replace=replace and not target.is_dir())
    _check_parent(target)
    draft = _draft(target)
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _check_free(target, replace=replace)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def placed_folder(target: Path, *, replace: bool, known: frozenset[str] | None = None) -> Iterator[Path]:
    """Make a folder that takes the name `target` when the block has ended well, and is gone if it has not.

    A folder that is replaced is moved aside whole: nobody sees half of either.

    Parameters
    ----------
    known
        Names of the files that a folder to be replaced may hold.

    Raises
    ------
    ExportError
        Something has that name and is not to be replaced, or holds other files.
    """
    _check_free(target, replace=replace)
    _check_content(target, known)
    _check_parent(target)
    draft = _draft(target)
    draft.mkdir()
    try:
        yield draft
        _sync(draft)
        _check_free(target, replace=replace)
        _swap(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def clear_drafts(target: Path) -> None:
    """Remove what killed processes left of `target`; nobody may be writing it."""
    for leftover in target.parent.glob(f".{target.name}.*.part"):
        shutil.rmtree(leftover)


def _draft(target: Path) -> Path:
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")


def _check_free(target: Path, *, replace: bool) -> None:
    if target.exists() and not replace:
        kind = "folder" if target.is_dir() else "file"
        raise ExportError(f"{target}: there is a {kind} of that name; choose another, or replace it with --replace")


def _check_parent(target: Path) -> None:
    if not target.parent.is_dir():
        raise ExportError(f"{target.parent}: there is no such folder to write {target.name!r} to")


def _check_content(target: Path, known: frozenset[str] | None) -> None:
    if not target.exists() or known is None:
        return
    if not target.is_dir():
        raise ExportError(f"{target}: is a file, not a folder")
    strange = sorted(path.name for path in target.iterdir() if path.name not in known)
    if strange:
        raise ExportError(f"{target}: is no export, it holds {strange[0]!r}; nothing was replaced")


def _sync(folder: Path) -> None:
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _swap(draft: Path, target: Path) -> None:
    if not target.exists():
        draft.rename(target)
        return
    old = _draft(target)
    target.rename(old)
    draft.rename(target)
    shutil.rmtree(old)
