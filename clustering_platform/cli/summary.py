"""What the command line prints of results; everything comes from the catalog."""

from __future__ import annotations

import textwrap
from datetime import date
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from clustering_platform.cli.rows import ask
from clustering_platform.datasets import DatasetError
from clustering_platform.settings import Settings

if TYPE_CHECKING:
    import duckdb

_STATEMENTS = 4
_WIDTH = 100
_COUNTS = {"voters": "voters", "grouped": "grouped_voters", "items": "items", "votes": "votes"}

_GROUPS = """
    SELECT g.group_id, coalesce(l.letter, g.letter) AS letter, g.size, g.share, n.name, n.source, n.summary
    FROM groups_history g LEFT JOIN group_names_history n USING (dataset, day, group_id)
    LEFT JOIN group_lineage l USING (dataset, day, group_id)
    WHERE g.dataset = $dataset AND g.day = $day ORDER BY g.group_id
"""
_SUBGROUPS = """
    SELECT $letter || regexp_extract(letter, '[0-9]+') AS letter, size FROM subgroups_history
    WHERE dataset = $dataset AND day = $day AND parent_id = $group ORDER BY subgroup_id
"""
_NUMBERS = """
    SELECT max(groups) FILTER (is_best) AS best, max(groups) FILTER (is_chosen) AS chosen FROM groupings_history
    WHERE dataset = $dataset AND day = $day AND parent_id IS NULL
"""
_STALE_DAYS = """
    SELECT day FROM commits WHERE dataset = $dataset AND day <= $day AND is_stale ORDER BY day
"""
_STANDS_FOR = """
    SELECT r.side, coalesce(i.text, 'item ' || i.item_id) AS text, r.n_success, r.n_trials
    FROM representative_items_history r JOIN items i USING (dataset, item_id)
    WHERE r.dataset = $dataset AND r.day = $day AND r.group_id = $group ORDER BY r.rank LIMIT $limit
"""
_CONSENSUS = """
    SELECT c.side, coalesce(i.text, 'item ' || i.item_id) AS text, c.n_success, c.n_trials
    FROM consensus_items_history c JOIN items i USING (dataset, item_id)
    WHERE c.dataset = $dataset AND c.day = $day ORDER BY c.side, c.rank LIMIT $limit
"""
_TOPICS = """
    SELECT t.topic_id, t.parent_id, t.size, t.note, n.name, n.status
    FROM topic_tree t JOIN topic_names n USING (dataset, topic_id)
    WHERE t.dataset = $dataset ORDER BY t.depth, t.size DESC, t.topic_id
"""
_REFIT = """
    SELECT reason FROM topic_fit WHERE dataset = $dataset AND is_refit_proposed
"""
_OUTCOMES = """
    SELECT o.items_with_outcome AS items, o.errors, o.error_rate AS rate, t.cramers_v, t.p_value
    FROM topic_outcomes o LEFT JOIN outcome_tests t
    ON t.dataset = o.dataset AND t.question = 'topic' AND t.depth = 1
       AND t.family = CASE WHEN o.errors IS NULL THEN 'label' ELSE 'error' END
    WHERE o.dataset = $dataset AND o.depth = 0
"""
_NOTABLE_TOPICS = """
    SELECT o.is_worse, o.error_rate AS rate, o.rate_elsewhere, o.items_with_outcome AS items, n.name
    FROM topic_outcomes o JOIN topic_names n USING (dataset, topic_id)
    WHERE o.dataset = $dataset AND (o.is_worse OR o.is_better)
    QUALIFY row_number() OVER (PARTITION BY o.is_worse ORDER BY abs(o.phi) DESC, o.topic_id) <= $limit
    ORDER BY o.phi DESC, o.topic_id
"""
_SNAPSHOT = """
    SELECT day, status, reason, voters, grouped_voters, items, votes FROM opinion_snapshot_history
    WHERE dataset = $dataset AND day <= coalesce($day, day) ORDER BY day DESC LIMIT 1
"""
_PUBLISHED = """
    SELECT coalesce(s.dataset, t.dataset) AS dataset, s.day, coalesce(s.status, 'ready') AS status, s.voters, s.groups,
           coalesce(d.items, t.items) AS items, t.topics
    FROM opinion_snapshot s
    FULL JOIN (
        SELECT dataset, count(*) AS topics, max(size) AS items FROM topic_tree GROUP BY dataset
    ) t ON s.dataset = t.dataset
    LEFT JOIN (
        SELECT dataset, count(*) AS items FROM document_topics WHERE is_main GROUP BY dataset
    ) d ON t.dataset = d.dataset
"""


