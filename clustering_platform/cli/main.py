"""The commands."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from clustering_platform.cli.caching import cache_app
from clustering_platform.cli.curating import curating_app
from clustering_platform.cli.maintaining import add_maintenance
from clustering_platform.datasets import DatasetError, find_dataset, list_datasets
from clustering_platform.settings import Settings
from clustering_platform.store.errors import StoreError

app = typer.Typer(
    name="clustering",
    help="Turns votes and texts into named, explorable groups and topics.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
# What people wrote is printed as it is: no markup, no emoji codes. Tables are not squeezed where there is no terminal.
_PLAIN: dict[str, Any] = {"soft_wrap": True, "markup": False, "emoji": False, "highlight": False}
out = Console(**_PLAIN, width=None if sys.stdout.isatty() else 200)
err = Console(**_PLAIN, stderr=True)


def fail(message: object) -> NoReturn:
    """Print what is wrong and end with status 1."""
    err.print(Text.assemble(("error: ", "red"), str(message)))
    raise typer.Exit(1)


def project_settings() -> Settings:
    """Return the settings of this process, which must be in the project folder or know it."""
    try:
        settings = Settings()
    except ValidationError as error:
        faults = (f"CLUSTERING_{fault['loc'][0]!s}".upper() + f": {fault['msg']}" for fault in error.errors())
        fail("; ".join(faults))
    settings.check_home()
    return settings


def reports_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Print the message of an expected error and end with status 1, instead of a traceback."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        from clustering_platform.ingest.errors import IngestError
        from clustering_platform.orchestration.errors import ResumeError
        from clustering_platform.semantics.errors import CurationError

        try:
            command(*args, **kwargs)
        except (CurationError, DatasetError, IngestError, ResumeError, StoreError) as error:
            fail(error)
        except OSError as error:
            where = f"{error.filename}: {error.strerror}; is the data folder right? See CLUSTERING_DATA"
            fail(where if error.filename else error)

    return wrapped


@app.command()
@reports_errors
def add(
    path: Annotated[Path, typer.Argument(help="Folder or file with votes, items or a Polis export.")],
    name: Annotated[str | None, typer.Option(help="Name of the dataset. Default: from the path.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the dataset of that name.")] = False,
) -> None:
    """Bring a folder or file into the inbox, after a dry run that shows what was found in it."""
    from clustering_platform.cli.adding import add_dataset

    add_dataset(project_settings(), path, name, replace=replace, out=out)


@app.command()
@reports_errors
def run(
    name: Annotated[str, typer.Argument(help="Name of the dataset.")],
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of the snapshot. Default: today.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compute even when nothing changed.")] = False,
    refit: Annotated[
        bool, typer.Option("--refit", help="Make the tree of topics anew instead of placing new items in it.")
    ] = False,
) -> None:
    """Run everything for a dataset: ingest, topics, opinions of a day; then print what came of it."""
    from clustering_platform.cli.running import run_dataset
    from clustering_platform.cli.summary import print_summary
    from clustering_platform.orchestration.partitions import today

    settings = project_settings()
    dataset = find_dataset(settings.inbox, name)
    chosen = day.date() if day else None
    if chosen and not settings.start_day <= chosen <= today():
        fail(f"--day {chosen}: the days are {settings.start_day} (CLUSTERING_START_DAY) to {today()}, today in UTC")
    if not run_dataset(settings, dataset, day=chosen, force=force, refit=refit, out=out, err=err):
        raise typer.Exit(1)
    print_summary(settings, name, out, day=chosen)


@app.command()
@reports_errors
def backfill(
    name: Annotated[str, typer.Argument(help="Name of the dataset.")],
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day. Default: that of the first vote."),
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day. Default: that of the last vote.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compute even days on which nothing changed.")] = False,
) -> None:
    """Make the opinion snapshots of a range of days, then what changed from day to day; then print that."""
    from clustering_platform.cli.backfilling import days_between, run_backfill
    from clustering_platform.cli.drift_summary import print_drift

    settings = project_settings()
    dataset = find_dataset(settings.inbox, name)
    ends = (day.date() if day else None for day in (first, last))
    choose = functools.partial(days_between, settings, dataset, *ends)
    succeeded = run_backfill(settings, dataset, choose=choose, force=force, out=out, err=err)
    print_drift(settings, name, out)
    if not succeeded:
        raise typer.Exit(1)


@app.command()
@reports_errors
def resume(
    run_id: Annotated[
        str | None,
        typer.Argument(
            help="Id of a failed or cancelled run, or how it begins. Without one: a list.", show_default=False
        ),
    ] = None,
) -> None:
    """Go on with a run that failed, was cancelled or was killed, from where it stopped."""
    from clustering_platform.cli.resuming import list_stopped, resume_run

    settings = project_settings()
    if run_id is None:
        list_stopped(settings, out=out)
    elif not resume_run(settings, run_id, out=out, err=err):
        raise typer.Exit(1)


@app.command()
@reports_errors
def datasets() -> None:
    """List the datasets of the inbox and what is published of each."""
    from clustering_platform.cli.summary import published

    settings = project_settings()
    found = published(settings)
    figures = ("voters", "groups", "items", "topics", "day")
    table = Table(Column("dataset", no_wrap=True), "title", *figures, "status", box=None)
    faults = []
    for dataset in list_datasets(settings.inbox):
        row = found.get(dataset.name, {})
        values = ("-" if row.get(key) is None else str(row[key]) for key in figures)
        status = row.get("status", "not run yet")
        try:
            title = dataset.config.title or ""
            status = "archived" if dataset.config.archived else status
        except DatasetError as error:
            title = "?"
            faults.append(error)
        table.add_row(dataset.name, title, *values, status)
    out.print(table if table.rows else "no datasets yet; bring one in with `clustering add PATH`")
    for fault in faults:
        err.print(fault, style="red")


@app.command()
@reports_errors
def show(name: Annotated[str, typer.Argument(help="Name of the dataset.")]) -> None:
    """Print the newest published groups and topics of a dataset."""
    from clustering_platform.cli.summary import print_summary

    settings = project_settings()
    print_summary(settings, find_dataset(settings.inbox, name).name, out)


@app.command()
@reports_errors
def voter(
    name: Annotated[str, typer.Argument(help="Name of the dataset.")],
    voter_id: Annotated[str, typer.Argument(help="Id of the voter as in the tables: a pseudonym, unless plain.")],
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of the snapshot. Default: the newest.")
    ] = None,
) -> None:
    """Print where a voter stands, who votes alike, and what to show the voter next."""
    from clustering_platform.cli.voter import print_voter

    settings = project_settings()
    dataset = find_dataset(settings.inbox, name)
    print_voter(settings, dataset, voter_id, out, day=day.date() if day else None)


@app.command()
@reports_errors
def sql(query: Annotated[str, typer.Argument(help="A question in DuckDB's SQL.")]) -> None:
    """Ask the catalog a question and print the answer."""
    import duckdb

    from clustering_platform.cli.summary import print_query

    try:
        print_query(project_settings(), query, out)
    except duckdb.Error as error:
        fail(error)


@app.command()
@reports_errors
def export(
    name: Annotated[str, typer.Argument(help="Name of the dataset.")],
    table: Annotated[
        str | None, typer.Argument(help="Table, or TABLE_history for all days of it.", show_default=False)
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--format", help="csv, jsonl, json or parquet. Default: by the ending of the file, else csv."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write, - for standard output. Default: NAME.TABLE.FORMAT here."),
    ] = None,
    polis: Annotated[
        Path | None, typer.Option(help="Folder to make, with the files that Polis gives out.", show_default=False)
    ] = None,
    topics: Annotated[
        Path | None, typer.Option(help="Folder to make, with items and topics for visualisers.", show_default=False)
    ] = None,
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of the snapshot. Default: the newest.")
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="In CSV, keep text as it is that a spreadsheet would compute as a formula.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what has that name already.")] = False,
) -> None:
    """Write a table as a file, a day as the files of Polis, or the topics as those of visualisers."""
    from clustering_platform.cli.exporting import export_polis, export_table, export_topics

    settings = project_settings()
    dataset = find_dataset(settings.inbox, name)
    chosen = day.date() if day else None
    if topics and not (table or kind or output or polis or day):
        export_topics(settings, dataset, topics, raw=raw, replace=replace, out=out)
    elif polis and not (table or kind or output or topics):
        export_polis(settings, dataset, polis, day=chosen, raw=raw, replace=replace, out=out)
    elif table and not (polis or topics):
        export_table(settings, dataset, table, kind=kind, output=output, day=chosen, raw=raw, replace=replace, out=out)
    else:
        fail("say which TABLE to write (with --format, --output, --day), or --polis FOLDER (--day), or --topics FOLDER")


@app.command("name")
@reports_errors
def name_topics(
    name: Annotated[str, typer.Argument(help="Name of the dataset.")],
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day whose groups are named. Default: the newest.")
    ] = None,
) -> None:
    """Ask the language model of dataset.yaml what the published topics and groups are called."""
    from clustering_platform.cli.running import run_names
    from clustering_platform.cli.summary import print_summary

    settings = project_settings()
    dataset = find_dataset(settings.inbox, name)
    if not run_names(settings, dataset, day=day.date() if day else None, out=out, err=err):
        raise typer.Exit(1)
    print_summary(settings, dataset.name, out)


@app.command()
@reports_errors
def recommend(name: Annotated[str, typer.Argument(help="Name of the dataset.")]) -> None:
    """Compare ways to find topics on parts of a dataset that was run, and say what to write into dataset.yaml."""
    from clustering_platform.cli.recommending import recommend_topics

    settings = project_settings()
    if not recommend_topics(settings, find_dataset(settings.inbox, name), out=out, err=err):
        raise typer.Exit(1)


@app.command()
@reports_errors
def runs(
    name: Annotated[str | None, typer.Argument(help="Name of the dataset. Default: all.", show_default=False)] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only runs that failed, were cancelled or killed.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 20,
) -> None:
    """List what was run, who or what launched it and what came of it."""
    from clustering_platform.cli.runs import print_runs

    print_runs(project_settings(), out, dataset=name, failed=failed, limit=limit)


@app.command()
@reports_errors
def demo() -> None:
    """Run the sample conversation through the whole platform and explain the result."""
    from clustering_platform.cli.demo import run_demo

    if not run_demo(project_settings(), out=out, err=err):
        raise typer.Exit(1)


add_maintenance(app, reports_errors, project_settings, out)
app.add_typer(cache_app(reports_errors, project_settings, out), name="cache")
app.add_typer(curating_app(reports_errors, project_settings, out=out, err=err), name="curate")


def main() -> None:
    """Run the command line."""
    app()
