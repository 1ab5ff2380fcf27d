"""`clustering catalog`, `gc` and `dev`: commands that look after the platform rather than a dataset."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clustering_platform.settings import Settings


def add_maintenance(
    app: typer.Typer,
    reports_errors: Callable[[Callable[..., None]], Callable[..., None]],
    project_settings: Callable[[], Settings],
    out: Console,
) -> None:
    """Add the commands to the command line."""

    @app.command()
    @reports_errors
    def catalog() -> None:
        """Make catalog.duckdb anew from the commits, for example after the data folder was moved."""
        from clustering_platform.store.catalog import rebuild_catalog
        from clustering_platform.store.commits import Commits
        from clustering_platform.store.files import Files

        settings = project_settings()
        rebuild_catalog(Commits(Files(settings.warehouse)), settings.catalog, from_scratch=True)
        out.print(f"{settings.catalog}")

    @app.command()
    @reports_errors
    def gc(
        keep_commits: Annotated[int, typer.Option(min=1, help="Newest commits of each day that stay.")] = 3,
        keep_hours: Annotated[float, typer.Option(min=0, help="What is younger than this stays.")] = 24,
    ) -> None:
        """Remove old commits and the files that no commit names."""
        from clustering_platform.store.catalog import rebuild_catalog
        from clustering_platform.store.commits import Commits
        from clustering_platform.store.files import Files
        from clustering_platform.store.garbage import collect_garbage

        settings = project_settings()
        commits = Commits(Files(settings.warehouse))
        gone = collect_garbage(
            commits, keep_commits=keep_commits, keep_hours=keep_hours, database=settings.lock_database
        )
        rebuild_catalog(commits, settings.catalog)
        out.print(f"removed {gone.commits} commits and {gone.files} files ({gone.bytes / 1e6:.1f} MB)")
        if gone.busy:
            out.print(f"left alone, as they are being computed: {', '.join(gone.busy)}")

    @app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
    @reports_errors
    def dev(context: typer.Context) -> None:
        """Start the Dagster UI and daemon here; further options go to `dagster dev`."""
        from clustering_platform.orchestration.instance import open_instance
        from clustering_platform.orchestration.reaping import reap

        settings = project_settings()
        with open_instance(settings) as instance:
            reap(instance, settings)
        dagster = shutil.which("dagster", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
        if dagster is None:
            raise FileNotFoundError("the command `dagster` is not installed beside this Python")
        os.chdir(settings.home)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell that starts it in the background has it ignored
        os.execv(dagster, [dagster, "dev", "-w", "workspace.yaml", *context.args])  # noqa: S606 - our own dagster
