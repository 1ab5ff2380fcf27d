"""`clustering export`: tables as files, a day as the files of Polis, topics as those of visualisers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import BinaryIO

import typer
from rich.console import Console

from clustering_platform.cli.sizes import size_text
from clustering_platform.datasets import Dataset
from clustering_platform.exports.errors import ExportError
from clustering_platform.exports.placing import placed_file, placed_folder
from clustering_platform.exports.polis import FILE_NAMES, WrittenFile, write_polis
from clustering_platform.exports.tables import FORMATS, CommittedRows, Format, find_rows, write_rows
from clustering_platform.settings import Settings
from clustering_platform.store.commits import Commits
from clustering_platform.store.files import Files

STDOUT = Path("-")
_ENDINGS: dict[str, Format] = {f".{name}": name for name in FORMATS} | {".ndjson": "jsonl", ".pq": "parquet"}


def export_table(
    settings: Settings,
    dataset: Dataset,
    table: str,
    *,
    kind: str | None,
    output: Path | None,
    day: date | None,
    raw: bool,
    replace: bool,
    out: Console,
) -> None:
    """Write a table to a file, by default one named after it in the current folder, or to standard output.

    Raises
    ------
    ExportError
        There is no such table or format, nothing is published, or the file is there already.
    """
    rows = find_rows(Commits(Files(settings.warehouse)), dataset.name, table, day)
    chosen = _format(kind, output)
    if output == STDOUT:
        _to_stdout(lambda sink: write_rows(rows, sink, chosen, raw=raw), is_text=chosen != "parquet")
        return
    target = output or Path(f"{_stem(dataset, table, rows, day)}.{chosen}")
    with placed_file(target, replace=replace) as file:
        count = write_rows(rows, file, chosen, raw=raw)
    out.print(f"{target}: {count:,} rows, {size_text(target.stat().st_size)}")


def export_polis(
    settings: Settings, dataset: Dataset, folder: Path, *, day: date | None, raw: bool, replace: bool, out: Console
) -> None:
    """Write a day, by default the newest one, as the files that Polis gives out.

    Raises
    ------
    ExportError
        The day is not published, or the folder is there already.
    """
    from clustering_platform.exports.conversation import read_conversation

    with placed_folder(folder, replace=replace, known=FILE_NAMES) as draft:
        conversation = read_conversation(Commits(Files(settings.warehouse)), dataset, day)
        files = write_polis(conversation, draft, raw=raw)
    out.print(f"{dataset.name} on {conversation.day}, commit {conversation.tick}, to {folder}")
    _print_files(files, out)
    if not conversation.people.is_plain:
        out.print("people are numbered by their first vote; participant-ids.csv says who is who in the tables")


def export_topics(
    settings: Settings, dataset: Dataset, folder: Path, *, raw: bool, replace: bool, out: Console
) -> None:
    """Write the newest topics as the files that visualisers read.

    Raises
    ------
    ExportError
        Nothing is published yet, or the folder is there already.
    """
    from clustering_platform.exports.topic_files import TOPIC_FILES, write_topics
    from clustering_platform.exports.topics import read_topics

    with placed_folder(folder, replace=replace, known=TOPIC_FILES) as draft:
        topics = read_topics(Commits(Files(settings.warehouse)), dataset)
        files = write_topics(topics, draft, raw=raw)
    out.print(f"topics of {dataset.name}, commit {topics.commit}, to {folder}")
    _print_files(files, out)


def _print_files(files: list[WrittenFile], out: Console) -> None:
    for file in files:
        out.print(f"  {file.name:<28}{size_text(file.bytes):>12}")


def _format(kind: str | None, output: Path | None) -> Format:
    """Return the format asked for, else that of the file's ending, else CSV."""
    if kind is None:
        return _ENDINGS.get(output.suffix.lower(), "csv") if output else "csv"
    for known in FORMATS:
        if kind.lower() == known:
            return known
    raise ExportError(f"--format {kind}: the formats are {', '.join(FORMATS)}")


def _stem(dataset: Dataset, table: str, rows: CommittedRows, day: date | None) -> str:
    named = (dataset.name, table, str(day) if day and rows.days else "")
    return ".".join(part for part in named if part)


def _to_stdout(write: Callable[[BinaryIO], object], *, is_text: bool) -> None:
    if not is_text and sys.stdout.isatty():
        raise ExportError("Parquet is not for a terminal; give a file with --output, or send it on with |")
    try:
        write(sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:  # who reads it has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(141) from error
