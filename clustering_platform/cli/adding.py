"""`clustering add`: a dry ingest, then a copy into the inbox."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from clustering_platform.datasets import CONFIG_FILE, Dataset, DatasetError, input_files, suggest_name, validate_name
from clustering_platform.settings import Settings

if TYPE_CHECKING:
    from clustering_platform.ingest.ingest import Ingested

_WHOLE = ("documents", "images")
_COUNTS = ("read", "accepted", "quarantined", "superseded")


def add_dataset(settings: Settings, path: Path, name: str | None, *, replace: bool, out: Console) -> Dataset:
    """Copy `path` into the inbox as a dataset, after showing what a dry ingest finds in it.

    Raises
    ------
    DatasetError
        The path is missing, the name cannot be used or is taken.
    IngestError
        A file cannot be read at all.
    """
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder")
    name = validate_name(name) if name else _offered_name(path, out)
    target = settings.inbox / name
    if target.exists() and not replace:
        raise DatasetError(f"there is a dataset {name!r} already; use --replace to put this one in its place")
    settings.inbox.mkdir(mode=0o700, parents=True, exist_ok=True)  # raw ids lie here
    for leftover in settings.inbox.glob(f".{name}.*.part"):  # of an `add` that was killed
        shutil.rmtree(leftover)
    staging = settings.inbox / f".{name}.{uuid.uuid4().hex}.part"
    try:
        if path.is_dir():  # read where it lies, so that messages name the user's own files
            _print_findings(_dry_ingest(settings, name, path), out)
            _copy(path, staging)
        else:
            _copy(path, staging)
            _print_findings(_dry_ingest(settings, name, staging), out)
        _put_in_place(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    out.print(f"added as {name}; now: clustering run {name}")
    return Dataset(name, target)


def _offered_name(path: Path, out: Console) -> str:
    stem = path.resolve().name if path.is_dir() else path.resolve().stem
    name = suggest_name(stem)
    if not name:
        raise DatasetError(f"{stem!r} cannot name a dataset; give one with --name")
    if name != stem:
        out.print(f"{stem!r} cannot name a dataset; taking {name!r} (choose another with --name)")
    return name


def _copy(path: Path, staging: Path) -> None:
    staging.mkdir(parents=True)
    if path.is_file():
        shutil.copy2(path, staging / path.name)
        return
    for file in input_files(path):
        copy = staging / file.relative_to(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)


def _dry_ingest(settings: Settings, name: str, folder: Path) -> Ingested:
    from clustering_platform.ingest.ingest import ingest_dataset
    from clustering_platform.ingest.pseudonyms import Pseudonyms

    dataset = Dataset(name, folder)
    return ingest_dataset(dataset, Pseudonyms.for_dataset(dataset, settings))


def _print_findings(ingested: Ingested, out: Console) -> None:
    if title := ingested.about.get("title"):
        out.print(f"conversation: {title}")
    for row in _together(ingested.report.to_pylist()):
        counts = ", ".join(f"{row[name]:,} {name}" for name in _COUNTS)
        out.print(f"{row['file']}: {row['content']}: {counts}")
        for finding in row["findings"]:
            out.print(f"  {finding}")
    for row in ingested.quarantine.slice(0, 5).to_pylist():
        out.print(f"  {row['file']}:{row['line']} {row['column']}: {row['message']}", style="yellow")


def _together(report: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of a report, those of files that are one item each added up."""
    rows = [row for row in report if row["content"] not in _WHOLE]
    for content in _WHOLE:
        same = [row for row in report if row["content"] == content]
        if same:
            counts = {name: sum(row[name] for row in same) for name in _COUNTS}
            findings = [finding for row in same for finding in row["findings"]]
            rows.append({"file": f"{len(same):,} files", "content": content, "findings": findings, **counts})
    return rows


def _put_in_place(staging: Path, target: Path) -> None:
    """Give the staged folder its name; what had the name goes, but its settings stay where the new one has none."""
    if target.exists():
        if (target / CONFIG_FILE).exists() and not (staging / CONFIG_FILE).exists():
            shutil.copy2(target / CONFIG_FILE, staging / CONFIG_FILE)
        old = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
        target.rename(old)
        staging.rename(target)
        shutil.rmtree(old)
    else:
        staging.rename(target)
