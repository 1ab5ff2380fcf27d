"""Paired items, an item and its truth, in the tree: the tables `outcome_flows` and `outcome_pairs`.

The formulas stand in ``docs/outcomes.md``.
"""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.semantics.contingency import independence_test, wilson
from clustering_platform.semantics.outcome_items import Numbers, cross_table, read_paths
from clustering_platform.tables import TABLES, conform


class _Pairs(NamedTuple):
    """Rows of `item_topics` of the two items of each pair, and which of the first are errors, None if unknown."""

    items: Numbers
    truths: Numbers
    errors: NDArray[np.bool_] | None


def build_outcome_flows(topic_tree: pa.Table, item_topics: pa.Table, outcomes: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return the tables `outcome_flows` and `outcome_pairs`, a part for each depth of the tree, cut there.

    Only pairs of which both items have a topic count.
    """
    contracts = TABLES["outcome_flows"], TABLES["outcome_pairs"]
    pairs = _read_pairs(item_topics, outcomes)
    if not pairs.items.size:
        return contracts[0].empty(), contracts[1].empty()
    paths = read_paths(topic_tree, item_topics)
    ids = topic_tree["topic_id"].combine_chunks()
    flows, rows = [], []
    for depth in range(1, int(pc.max(topic_tree["depth"]).as_py()) + 1):
        topics = paths.at(depth)
        start, end = topics[pairs.items], topics[pairs.truths]
        flows.append(_flows(start, end, ids, depth))
        rows.append({"depth": depth} | _differences(start, end, pairs.errors, topics=len(ids)))
    table = pa.concat_tables([contracts[0].empty(), *flows])
    return table, conform(pa.Table.from_pylist(rows, contracts[1].schema()), contracts[1])


def _read_pairs(item_topics: pa.Table, outcomes: pa.Table) -> _Pairs:
    ids = item_topics["item_id"].combine_chunks()
    ends = [pc.index_in(outcomes[name], value_set=ids, skip_nulls=True) for name in ("item_id", "paired_item_id")]
    is_whole = pc.and_(pc.is_valid(ends[0]), pc.is_valid(ends[1]))
    items, truths = (end.filter(is_whole).to_numpy().astype(np.int64) for end in ends)
    errors = outcomes["is_error"].filter(is_whole)
    return _Pairs(items, truths, None if errors.null_count else errors.to_numpy().astype(np.bool_))


def _flows(start: Numbers, end: Numbers, ids: pa.Array, depth: int) -> pa.Table:
    """Return the flows at one depth, the largest first."""
    n = len(ids)
    codes, pairs = np.unique(start * n + end, return_counts=True)
    order = np.lexsort((codes, -pairs))
    (sources, targets), pairs = np.divmod(codes[order], n), pairs[order]
    from_all, to_all = np.bincount(start, minlength=n), np.bincount(end, minlength=n)
    table = {
        "depth": np.full(codes.size, depth, np.int32),
        "from_topic_id": ids.take(pa.array(sources)),
        "to_topic_id": ids.take(pa.array(targets)),
        "pairs": pairs,
        "share": pairs / start.size,
        "share_of_from": pairs / from_all[sources],
        "expected": from_all[sources] * to_all[targets] / start.size,
    }
    return conform(pa.table(table), TABLES["outcome_flows"])


def _differences(start: Numbers, end: Numbers, errors: NDArray[np.bool_] | None, *, topics: int) -> dict[str, Any]:
    """Return how often the two items of a pair are in different topics, and as often by chance."""
    is_different = start != end
    different, total = int(is_different.sum()), start.size
    low, high = wilson(np.array([different]), np.array([total]))
    shares = [np.bincount(places, minlength=topics) / total for places in (start, end)]
    by_chance = max(0.0, 1 - float(shares[0] @ shares[1]))
    row = {
        "pairs": total,
        "different": different,
        "different_share": different / total,
        "different_low": float(low[0]),
        "different_high": float(high[0]),
        "expected_share": by_chance,
        "kappa": 1 - different / total / by_chance if by_chance > 1e-12 else None,
    }
    return row | ({} if errors is None else _by_error(is_different, errors))


def _by_error(is_different: NDArray[np.bool_], errors: NDArray[np.bool_]) -> dict[str, float | None]:
    """Return the share of different topics among errors and among others, and whether the two differ."""
    shares = [float(is_different[one].mean()) if one.any() else None for one in (errors, ~errors)]
    tested = independence_test(cross_table(errors.astype(np.int64), is_different.astype(np.int64), (2, 2)))
    return {
        "errors_different": shares[0],
        "others_different": shares[1],
        "p_value": tested.p_value if tested else None,
    }
