"""Figures for each item over all groups: how it unites, divides and leaves undecided, and its priority.

Source of all but polarization: Polis, statistics and report. The formulas stand in ``docs/measures.md``.
"""

from itertools import combinations

import numpy as np
import pyarrow as pa

from clustering_platform.opinions.patterns import read_group_counts
from clustering_platform.opinions.space import read_places
from clustering_platform.opinions.statistics import Counts, Floats, proportion
from clustering_platform.tables import TABLES, conform

META_PRIORITY = 49.0
UNCERTAIN = 0.3
"""An item with a larger share of passes is uncertain."""


def build_item_statistics(voted_items: pa.Table, opinion_space: pa.Table, voting_patterns: pa.Table) -> pa.Table:
    """Return the table `item_statistics`: the voted items in the order of the matrix.

    Priorities count the votes of grouped voters or, where there are no groups, those of all voters. Uncertainty and
    polarization count the votes of all voters.
    """
    _, counts = read_group_counts(voting_patterns, voted_items)
    extremity = np.hypot(*read_places(opinion_space, "item")[1].T)
    votes = {name: voted_items[name].to_numpy().astype(np.int64) for name in ("agree", "pass", "disagree", "seen")}
    is_meta = voted_items["is_meta"].to_numpy()
    uncertainty = votes["pass"] / np.maximum(votes["seen"], 1)
    figures = {
        **_over_groups(counts),
        "polarization": polarization(votes["agree"], votes["disagree"], votes["seen"]),
        "uncertainty": uncertainty,
        "is_uncertain": uncertainty > UNCERTAIN,
        "extremity": extremity,
        "priority": np.where(is_meta, META_PRIORITY, _priority(votes, counts, extremity)),
    }
    table = voted_items.select(["item_id", "is_moderated_out", "is_meta", *votes])
    for name, column in figures.items():
        table = table.append_column(name, pa.array(column))
    return conform(table, TABLES["item_statistics"])


def _over_groups(counts: Counts) -> dict[str, pa.Array]:
    """Return what compares groups, from int64[groups, items, 3]; all null where there are no groups."""
    disagree, _, agree = np.moveaxis(counts, -1, 0)
    has_no_groups = np.full(counts.shape[1], len(counts) == 0)
    division = divisiveness(counts)
    return {
        "group_aware_consensus": pa.array(group_aware_consensus(agree, counts.sum(axis=-1)), mask=has_no_groups),
        "normalised_consensus": pa.array(normalised_consensus(agree, disagree), mask=has_no_groups),
        "divisiveness": pa.array(division, mask=np.isnan(division)),
    }


def _priority(votes: dict[str, Counts], counts: Counts, extremity: Floats) -> Floats:
    if len(counts) == 0:
        return priority(votes["agree"], votes["pass"], votes["seen"], extremity)
    _, passed, agree = counts.sum(axis=0).T
    return priority(agree, passed, counts.sum(axis=(0, 2)), extremity)


def group_aware_consensus(agree: Counts, seen: Counts) -> Floats:
    """Return the product over groups of (agree + 1) / (seen + 2): float64[items] from two int64[groups, items]."""
    product: Floats = proportion(agree, seen).prod(axis=0)
    return product


def normalised_consensus(agree: Counts, disagree: Counts) -> Floats:
    """Return the mean over groups of (agree + 1) / (agree + disagree + 2): float64[items], zeros without groups.

    Unlike the product over groups it does not shrink with their number, and passes do not count.
    """
    total: Floats = proportion(agree, agree + disagree).sum(axis=0)
    return total / max(len(agree), 1)


def divisiveness(counts: Counts) -> Floats:
    """Return how much groups differ on each item: float64[items] from int64[groups, items, 3], nan where undefined.

    The difference of two groups is the largest of those in their shares of agree, pass and disagree; the mean is taken
    over the pairs of groups that both voted on the item.
    """
    seen = counts.sum(axis=-1)
    shares = counts / np.maximum(seen, 1)[..., np.newaxis]
    total, pairs = np.zeros(counts.shape[1]), np.zeros(counts.shape[1], np.int64)
    for one, other in combinations(range(len(counts)), 2):
        both = (seen[one] > 0) & (seen[other] > 0)
        total += np.where(both, np.abs(shares[one] - shares[other]).max(axis=-1), 0.0)
        pairs += both
    mean: Floats = np.divide(total, pairs, out=np.full(total.size, np.nan), where=pairs > 0)
    return mean


def polarization(agree: Counts, disagree: Counts, seen: Counts) -> Floats:
    """Return the variance of the votes on each item, agree 1, pass 0 and disagree -1: float64[items], 0 to 1."""
    seen = np.maximum(seen, 1)
    variance: Floats = (agree + disagree) / seen - np.square((agree - disagree) / seen)
    return variance


def priority(agree: Counts, passed: Counts, seen: Counts, extremity: Floats) -> Floats:
    """Return how useful the next vote on each item would be: float64[items].

    ``(importance * (1 + 8 * 2^(-seen / 5)))^2`` with ``importance = (1 - pass share) (extremity + 1) (agree share)``,
    the shares with one vote added to two: items that are agreed with, that divide, and that few have seen come first.
    """
    importance = (1 - proportion(passed, seen)) * (extremity + 1) * proportion(agree, seen)
    scores: Floats = np.square(importance * (1 + 8 * np.exp2(-seen / 5)))
    return scores
