"""How opinion groups voted on topics, which topics divide the groups and which unite them.

The formulas stand in ``docs/outcomes.md``.
"""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.opinions.patterns import read_group_counts
from clustering_platform.opinions.statistics import Counts, Floats, proportion
from clustering_platform.tables import TABLES, conform

FEWEST_ITEMS = 3
"""A topic has to have this many compared items to get a rank: with one or two, it is the item that divides."""
_DISAGREE, _PASS, _AGREE = range(3)


class _Topics(NamedTuple):
    """Topics with voted items: ids and depths, and entries, one for each topic that an item is in.

    `topics` int64[entries] are places of topics, `items` int64[entries] places of items among the voted ones.
    """

    ids: pa.Array
    depths: NDArray[np.int64]
    topics: NDArray[np.int64]
    items: NDArray[np.int64]


class _Compared(NamedTuple):
    """How groups differ on each item: all float64[items], nan where fewer than two groups voted on it.

    `divisiveness`, the largest less the smallest share of agreement of a group; `unity`, the share of agreement, or
    of disagreement, of the group where it is smallest; `is_shared` 1 where all groups lean the same way, else 0.
    """

    divisiveness: Floats
    unity: Floats
    is_shared: Floats


def build_topic_opinions(
    voting_patterns: pa.Table, voted_items: pa.Table, item_topics: pa.Table | None
) -> tuple[pa.Table, pa.Table]:
    """Return the tables `topic_opinions` and `topic_divisions`, topics by depth.

    Votes are those of grouped voters. Items that are moderated out do not count.

    Parameters
    ----------
    item_topics
        The topics of items; None where there are none yet, and both tables are empty, as they are without groups.
    """
    contracts = TABLES["topic_opinions"], TABLES["topic_divisions"]
    if item_topics is None:
        return contracts[0].empty(), contracts[1].empty()
    groups, counts = read_group_counts(voting_patterns, voted_items)
    topics = _read_topics(item_topics, voted_items, is_counted=counts.sum(axis=(0, 2)) > 0)
    if not groups.size or not len(topics.ids):
        return contracts[0].empty(), contracts[1].empty()
    sums = _sums(counts, topics)
    compared = compare_groups(counts)
    return _opinions(groups, counts, sums, topics), _divisions(sums, compared, topics, voted_items)


def compare_groups(counts: Counts) -> _Compared:
    """Compare groups on each item, from int64[groups, items, 3]; groups that did not vote on it are left out.

    Shares have one vote added to two, (n + 1) / (N + 2). A group leans to the side that more of it took.
    """
    seen = counts.sum(axis=-1)
    has_voted = seen > 0
    agree, disagree = (proportion(counts[..., side], seen) for side in (_AGREE, _DISAGREE))
    highest, lowest = _extremes(agree, has_voted)
    lowest_disagree = _extremes(disagree, has_voted)[1]
    lean = np.sign(counts[..., _AGREE] - counts[..., _DISAGREE])
    is_shared = (np.where(has_voted, lean, 1) == 1).all(axis=0) | (np.where(has_voted, lean, -1) == -1).all(axis=0)
    is_alone = has_voted.sum(axis=0) < 2
    figures = (highest - lowest, np.maximum(lowest, lowest_disagree), is_shared.astype(np.float64))
    return _Compared(*(np.where(is_alone, np.nan, figure) for figure in figures))


