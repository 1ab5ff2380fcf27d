"""`clustering cache`: what is kept to save work, and how to make it less."""

from __future__ import annotations

import importlib.util
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from clustering_platform.cli.sizes import parse_size, size_text
from clustering_platform.settings import Settings
from clustering_platform.store.errors import StoreError

if TYPE_CHECKING:
    from clustering_platform.semantics.embedding_cache import ModelContents

_HELP = "Show what is kept to save work: embeddings made before, compiled code."
_NUMBERS = ("vectors", "size", "oldest", "newest", "last used", "partial")


@dataclass(frozen=True)
class Folder:
    """Files that are made again when they are missed, and when they were written."""

    name: str
    files: int
    bytes: int
    oldest: date
    newest: date


def cache_app(
    reports_errors: Callable[[Callable[..., None]], Callable[..., None]],
    project_settings: Callable[[], Settings],
    out: Console,
) -> typer.Typer:
    """Return the command `cache`, which shows, and `cache prune`."""
    app = typer.Typer(help=_HELP)

    @app.callback(invoke_without_command=True)
    @reports_errors
    def show(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            print_caches(project_settings(), out)

    @app.command()
    @reports_errors
    def prune(
        older_than_days: Annotated[
            int | None,
            typer.Option(
                min=0, help="Days without use after which vectors go. Default: CLUSTERING_CACHE_MAX_AGE_DAYS."
            ),
        ] = None,
        max_bytes: Annotated[
            str | None,
            typer.Option(metavar="SIZE", help="Largest size of the file: 500MB. Default: CLUSTERING_CACHE_MAX_BYTES."),
        ] = None,
        model: Annotated[str | None, typer.Option(help="The only model whose vectors go.", show_default=False)] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    ) -> None:
        """Remove embeddings that are past the limits, and make the file smaller."""
        prune_cache(
            project_settings(),
            older_than_days=older_than_days,
            max_bytes=None if max_bytes is None else parse_size(max_bytes),
            model=model,
            dry_run=dry_run,
            out=out,
        )

    return app


def print_caches(settings: Settings, out: Console) -> None:
    """Print the embeddings by model, how near they are to their limits, and the other caches."""
    from clustering_platform.semantics.embedding_cache import EmbeddingCache

    cache = EmbeddingCache(settings.embedding_cache)
    contents = cache.contents()
    if contents:
        out.print(_models(contents))
        out.print(
            f"{cache.file}: {size_text(cache.file.stat().st_size)} of {size_text(settings.cache_max_bytes)}; unused "
            f"vectors stay for {settings.cache_max_age_days} days, partial ones for {settings.cache_partial_days}"
        )
    else:
        out.print("no embeddings yet")
    table = Table("cache", *(Column(name, justify="right") for name in ("files", "size", "oldest", "newest")), box=None)
    for one in _other_caches(settings):
        table.add_row(one.name, f"{one.files:,}", size_text(one.bytes), str(one.oldest), str(one.newest))
    if table.rows:
        out.print()
        out.print(table)


def prune_cache(
    settings: Settings,
    *,
    older_than_days: int | None,
    max_bytes: int | None,
    model: str | None,
    dry_run: bool,
    out: Console,
) -> None:
    """Remove the embeddings that are past the limits of the settings, or past those given in their place.

    Raises
    ------
    StoreError
        There are no embeddings of the model.
    OSError
        Others are writing to the cache for a minute, or the disk is full.
    """
    from clustering_platform.semantics.embedding_cache import CacheLimits, EmbeddingCache

    cache = EmbeddingCache(settings.embedding_cache)
    known = [one.model for one in cache.contents()]
    if model and model not in known:
        raise StoreError(f"there are no embeddings of {model!r}; there are some of: {', '.join(known) or 'none'}")
    age, partial = settings.cache_max_age_days, settings.cache_partial_days
    if older_than_days is not None:
        age, partial = older_than_days, min(partial, older_than_days)
    limits = CacheLimits(settings.cache_max_bytes if max_bytes is None else max_bytes, age, partial)
    try:
        pruned = cache.prune(limits, model=model, dry_run=dry_run)
    except sqlite3.OperationalError as error:
        raise OSError(f"{cache.file}: {error}; nothing was removed") from error
    done = "would remove" if dry_run else "removed"
    out.print(f"{done} {pruned.vectors:,} vectors ({size_text(pruned.bytes)})")


def _models(contents: list[ModelContents]) -> Table:
    table = Table("model", *(Column(name, justify="right") for name in _NUMBERS), box=None)
    for one in contents:
        days = (str(day) for day in (one.oldest, one.newest, one.last_used))
        table.add_row(one.model, f"{one.vectors:,}", size_text(one.bytes), *days, f"{one.partial:,}")
    return table


def _other_caches(settings: Settings) -> Iterator[Folder]:
    """Yield the other folders of caches that hold anything: those beside the embeddings, and compiled code."""
    folders = sorted(settings.cache.iterdir()) if settings.cache.is_dir() else []
    for folder in folders:
        if folder.is_dir() and folder != settings.embedding_cache:
            yield from _folder(folder.name, [path for path in folder.rglob("*") if path.is_file()])
    for compiled in _compiled():
        yield from _folder(
            f"code compiled by numba, in {compiled}", [path for path in compiled.rglob("*.nb[ic]") if path.is_file()]
        )


def _compiled() -> list[Path]:
    """Return the folders in which numba keeps what it compiled: of this program, of UMAP and of its neighbours."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return [Path(chosen)]
    specs = map(importlib.util.find_spec, ("clustering_platform", "umap", "pynndescent"))
    return [Path(spec.origin).parent for spec in specs if spec and spec.origin]


def _folder(name: str, files: list[Path]) -> Iterator[Folder]:
    states = [path.stat() for path in files]
    if states:
        days = [datetime.fromtimestamp(state.st_mtime, UTC).date() for state in states]
        yield Folder(name, len(files), sum(state.st_size for state in states), min(days), max(days))
