"""Figures for each item over all groups: group-aware consensus, extremity, priority. Source: Polis."""

import numpy as np
import pyarrow as pa

from clustering_platform.opinions.patterns import read_group_counts
from clustering_platform.opinions.space import read_places
from clustering_platform.opinions.statistics import Counts, Floats, proportion
from clustering_platform.tables import TABLES, conform

META_PRIORITY = 49.0


def build_item_statistics(voted_items: pa.Table, opinion_space: pa.Table, voting_patterns: pa.Table) -> pa.Table:
    """Return the table `item_statistics`: the voted items in the order of the matrix.

    Priorities count the votes of grouped voters or, where there are no groups, those of all voters.
    """
    _, counts = read_group_counts(voting_patterns, voted_items)
    extremity = np.hypot(*read_places(opinion_space, "item")[1].T)
    votes = {name: voted_items[name].to_numpy().astype(np.int64) for name in ("agree", "pass", "disagree", "seen")}
    agree, passed, seen = votes["agree"], votes["pass"], votes["seen"]
    has_groups = len(counts) > 0
    if has_groups:
        _, passed, agree = counts.sum(axis=0).T
        seen = counts.sum(axis=(0, 2))
    is_meta = voted_items["is_meta"].to_numpy()
    scores = np.where(is_meta, META_PRIORITY, priority(agree, passed, seen, extremity))
    consensus = group_aware_consensus(counts[..., 2], counts.sum(axis=-1))
    table = voted_items.select(["item_id", "is_moderated_out", "is_meta", *votes])
    for name, column in {
        "group_aware_consensus": pa.array(consensus, mask=np.full(consensus.size, not has_groups)),
        "extremity": pa.array(extremity),
        "priority": pa.array(scores),
    }.items():
        table = table.append_column(name, column)
    return conform(table, TABLES["item_statistics"])


def group_aware_consensus(agree: Counts, seen: Counts) -> Floats:
    """Return the product over groups of (agree + 1) / (seen + 2): float64[items] from two int64[groups, items]."""
    product: Floats = proportion(agree, seen).prod(axis=0)
    return product


def priority(agree: Counts, passed: Counts, seen: Counts, extremity: Floats) -> Floats:
    """Return how useful the next vote on each item would be: float64[items].

    ``(importance * (1 + 8 * 2^(-seen / 5)))^2`` with ``importance = (1 - pass share) (extremity + 1) (agree share)``,
    the shares with one vote added to two: items that are agreed with, that divide, and that few have seen come first.
    """
    importance = (1 - proportion(passed, seen)) * (extremity + 1) * proportion(agree, seen)
    scores: Floats = np.square(importance * (1 + 8 * np.exp2(-seen / 5)))
    return scores
