"""`clustering demo`: the sample conversation through the whole platform."""

from __future__ import annotations

import csv
import textwrap
from datetime import date
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.text import Text

from clustering_platform.cli.adding import add_dataset
from clustering_platform.cli.backfilling import run_backfill
from clustering_platform.cli.drift_summary import print_drift
from clustering_platform.cli.summary import print_query, print_summary
from clustering_platform.datasets import Dataset, DatasetError
from clustering_platform.orchestration.partitions import today
from clustering_platform.settings import Settings

NAME = "town-plans"
WEEKS = [date(2026, 10, 7), date(2026, 10, 14), date(2026, 10, 21)]
"""Days on which the sample is looked at, beside today."""
QUESTIONS = {
    "Which group is resident-0042 in, and how large is it?": """
        SELECT g.letter, g.size, round(v.x, 2) AS x, round(v.y, 2) AS y
        FROM voter_groups v JOIN groups g USING (dataset, day, group_id)
        WHERE v.dataset = 'town-plans' AND v.voter_id = 'resident-0042'
    """,
    "Which topics divide the groups most?": """
        SELECT n.name AS topic, count(*) AS statements, round(avg(p.spread), 2) AS "average spread of agreement"
        FROM (
            SELECT dataset, item_id, max(agree / seen) - min(agree / seen) AS spread
            FROM voting_patterns WHERE level = 'group' AND seen > 0 GROUP BY ALL
        ) p
        JOIN item_topics t USING (dataset, item_id)
        JOIN topic_names n USING (dataset, topic_id)
        WHERE dataset = 'town-plans' GROUP BY n.name ORDER BY 3 DESC LIMIT 5
    """,
}


def run_demo(settings: Settings, *, out: Console, err: Console) -> bool:
    """Add, run and explain the sample dataset; tell whether all went well."""
    sample = settings.home / "data" / "sample"
    if not (sample / NAME).is_dir():
        raise DatasetError(
            f"{sample / NAME}: the sample dataset is not there; run the demo in a checkout of the project"
        )
    dataset = _ensure_added(settings, sample / NAME, out)
    if not run_backfill(settings, dataset, choose=lambda: [*WEEKS, today()], force=False, out=out, err=err):
        return False
    print_summary(settings, NAME, out)
    print_drift(settings, NAME, out)
    _print_agreement(settings, sample / "planted_groups.csv", out)
    for question, query in QUESTIONS.items():
        out.print(Text.assemble("\n", (question, "bold"), "\n", (textwrap.dedent(query).strip(), "dim")))
        print_query(settings, query, out)
    _print_next_steps(settings, _draw(settings, dataset), out)
    return True


def _ensure_added(settings: Settings, source: Path, out: Console) -> Dataset:
    present = Dataset(NAME, settings.inbox / NAME)
    if present.folder.is_dir() and present.fingerprint() == Dataset(NAME, source).fingerprint():
        return present
    return add_dataset(settings, source, NAME, replace=True, out=out)


def _print_agreement(settings: Settings, planted: Path, out: Console) -> None:
    from sklearn.metrics import adjusted_rand_score

    from clustering_platform.store.catalog import connect

    with planted.open(newline="", encoding="utf-8") as file:
        truth = {row["voter_id"]: row["planted_group"] for row in csv.DictReader(file)}
    query = "SELECT voter_id, group_id FROM voter_groups WHERE dataset = $dataset AND group_id IS NOT NULL"
    with connect(settings.catalog) as catalog:
        found = catalog.execute(query, {"dataset": NAME}).fetchall()
    score = adjusted_rand_score([truth[voter] for voter, _ in found], [group for _, group in found])
    figures = f": adjusted Rand index {score:.3f} over {len(found)} grouped voters (1 is the same, 0 is chance)"
    out.print(Text.assemble("\n", ("Found against planted groups", "bold"), figures))


def _draw(settings: Settings, dataset: Dataset) -> list[Path]:
    """Write both maps as pictures and return where they are."""
    from clustering_platform.orchestration.pictures import opinion_map_png, topic_map_png
    from clustering_platform.store.catalog import connect

    with connect(settings.catalog) as catalog:

        def table(name: str) -> pa.Table:
            return catalog.sql(f"SELECT * FROM {name} WHERE dataset = '{NAME}'").to_arrow_table()  # noqa: S608 - our own names

        title = dataset.title
        pictures = {
            "opinion-map.png": opinion_map_png(table("voter_groups"), table("groups"), title=title, dpi=120),
            "topic-map.png": topic_map_png(
                table("projection"),
                table("item_topics"),
                table("topic_tree"),
                table("topic_names"),
                title=title,
                dpi=120,
            ),
        }
    folder = settings.data_folder / "demo"
    folder.mkdir(exist_ok=True)
    for name, png in pictures.items():
        (folder / name).write_bytes(png)
    return [folder / name for name in pictures]


def _print_next_steps(settings: Settings, pictures: list[Path], out: Console) -> None:
    out.print("\nWhere to look next", style="bold")
    out.print(f"  pictures      {', '.join(map(str, pictures))}")
    out.print("  Dagster UI    make dev, then http://127.0.0.1:3000 (assets, runs, schedules, sensors)")
    out.print(f"  DuckDB        {settings.catalog} (or: .venv/bin/clustering sql 'SHOW TABLES')")
    out.print("  your own data .venv/bin/clustering add PATH && .venv/bin/clustering run NAME")