def _extremes(shares: Floats, has_voted: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the largest and the smallest share of the groups that voted: float64[items] twice."""
    largest = np.where(has_voted, shares, -np.inf).max(axis=0, initial=-np.inf)
    smallest = np.where(has_voted, shares, np.inf).min(axis=0, initial=np.inf)
    return largest, smallest


def _read_topics(item_topics: pa.Table, voted_items: pa.Table, *, is_counted: NDArray[np.bool_]) -> _Topics:
    """Return the topics of the voted items, the root first, and within a depth in order of the first item."""
    is_counted = is_counted & ~voted_items["is_moderated_out"].to_numpy()
    places = pc.index_in(item_topics["item_id"], value_set=voted_items["item_id"].combine_chunks())
    is_used = pc.is_in(places, value_set=pa.array(np.flatnonzero(is_counted), places.type))
    paths = item_topics["path"].filter(is_used).combine_chunks()
    rows = pc.list_parent_indices(paths).to_numpy()
    lengths = pc.list_value_length(paths).to_numpy()
    starts = np.cumsum(lengths) - lengths
    encoded = paths.flatten().dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    depths = np.zeros(len(encoded.dictionary), np.int64)
    depths[codes] = np.arange(codes.size) - starts[rows]
    order = np.argsort(depths, kind="stable")
    topics = np.argsort(order, kind="stable")[codes]
    items = places.filter(is_used).to_numpy().astype(np.int64)
    return _Topics(encoded.dictionary.take(pa.array(order)), depths[order], topics, items[rows])


def _sums(counts: Counts, topics: _Topics) -> Counts:
    """Return the votes of groups on the items of each topic: int64[topics, groups, 3]."""
    n_topics = len(topics.ids)
    flat = counts.transpose(1, 0, 2).reshape(counts.shape[1], -1)[topics.items]
    sums = [np.bincount(topics.topics, column, n_topics) for column in flat.T]
    return np.rint(np.stack(sums, axis=1)).astype(np.int64).reshape(n_topics, len(counts), 3)


def _opinions(groups: NDArray[np.int32], counts: Counts, sums: Counts, topics: _Topics) -> pa.Table:
    n_topics, n_groups = sums.shape[:2]
    votes, seen = sums.reshape(-1, 3), sums.sum(axis=-1).ravel()
    is_seen = (counts.sum(axis=-1) > 0).T[topics.items]
    items = np.stack([np.bincount(topics.topics, column, n_topics) for column in is_seen.T], axis=1)
    table = {
        "topic_id": topics.ids.take(pa.array(np.repeat(np.arange(n_topics), n_groups))),
        "depth": np.repeat(topics.depths, n_groups),
        "group_id": np.tile(groups, n_topics),
        "items": items.ravel(),
        **_votes(votes),
        "agree_share": pa.array(proportion(votes[:, _AGREE], seen), mask=seen == 0),
        "disagree_share": pa.array(proportion(votes[:, _DISAGREE], seen), mask=seen == 0),
    }
    return conform(pa.table(table), TABLES["topic_opinions"])


def _votes(votes: Counts) -> dict[str, NDArray[np.int64]]:
    """Return counts of votes, int64[rows, 3], as columns."""
    names = {"agree": _AGREE, "pass": _PASS, "disagree": _DISAGREE}
    return {name: votes[:, side] for name, side in names.items()} | {"seen": votes.sum(axis=-1)}


def _divisions(sums: Counts, compared: _Compared, topics: _Topics, voted_items: pa.Table) -> pa.Table:
    n_topics = len(topics.ids)
    votes = sums.sum(axis=1)
    is_compared = ~np.isnan(compared.divisiveness[topics.items])
    owners, items = topics.topics[is_compared], topics.items[is_compared]
    n_compared = np.bincount(owners, minlength=n_topics)
    none, is_few = n_compared == 0, n_compared < FEWEST_ITEMS
    means = [np.bincount(owners, figure[items], n_topics) / np.maximum(n_compared, 1) for figure in compared]
    divisiveness, unity, is_shared = (mean.clip(0, 1) for mean in means)
    ids = voted_items["item_id"].combine_chunks()
    table: dict[str, Any] = {
        "topic_id": topics.ids,
        "depth": topics.depths,
        "items": np.bincount(topics.topics, minlength=n_topics),
        "compared_items": n_compared,
        **_votes(votes),
        "agree_share": proportion(votes[:, _AGREE], votes.sum(axis=-1)),
        "divisiveness": pa.array(divisiveness, mask=none),
        "unity": pa.array(unity, mask=none),
        "consensus": pa.array(is_shared, mask=none),
        "divides_rank": pa.array(_ranks(divisiveness, topics.depths, is_few), mask=is_few),
        "unites_rank": pa.array(_ranks(unity, topics.depths, is_few), mask=is_few),
        "most_dividing_item_id": ids.take(_firsts(owners, items, compared.divisiveness, n_topics)),
        "most_uniting_item_id": ids.take(_firsts(owners, items, compared.unity, n_topics)),
    }
    return conform(pa.table(table), TABLES["topic_divisions"])


def _ranks(figures: Floats, depths: NDArray[np.int64], is_out: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the place of each topic among those of its depth, from 1, the largest first; those out come last."""
    order = np.lexsort((np.arange(figures.size), -figures, is_out, depths))
    ranks = np.zeros(figures.size, np.int64)
    ranks[order] = np.arange(figures.size) - np.searchsorted(depths[order], depths[order]) + 1
    return ranks


def _firsts(owners: NDArray[np.int64], items: NDArray[np.int64], figures: Floats, n_topics: int) -> pa.Array:
    """Return for each topic the item with the largest figure, null where it has none."""
    order = np.lexsort((items, -figures[items], owners))
    found, first = np.unique(owners[order], return_index=True)
    chosen = np.zeros(n_topics, np.int64)
    chosen[found] = items[order][first]
    return pa.array(chosen, mask=np.bincount(owners, minlength=n_topics) == 0)
