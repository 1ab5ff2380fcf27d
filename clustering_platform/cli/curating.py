"""`clustering curate`: people's decisions about topics, written into the log and published by the next run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clustering_platform.datasets import Dataset, find_dataset
from clustering_platform.settings import Settings

if TYPE_CHECKING:
    from clustering_platform.semantics.proposing import CuratedTopics
    from clustering_platform.store.curation import Action, Decision

_HELP = """Decide about the topics of DATASET: name them, put them together, set them aside, note something.

Decisions are kept in a log and hold for every later tree. TOPIC is an id, such as t12, or the exact name.
"""
_Topic = Annotated[str, typer.Argument(help="Id of the topic, or its exact name.")]
_Author = Annotated[str | None, typer.Option(help="Who decides; kept in the log, left out of previews.")]
_Publish = Annotated[bool, typer.Option("--publish", help="Publish it at once, by the run of the topics.")]


class _Curating:
    """The commands of `clustering curate DATASET`; the names of methods are those of the commands."""

    def __init__(self, project_settings: Callable[[], Settings], out: Console, err: Console) -> None:
        self.project_settings, self.out, self.err = project_settings, out, err

    def rename(
        self,
        context: typer.Context,
        topic: _Topic,
        name: Annotated[str, typer.Argument(help="The new name, of at most 120 characters.")],
        author: _Author = None,
        publish: _Publish = False,
    ) -> None:
        """Give a topic a name."""
        self._decide(context, "rename", topic, name, author, publish)

    def merge(
        self,
        context: typer.Context,
        topic: _Topic,
        into: Annotated[str, typer.Argument(help="Topic that it becomes part of.")],
        author: _Author = None,
        publish: _Publish = False,
    ) -> None:
        """Make a topic part of another, with all its items and the topics below it."""
        self._decide(context, "merge", topic, into, author, publish)

    def unusable(
        self, context: typer.Context, topic: _Topic, author: _Author = None, publish: _Publish = False
    ) -> None:
        """Mark a topic, and those below it, as of no use; its items stay where they are."""
        self._decide(context, "unusable", topic, None, author, publish)

    def usable(self, context: typer.Context, topic: _Topic, author: _Author = None, publish: _Publish = False) -> None:
        """Mark a topic as of use, also where one above it is not."""
        self._decide(context, "usable", topic, None, author, publish)

    def note(
        self,
        context: typer.Context,
        topic: _Topic,
        text: Annotated[str, typer.Argument(help="The note, of at most 2,000 characters.")],
        author: _Author = None,
        publish: _Publish = False,
    ) -> None:
        """Add a note to a topic."""
        self._decide(context, "note", topic, text, author, publish)

    def undo(
        self,
        context: typer.Context,
        sequence: Annotated[int, typer.Argument(help="Number of the decision, as in `list`.", min=1)],
        author: _Author = None,
        publish: _Publish = False,
    ) -> None:
        """Take a decision back; an undo can be undone too."""
        self._decide(context, "undo", "", str(sequence), author, publish)

    def list(self, context: typer.Context) -> None:
        """Print all decisions and what came of them."""
        settings = self.project_settings()
        dataset = find_dataset(settings.inbox, context.obj)
        self.out.print(_listed(_read(settings, dataset)))

    def _decide(
        self, context: typer.Context, action: Action, topic: str, value: str | None, author: str | None, publish: bool
    ) -> None:
        from clustering_platform.cli.running import run_dataset

        settings = self.project_settings()
        dataset = find_dataset(settings.inbox, context.obj)
        self.out.print(_told(_append(settings, dataset, action, topic, value, author)))
        if not publish:
            self.out.print(f"now: clustering run {dataset.name}")
            return
        done = run_dataset(settings, dataset, day=None, force=False, opinions=False, out=self.out, err=self.err)
        if not done:
            raise typer.Exit(1)


def curating_app(
    reports_errors: Callable[[Callable[..., None]], Callable[..., None]],
    project_settings: Callable[[], Settings],
    *,
    out: Console,
    err: Console,
) -> typer.Typer:
    """Return the commands of `clustering curate DATASET`."""
    app = typer.Typer(help=_HELP, no_args_is_help=True)
    commands = _Curating(project_settings, out, err)

    @app.callback()
    def curate(
        context: typer.Context, dataset: Annotated[str, typer.Argument(help="Name of the dataset.", metavar="DATASET")]
    ) -> None:
        context.obj = dataset

    named = (
        commands.rename,
        commands.merge,
        commands.unusable,
        commands.usable,
        commands.note,
        commands.undo,
        commands.list,
    )
    for command in named:
        app.command(command.__name__)(reports_errors(command))
    return app


def _read(settings: Settings, dataset: Dataset) -> CuratedTopics:
    from clustering_platform.orchestration.topic_history import read_curated
    from clustering_platform.store.commits import Commits
    from clustering_platform.store.files import Files

    return read_curated(Commits(Files(settings.warehouse)), dataset.name)


def _append(
    settings: Settings, dataset: Dataset, action: Action, topic: str, value: str | None, author: str | None
) -> Decision:
    """Check a decision against what is published and write it into the log.

    Raises
    ------
    CurationError
        It cannot be taken.
    """
    from clustering_platform.store.curation import Curation

    curated = _read(settings, dataset)
    if action == "undo":
        topic_id = curated.decided(int(value or 0)).topic_id
    else:
        topic_id = curated.find(topic)
        value = curated.find(value) if action == "merge" and value is not None else value
    curated.check(action, topic_id, value, author)
    return Curation(settings.warehouse).append(dataset.name, action, topic_id, value, author=author)


def _told(decision: Decision) -> Text:
    what = {
        "rename": f"{decision.topic_id} is called {decision.value!r}",
        "merge": f"{decision.topic_id} becomes part of {decision.value}",
        "unusable": f"{decision.topic_id} is marked as unusable",
        "usable": f"{decision.topic_id} is marked as usable",
        "note": f"noted about {decision.topic_id}",
        "undo": f"decision {decision.value} is undone",
    }[decision.action]
    return Text.assemble((f"decision {decision.sequence}", "bold"), f": {what}")


def _listed(curated: CuratedTopics) -> Table | str:
    if not curated.log:
        return f"nothing was decided about the topics of {curated.dataset!r} yet"
    table = Table("number", "decided (UTC)", "author", "action", "topic", "value", "state", "reason", box=None)
    standings = curated.standings()
    for decision in curated.log:
        standing = standings[decision.sequence]
        pending = "" if decision.sequence <= curated.published else ", not published yet"
        name = curated.names.get(decision.topic_id)
        cells: list[Any] = [
            decision.sequence,
            f"{decision.decided_at:%Y-%m-%d %H:%M}",
            decision.author or "",
            decision.action,
            f"{decision.topic_id} {name}" if name else decision.topic_id,
            decision.value or "",
            standing.state + pending,
            standing.reason or "",
        ]
        table.add_row(*(Text(str(cell)) for cell in cells))
    return table
