"""The picture of drift: maps turned to match each other, shares of groups and polarization over all days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clustering_platform.orchestration.pictures import (
    COLOURS,
    GREY,
    as_metadata,
    as_png,
    draw_label,
    draw_points,
    fonts,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from clustering_platform.opinions.drift.days import Day

_MAPS = 5
_FIGURES = {"divergence": "-", "bimodality": "--", "separation": ":"}


def shown_days(drift_days: pa.Table) -> list[date]:
    """Return the days whose maps are drawn: the first and the last with groups, and some evenly between them."""
    days = drift_days.filter(pc.greater(drift_days["groups"], 0))["day"].to_pylist()
    places = np.unique(np.linspace(0, len(days) - 1, min(_MAPS, len(days))).round().astype(int))
    return [days[place] for place in places]


def drift_picture(
    drift_days: pa.Table, group_lineage: pa.Table, maps: Sequence[Day], *, title: str
) -> dg.MarkdownMetadataValue:
    """Return the picture as metadata; see `drift_png`."""
    return as_metadata(drift_png(drift_days, group_lineage, maps, title=title), "drift")


def drift_png(
    drift_days: pa.Table, group_lineage: pa.Table, maps: Sequence[Day], *, title: str, dpi: int = 80
) -> bytes:
    """Draw some maps, the shares of groups and polarization by day as a PNG; colours and letters last over days."""
    from matplotlib.dates import ConciseDateFormatter
    from matplotlib.figure import Figure

    rows = drift_days.to_pylist()
    groups = group_lineage.filter(pc.greater(group_lineage["size"], 0)).to_pylist()
    figure = Figure(figsize=(8.5, 7), dpi=dpi, layout="constrained")
    figure.suptitle(f"{title}: {len(rows)} days", fontsize=11, family=fonts())
    grid = figure.add_gridspec(3, max(len(maps), 1), height_ratios=(1.2, 1.2, 1))
    turns = {row["day"]: np.array([[row["turn_xx"], row["turn_yx"]], [row["turn_xy"], row["turn_yy"]]]) for row in rows}
    for column, day in enumerate(maps):
        _draw_map(figure.add_subplot(grid[0, column]), day, turns[day.day], groups)
    shares, figures = figure.add_subplot(grid[1, :]), figure.add_subplot(grid[2, :])
    _draw_shares(shares, groups)
    _draw_figures(figures, rows)
    figures.sharex(shares)
    figures.xaxis.set_major_formatter(ConciseDateFormatter(figures.xaxis.get_major_locator()))
    shares.tick_params(labelbottom=False)
    return as_png(figure)


def _draw_map(axes: Axes, day: Day, turn: np.ndarray[Any, Any], groups: Sequence[dict[str, Any]]) -> None:
    axes.axis("off")
    axes.set_title(str(day.day), fontsize=8)
    places = day.places @ turn
    draw_points(axes, places[day.groups < 0], GREY)
    badges = {row["group_id"]: row for row in groups if row["day"] == day.day}
    for place, group_id in enumerate(day.group_ids.tolist()):
        members = places[day.groups == place]
        draw_points(axes, members, _colour(badges[group_id]))
        draw_label(axes, members.mean(axis=0), badges[group_id]["letter"], size=9)


def _draw_shares(axes: Axes, groups: Sequence[dict[str, Any]]) -> None:
    """Draw a bar for each day: who is in which group; days that are not published stay empty."""
    tops: dict[date, float] = {}
    largest: dict[str, tuple[float, date, float]] = {}
    for row in groups:
        bottom = tops.get(row["day"], 0.0)
        axes.bar(row["day"], row["share"], bottom=bottom, width=0.95, color=_colour(row))
        tops[row["day"]] = bottom + row["share"]
        largest[row["letter"]] = max(
            largest.get(row["letter"], (0.0, row["day"], 0.0)), (row["share"], row["day"], bottom + row["share"] / 2)
        )
    for letter, (_, day, middle) in largest.items():
        axes.annotate(letter, (day, middle), ha="center", va="center", fontsize=9)
    axes.set(ylim=(0, 1), ylabel="share of voters")


def _draw_figures(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    days = [row["day"] for row in rows]
    for name, line in _FIGURES.items():
        values = [np.nan if row[name] is None else row[name] for row in rows]
        axes.plot(days, values, line, color="black", marker=".", markersize=3, linewidth=1, label=name)
    axes.set(ylim=(0, 1))
    axes.legend(fontsize=8, ncols=3, loc="upper left")
    axes.tick_params(axis="x", labelsize=8)


def _colour(group: dict[str, Any]) -> str:
    return COLOURS[group["colour"] % len(COLOURS)]