def published(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return what is published of each dataset: newest day, status, counts."""
    if not settings.catalog.exists():
        return {}
    with _connect(settings) as catalog:
        return {row["dataset"]: row for row in ask(catalog, _PUBLISHED)}


def print_summary(settings: Settings, dataset: str, out: Console, *, day: date | None = None) -> None:
    """Print the groups of a day, by default the newest, what unites all, and the tree of topics."""
    if not settings.catalog.exists():
        out.print("nothing is published yet")
        return
    with _connect(settings) as catalog:
        for snapshot in ask(catalog, _SNAPSHOT, dataset=dataset, day=day):
            _print_snapshot(snapshot, dataset, out)
            _print_doubts(catalog, dataset, snapshot["day"], out)
            _print_groups(catalog, dataset, snapshot["day"], out)
            _print_consensus(catalog, dataset, snapshot["day"], out)
        _print_topics(catalog, dataset, out)
        _print_outcomes(catalog, dataset, out)


def print_query(settings: Settings, query: str, out: Console) -> None:
    """Print the answer to a SQL question as a table."""
    with _connect(settings) as catalog:
        if not catalog.extract_statements(query):
            raise DatasetError("there is no question in it; try SHOW TABLES")
        relation = catalog.execute(query)
        table = Table(*(column[0] for column in relation.description or []), box=None)
        for row in relation.fetchall():
            table.add_row(*(_cell(value) for value in row))
    out.print(table)


def _print_snapshot(row: dict[str, Any], dataset: str, out: Console) -> None:
    counts = ", ".join(f"{name} {row[key]:,}" for name, key in _COUNTS.items())
    out.print(Text.assemble("\n", (dataset, "bold"), f" on {row['day']}: {counts}"))
    if row["status"] != "ready":
        out.print(row["reason"], style="yellow")


def _print_doubts(catalog: duckdb.DuckDBPyConnection, dataset: str, day: date, out: Console) -> None:
    """Say when the day is to be made anew, and when another number of groups divides it better."""
    stale = [row["day"] for row in ask(catalog, _STALE_DAYS, dataset=dataset, day=day)]
    if stale and stale[-1] == day:
        again = ", ".join(f"`clustering run {dataset} --day {earlier}`" for earlier in stale)
        out.print(
            f"an earlier day that it goes on from has changed; make it anew, in this order: {again}",
            style="yellow",
        )
    for number in ask(catalog, _NUMBERS, dataset=dataset, day=day):
        best, chosen = number["best"], number["chosen"]
        if best and best != chosen:
            out.print(f"{best} groups divide this day best; {chosen} are kept, as on the days before")


def _print_groups(catalog: duckdb.DuckDBPyConnection, dataset: str, day: date, out: Console) -> None:
    for group in ask(catalog, _GROUPS, dataset=dataset, day=day):
        size = f": {group['size']:,} voters ({group['share']:.0%})"
        name = f" {group['name']}" if group["source"] == "llm" else ""
        out.print(Text.assemble("\n", (f"Group {group['letter']}{name}", "bold"), size))
        if name:
            out.print(f"  {group['summary']}", highlight=False)
        chosen = {"dataset": dataset, "day": day, "group": group["group_id"]}
        if subgroups := ask(catalog, _SUBGROUPS, **chosen, letter=group["letter"]):
            out.print(
                "  subgroups " + ", ".join(f"{row['letter']} {row['size']:,}" for row in subgroups), highlight=False
            )
        _print_items(ask(catalog, _STANDS_FOR, **chosen, limit=_STATEMENTS), out)


def _print_consensus(catalog: duckdb.DuckDBPyConnection, dataset: str, day: date, out: Console) -> None:
    items = ask(catalog, _CONSENSUS, dataset=dataset, day=day, limit=_STATEMENTS)
    if items:
        out.print("\nWhat unites all", style="bold")
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
    for topic in ask(catalog, _TOPICS, dataset=dataset):
        label = f"{topic['name']} ({topic['size']})" + (", unusable" if topic["status"] == "unusable" else "")
        if topic["parent_id"] is None:
            root = nodes[topic["topic_id"]] = Tree(Text.assemble(("Topics", "bold"), f": {label}; {topic['note']}"))
        else:
            nodes[topic["topic_id"]] = nodes[topic["parent_id"]].add(label)
    if nodes:
        out.print("")
        out.print(root)
    for due in ask(catalog, _REFIT, dataset=dataset):
        out.print(f"  the tree should be made anew: {due['reason']}; clustering run {dataset} --refit", highlight=False)


def _print_outcomes(catalog: duckdb.DuckDBPyConnection, dataset: str, out: Console) -> None:
    """Print how many items are errors, and in which topics there are significantly more or fewer of them."""
    for row in ask(catalog, _OUTCOMES, dataset=dataset):
        counts = f"{row['items']:,} items have one"
        if row["errors"] is not None:
            counts += f", {row['errors']:,} are errors ({row['rate']:.0%})"
        out.print(Text.assemble("\n", ("Outcomes", "bold"), f": {counts}"))
        if row["p_value"] is not None:
            strength = "" if row["cramers_v"] is None else f"Cramer's V {row['cramers_v']:.2f}, "
            out.print(f"  by topic of the first level: {strength}p {row['p_value']:.2g}", highlight=False)
    for row in ask(catalog, _NOTABLE_TOPICS, dataset=dataset, limit=_STATEMENTS):
        sign = "more errors" if row["is_worse"] else "fewer errors"
        name = textwrap.shorten(row["name"], _WIDTH, placeholder=" …")
        rates = f"{row['rate']:.0%} of {row['items']:,}, elsewhere {row['rate_elsewhere']:.0%}"
        out.print(f"  {sign}: {name} ({rates})", highlight=False, markup=False)


def _connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    from clustering_platform.store.catalog import connect

    return connect(settings.catalog)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list) and len(value) > 8:
        return f"[{', '.join(map(str, value[:8]))}, … {len(value)} in all]"
    return "" if value is None else str(value)
