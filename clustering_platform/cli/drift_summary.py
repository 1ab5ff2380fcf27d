"""What the command line prints of drift; everything comes from the catalog."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from clustering_platform.cli.rows import ask
from clustering_platform.settings import Settings

_LONGEST = 40
_FIGURES = ("voters", "kept", "moved", "divergence", "bimodality", "separation")

_DAYS = """
    SELECT day, status, voters, voters_in_both AS kept, voters_moved AS moved, divergence, bimodality, separation
    FROM drift_days WHERE dataset = $dataset ORDER BY day DESC LIMIT $limit
"""
_GROUPS = """
    SELECT day, string_agg(letter || ' ' || size, '  ' ORDER BY letter) AS sizes
    FROM group_lineage WHERE dataset = $dataset AND size > 0 GROUP BY day
"""
_CHANGES = """
    SELECT day, letter, change, from_letters, into_letter FROM group_lineage
    WHERE dataset = $dataset AND change NOT IN ('first', 'continued') ORDER BY day, letter
"""


def print_drift(settings: Settings, dataset: str, out: Console) -> None:
    """Print the newest days with their groups by lasting letter, how polarized they are, and what became of groups."""
    from clustering_platform.store.catalog import connect

    if not settings.catalog.exists():  # nothing is published yet
        return
    with connect(settings.catalog) as catalog:
        days = ask(catalog, _DAYS, dataset=dataset, limit=_LONGEST)[::-1]
        sizes = {row["day"]: row["sizes"] for row in ask(catalog, _GROUPS, dataset=dataset)}
        changes = ask(catalog, _CHANGES, dataset=dataset)
    if not days:
        return
    table = Table("day", *(Column(name, justify="right") for name in _FIGURES), "groups", box=None)
    for row in days:
        figures = (_figure(row[name]) for name in _FIGURES)
        table.add_row(str(row["day"]), *figures, sizes.get(row["day"], row["status"]))
    out.print(Text.assemble("\n", ("From day to day", "bold"), "; letters last over days"))
    out.print(table)
    shown = {row["day"] for row in days}
    for change in changes:
        if change["day"] in shown:
            out.print(f"  {change['day']}: {_told(change)}", highlight=False)


def _told(change: dict[str, Any]) -> str:
    letter, sources = change["letter"], ", ".join(change["from_letters"])
    match change["change"]:
        case "gone":
            into = f"; most of its voters are in {change['into_letter']}" if change["into_letter"] else ""
            return f"{letter} is gone{into}"
        case "split":
            return f"{letter} is a part of what was {sources}"
        case "merged":
            return f"{letter} holds most voters of {sources}"
    return f"{letter} is new"


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"
