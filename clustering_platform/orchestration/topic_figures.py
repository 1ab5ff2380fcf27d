"""What the Dagster UI shows of topics beside their tables: which are worst and best, which divide and which unite."""

from __future__ import annotations

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from clustering_platform.orchestration.previews import grid

Figures = dict[str, dg.MarkdownMetadataValue]
_SHOWN = 5


def worst_and_best(topic_outcomes: pa.Table, topic_tree: pa.Table, chunks: pa.Table, items: pa.Table) -> Figures:
    """Return the topics with significantly more and fewer errors, worst and best first, as metadata by title.

    Topics have no names yet; the item nearest to the middle of each stands for it.

    Parameters
    ----------
    items
        `item_id` and `text`.
    """
    from clustering_platform.semantics.pieces import piece_items

    named = topic_tree.select(["topic_id", "exemplar_ids"]).to_pylist()
    exemplars = {row["topic_id"]: row["exemplar_ids"][0] for row in named if row["exemplar_ids"]}
    shown_ids = pa.array(exemplars.values(), pa.string())
    pieces = piece_items(items, chunks.filter(pc.is_in(chunks["item_id"], value_set=shown_ids)))
    texts = dict(zip(pieces["item_id"].to_pylist(), pieces["text"].to_pylist(), strict=True))
    columns = ["topic_id", "depth", "items_with_outcome", "error_rate", "rate_elsewhere", "q_value"]
    shown: Figures = {}
    for title, flag, order in (("worst topics", "is_worse", "descending"), ("best topics", "is_better", "ascending")):
        rows = topic_outcomes.filter(topic_outcomes[flag]).sort_by([("phi", order)]).slice(0, _SHOWN).to_pylist()
        for row in rows:
            row["exemplar"] = texts.get(exemplars.get(row["topic_id"], ""))
        if rows:
            shown[title] = grid([*columns, "exemplar"], rows)
    return shown


def dividing_and_uniting(topic_divisions: pa.Table, names: pa.Table | None) -> Figures:
    """Return the topics of the first level that divide the groups and those that unite them, as metadata by title.

    Parameters
    ----------
    names
        `topic_id` and `name`.
    """
    named = dict(zip(*names.select(["topic_id", "name"]).to_pydict().values(), strict=True)) if names else {}
    first = topic_divisions.filter(pc.equal(topic_divisions["depth"], 1))
    shown: Figures = {}
    for title, rank, figure in (
        ("topics that divide", "divides_rank", "divisiveness"),
        ("topics that unite", "unites_rank", "unity"),
    ):
        ranked = first.filter(pc.is_valid(first[rank])).sort_by(rank).slice(0, _SHOWN).to_pylist()
        rows = [{"topic": named.get(row["topic_id"], row["topic_id"])} | row for row in ranked]
        if rows:
            shown[title] = grid(["topic", "compared_items", figure, "consensus", "agree_share"], rows)
    return shown
