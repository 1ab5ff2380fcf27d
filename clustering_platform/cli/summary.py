"""What the command line prints of results; everything comes from the catalog."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from clustering_platform.settings import Settings

if TYPE_CHECKING:
    import duckdb

_STATEMENTS = 4
_WIDTH = 100

_GROUPS = "SELECT group_id, letter, size, share FROM groups WHERE dataset = $dataset ORDER BY group_id"
_STANDS_FOR = """
    SELECT r.side, coalesce(i.text, 'item ' || i.item_id) AS text, r.n_success, r.n_trials
    FROM representative_items r JOIN items i USING (dataset, item_id)
    WHERE r.dataset = $dataset AND r.group_id = $group ORDER BY r.rank LIMIT $limit
"""
_CONSENSUS = """
    SELECT c.side, coalesce(i.text, 'item ' || i.item_id) AS text, c.n_success, c.n_trials
    FROM consensus_items c JOIN items i USING (dataset, item_id)
    WHERE c.dataset = $dataset ORDER BY c.side, c.rank LIMIT $limit
"""
_TOPICS = """
    SELECT t.topic_id, t.parent_id, t.size, t.own_size, t.note, n.name
    FROM topic_tree t JOIN topic_names n USING (dataset, topic_id)
    WHERE t.dataset = $dataset ORDER BY t.depth, t.size DESC, t.topic_id
"""
_SNAPSHOT = (
    "SELECT day, status, reason, voters, grouped_voters, items, votes FROM opinion_snapshot WHERE dataset = $dataset"
)
_PUBLISHED = """
    SELECT coalesce(s.dataset, t.dataset) AS dataset, s.day, coalesce(s.status, 'ready') AS status, s.voters, s.groups,
           t.items, t.topics
    FROM opinion_snapshot s
    FULL JOIN (
        SELECT dataset, count(*) AS topics, max(size) AS items FROM topic_tree GROUP BY dataset
    ) t ON s.dataset = t.dataset
"""


def published(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return what is published of each dataset: newest day, status, counts."""
    if not settings.catalog.exists():
        return {}
    with _connect(settings) as catalog:
        return {row["dataset"]: row for row in _rows(catalog, _PUBLISHED)}


def print_summary(settings: Settings, dataset: str, out: Console) -> None:
    """Print the groups, what unites all, and the tree of topics."""
    if not settings.catalog.exists():
        out.print("nothing is published yet")
        return
    with _connect(settings) as catalog:
        _print_snapshot(catalog, dataset, out)
        _print_groups(catalog, dataset, out)
        _print_consensus(catalog, dataset, out)
        _print_topics(catalog, dataset, out)


def print_query(settings: Settings, query: str, out: Console) -> None:
    """Print the answer to a SQL question as a table."""
    with _connect(settings) as catalog:
        relation = catalog.execute(query)
        table = Table(*(column[0] for column in relation.description or []), box=None)
        for row in relation.fetchall():
            table.add_row(*(_cell(value) for value in row))
    out.print(table)


def _print_snapshot(catalog: duckdb.DuckDBPyConnection, dataset: str, out: Console) -> None:
    for row in _rows(catalog, _SNAPSHOT, dataset=dataset):
        out.print(
            f"\n[bold]{dataset}[/] on {row['day']}: voters {row['voters']:,} (grouped {row['grouped_voters']:,}), "
            f"items {row['items']:,}, votes {row['votes']:,}"
        )
        if row["status"] != "ready":
            out.print(f"[yellow]{row['reason']}[/]")


def _print_groups(catalog: duckdb.DuckDBPyConnection, dataset: str, out: Console) -> None:
    for group in _rows(catalog, _GROUPS, dataset=dataset):
        out.print(f"\n[bold]Group {group['letter']}[/]: {group['size']:,} voters ({group['share']:.0%})")
        _print_items(_rows(catalog, _STANDS_FOR, dataset=dataset, group=group["group_id"], limit=_STATEMENTS), out)


def _print_consensus(catalog: duckdb.DuckDBPyConnection, dataset: str, out: Console) -> None:
    items = _rows(catalog, _CONSENSUS, dataset=dataset, limit=_STATEMENTS)
    if items:
        out.print("\n[bold]What unites all[/]")
        _print_items(items, out)


def _print_items(items: list[dict[str, Any]], out: Console) -> None:
    for item in items:
        sign, share = ("+", "agree") if item["side"] == "agree" else ("-", "disagree")
        text = textwrap.shorten(item["text"], _WIDTH, placeholder=" …")
        out.print(
            f"  {sign} {item['n_success'] / max(item['n_trials'], 1):4.0%} {share}: {text}",
            highlight=False,
            markup=False,
        )


def _print_topics(catalog: duckdb.DuckDBPyConnection, dataset: str, out: Console) -> None:
    nodes: dict[str, Tree] = {}
    for topic in _rows(catalog, _TOPICS, dataset=dataset):
        label = f"{topic['name']} ({topic['size']})"
        if topic["parent_id"] is None:
            root = nodes[topic["topic_id"]] = Tree(f"[bold]Topics[/]: {label}; {topic['note']}")
        else:
            nodes[topic["topic_id"]] = nodes[topic["parent_id"]].add(label)
    if nodes:
        out.print("")
        out.print(root, highlight=False)


def _connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    from clustering_platform.store.catalog import connect

    return connect(settings.catalog)


def _rows(catalog: duckdb.DuckDBPyConnection, query: str, **values: object) -> list[dict[str, Any]]:
    relation = catalog.execute(query, values)
    names = [column[0] for column in relation.description or []]
    return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list) and len(value) > 8:
        return f"[{', '.join(map(str, value[:8]))}, … {len(value)} in all]"
    return "" if value is None else str(value)
