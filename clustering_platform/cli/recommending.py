"""`clustering recommend`: which strategy of topics suits a dataset, and what to write into its settings."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from clustering_platform.cli.running import run_recommendation
from clustering_platform.datasets import CONFIG_FILE, Dataset
from clustering_platform.settings import Settings

_FIGURES = ("stability", "silhouette", "coverage")


def recommend_topics(settings: Settings, dataset: Dataset, *, out: Console, err: Console) -> bool:
    """Try the strategies on the published vectors of a dataset, print what came of it and tell whether it succeeded."""
    import pyarrow.parquet as pq

    from clustering_platform.orchestration.assets.recommendation import recommendation_file

    if not run_recommendation(settings, dataset, out=out, err=err):
        return False
    rows = pq.read_table(recommendation_file(settings, dataset.name)).to_pylist()
    print_recommendation(sorted(rows, key=lambda row: row["rank"]), dataset, out)
    return True


def print_recommendation(rows: list[dict[str, Any]], dataset: Dataset, out: Console) -> None:
    """Print trials, best first, and the settings that make the best one."""
    from clustering_platform.semantics.recommending import is_set, settings_of

    if not rows:
        out.print(f"{dataset.name} has too few distinct items to compare strategies")
        return
    table = Table("", "strategy", "algorithm", "resolution", "topics", *_FIGURES, "why", box=None)
    for row in rows:
        figures = ("-" if row[name] is None else f"{row[name]:.2f}" for name in _FIGURES)
        resolution = "-" if row["resolution"] is None else f"{row['resolution']:g}"
        place, topics = str(row["rank"]), str(row["topics"])
        table.add_row(place, row["strategy"], row["algorithm"] or "-", resolution, topics, *figures, row["reason"])
    out.print(table)
    if is_set(rows[0], dataset.config.topics):
        out.print(f"\n{dataset.name} has the settings of the first already")
    else:
        out.print(f"\nfor the first, write into {dataset.folder / CONFIG_FILE}:\n\n{settings_of(rows[0])}")
