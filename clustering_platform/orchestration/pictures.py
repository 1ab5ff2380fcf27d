"""Pictures for the Dagster UI: small PNGs inside Markdown metadata.

The pictures show places and shapes only, never who anybody is. Colours are those of Okabe and Ito, which people with
colour-blindness can tell apart; letters and names say the same in words.
"""

from __future__ import annotations

import base64
import functools
import io
import re
import warnings
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#000000")
GREY = "#BBBBBB"
_MAX_POINTS = 4000
_MAX_LABELS = 20
_FONT = "DejaVu Sans"
_FALLBACKS = re.compile("Noto Sans|WenQuanYi|PingFang|Hiragino|YaHei|JhengHei|SimHei|Meiryo|Malgun|Nirmala")


def opinion_map(voter_groups: pa.Table, groups: pa.Table, *, title: str) -> dg.MarkdownMetadataValue:
    """Return the opinion map: a dot for each voter, a hull and a letter for each group."""
    return as_metadata(opinion_map_png(voter_groups, groups, title=title), "opinion map")


def topic_map(
    projection: pa.Table, item_topics: pa.Table, topic_tree: pa.Table, topic_names: pa.Table, *, title: str
) -> dg.MarkdownMetadataValue:
    """Return the topic map: a dot for each item, coloured by topic of the first level and named there."""
    return as_metadata(topic_map_png(projection, item_topics, topic_tree, topic_names, title=title), "topic map")


def opinion_map_png(voter_groups: pa.Table, groups: pa.Table, *, title: str, dpi: int = 80) -> bytes:
    """Draw the opinion map as a PNG."""
    points = _points(voter_groups)
    group_of = voter_groups["group_id"].fill_null(-1).to_numpy()
    letters = dict(zip(groups["group_id"].to_pylist(), groups["letter"].to_pylist(), strict=True))
    sizes = dict(zip(groups["group_id"].to_pylist(), groups["size"].to_pylist(), strict=True))
    with _Picture(f"{title}: {len(points)} voters, {len(letters)} groups", dpi) as picture:
        draw_points(picture.axes, points[group_of < 0], GREY)
        for group, letter in letters.items():
            colour = COLOURS[group % len(COLOURS)]
            members = points[group_of == group]
            draw_points(picture.axes, members, colour)
            _hull(picture.axes, members, colour)
            draw_label(picture.axes, members.mean(axis=0), f"{letter} ({sizes[group]})", size=12)
    return picture.png


def topic_map_png(
    projection: pa.Table,
    item_topics: pa.Table,
    topic_tree: pa.Table,
    topic_names: pa.Table,
    *,
    title: str,
    dpi: int = 80,
) -> bytes:
    """Draw the topic map as a PNG; topics that people marked as unusable are grey and have no label."""
    points = _points(projection)
    top_of = np.array([path[1] if len(path) > 1 else "" for path in item_topics["path"].to_pylist()], dtype=object)
    names = dict(zip(topic_names["topic_id"].to_pylist(), topic_names["name"].to_pylist(), strict=True))
    tops = [row["topic_id"] for row in topic_tree.select(["topic_id", "depth"]).to_pylist() if row["depth"] == 1]
    unusable = set(topic_names.filter(pc.equal(topic_names["status"], "unusable"))["topic_id"].to_pylist())
    with _Picture(f"{title}: {len(points)} items, {len(tops)} topics", dpi) as picture:
        draw_points(picture.axes, points[top_of == ""], GREY)
        for number, topic in enumerate(tops):
            members = points[top_of == topic]
            draw_points(picture.axes, members, GREY if topic in unusable else COLOURS[number % len(COLOURS)])
            if topic not in unusable and number < _MAX_LABELS:
                draw_label(picture.axes, np.median(members, axis=0), names[topic], size=8)
    return picture.png


def as_metadata(png: bytes, what: str) -> dg.MarkdownMetadataValue:
    """Return a PNG as metadata that the UI shows as a picture."""
    return dg.MetadataValue.md(f"![{what}](data:image/png;base64,{base64.b64encode(png).decode()})")


def as_png(figure: Figure) -> bytes:
    """Return a figure as a PNG: the same bytes for the same figure, and no warning of letters that no font has."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


class _Picture:
    """A figure without axes; `png` holds it once the block has ended."""

    def __init__(self, title: str, dpi: int) -> None:
        from matplotlib.figure import Figure

        self.figure = Figure(figsize=(7, 5.2), dpi=dpi, layout="constrained")
        self.axes = self.figure.subplots()
        self.axes.set_title(title, fontsize=10, family=fonts())
        self.axes.axis("off")
        self.png = b""

    def __enter__(self) -> _Picture:
        return self

    def __exit__(self, *error: object) -> None:
        self.png = as_png(self.figure)


def _points(table: pa.Table) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.column_stack([table["x"].to_numpy(), table["y"].to_numpy()]).astype(np.float64)


def draw_points(axes: Axes, points: np.ndarray[Any, Any], colour: str) -> None:
    """Draw a dot for each point, of many points for some."""
    step = max(1, len(points) // _MAX_POINTS)
    x, y = points[::step].T
    axes.scatter(x, y, s=14 if len(points) < 500 else 5, c=colour, alpha=0.6, linewidths=0)


def _hull(axes: Axes, points: np.ndarray[Any, Any], colour: str) -> None:
    """Outline a group, leaving out the twentieth of its voters that is farthest from its centre."""
    from scipy.spatial import ConvexHull, QhullError

    distances = np.linalg.norm(points - points.mean(axis=0), axis=1)
    near = points[distances <= np.quantile(distances, 0.95)]
    try:
        outline = near[ConvexHull(near).vertices]
    except (QhullError, ValueError):  # fewer than three places, or all on one line
        return
    axes.fill(*outline.T, facecolor=colour, alpha=0.12, edgecolor="none")
    axes.plot(*np.vstack([outline, outline[:1]]).T, color=colour, linewidth=1)


def draw_label(axes: Axes, place: np.ndarray[Any, Any], text: str, *, size: int) -> None:
    """Write a text at a place, as it is."""
    safe = text.replace("$", r"\$")
    box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5}
    axes.text(place[0], place[1], safe, fontsize=size, ha="center", va="center", bbox=box, family=fonts())


@functools.cache
def fonts() -> list[str]:
    """Return the usual font and, for letters that it lacks, those of this machine that have many."""
    from matplotlib.font_manager import get_font_names

    return [_FONT, *sorted(name for name in get_font_names() if _FALLBACKS.search(name))]
