"""Each topic against all items outside of it: the tables `topic_outcomes` and `topic_outcome_labels`.

Questions about the whole tree belong in ``outcome_tests``. The formulas stand in ``docs/outcomes.md``.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.semantics.contingency import (
    Counts,
    Floats,
    Independence,
    benjamini_hochberg,
    cramers_v,
    expected,
    independence_test,
    two_by_two,
    wilson,
)
from clustering_platform.semantics.outcome_items import Observed, cross_table, read_observed
from clustering_platform.tables import TABLES, conform

SIGNIFICANT = 0.05
_NO_OUTSIDE = "no item outside of it has an outcome"
_ALL_ERRORS, _NO_ERRORS, _ONE_LABEL = "all items are errors", "no item is an error", "all items have the same label"


def build_topic_outcomes(
    topic_tree: pa.Table, item_topics: pa.Table, outcomes: pa.Table, *, seed: int = 0
) -> tuple[pa.Table, pa.Table]:
    """Return the tables `topic_outcomes` and `topic_outcome_labels`, topics in the order of the tree.

    Topics without outcomes are left out. Only items with both an outcome and a topic count.
    """
    contracts = TABLES["topic_outcomes"], TABLES["topic_outcome_labels"]
    observed = read_observed(topic_tree, item_topics, outcomes)
    if not observed.labels.size:
        return contracts[0].empty(), contracts[1].empty()
    members = observed.paths.items
    shape = topic_tree.num_rows, len(observed.names)
    inside = cross_table(observed.paths.topics, observed.labels[members], shape)
    rows = np.flatnonzero(inside.any(axis=1))
    inside, whole = inside[rows], np.bincount(observed.labels, minlength=shape[1])
    topics = topic_tree.select(["topic_id", "depth"]).take(pa.array(rows))
    depths = topics["depth"].to_numpy()
    trials = inside.sum(axis=1)
    columns: dict[str, Any] = dict.fromkeys(column.name for column in contracts[0].columns)
    columns |= {"topic_id": topics["topic_id"], "depth": depths, "items_with_outcome": trials}
    columns |= {"is_worse": np.zeros(rows.size, np.bool_), "is_better": np.zeros(rows.size, np.bool_)}
    columns["note"] = _notes(observed, trials, whole)
    if observed.errors is not None:
        errors = np.bincount(observed.paths.topics[observed.errors[members]], minlength=topic_tree.num_rows)[rows]
        columns |= _errors(errors, trials, depths, all_errors=int(observed.errors.sum()), total=observed.errors.size)
    if observed.tells_labels:
        columns |= _labels(inside, whole, depths, seed=seed)
    return _filled(columns, rows.size), _label_table(topics, inside, whole, observed.names)


def _errors(
    errors: Counts, trials: Counts, depths: NDArray[np.int32], *, all_errors: int, total: int
) -> dict[str, Any]:
    """Return the columns that compare the error rates of topics with those of all other items."""
    low, high = wilson(errors, trials)
    rate, elsewhere = errors / trials, _share_elsewhere(all_errors - errors, total - trials)
    phi, odds_ratio = two_by_two(errors, trials, all_errors, total)
    tests = [
        independence_test(np.array([[one, size - one], [all_errors - one, total - all_errors - size + one]]))
        for one, size in zip(errors.tolist(), trials.tolist(), strict=True)
    ]
    p_values = _p_values(tests)
    q_values = _by_depth(p_values, depths)
    is_significant = q_values < SIGNIFICANT
    difference = rate - elsewhere
    return {
        "errors": errors,
        "error_rate": rate,
        "error_rate_low": low,
        "error_rate_high": high,
        "rate_elsewhere": _nullable(elsewhere),
        "difference": _nullable(difference),
        "odds_ratio": pa.array(odds_ratio, mask=np.isnan(elsewhere)),
        "phi": _nullable(phi),
        "test": [tested and tested.test for tested in tests],
        "p_value": _nullable(p_values),
        "q_value": _nullable(q_values),
        "is_worse": is_significant & (difference > 0),
        "is_better": is_significant & (difference < 0),
        "rank": _ranks(phi, depths),
    }


def _labels(inside: Counts, whole: Counts, depths: NDArray[np.int32], *, seed: int) -> dict[str, Any]:
    """Return the columns that compare the labels of topics with those of all other items."""
    tables = [np.stack([one, whole - one]) for one in inside]
    tests = [independence_test(table, seed=seed) for table in tables]
    p_values = _p_values(tests)
    strengths = [
        cramers_v(table, tested.statistic) if tested else None for table, tested in zip(tables, tests, strict=True)
    ]
    return {
        "label_test": [tested and tested.test for tested in tests],
        "label_p_value": _nullable(p_values),
        "label_q_value": _nullable(_by_depth(p_values, depths)),
        "label_v": strengths,
    }


def _label_table(topics: pa.Table, inside: Counts, whole: Counts, names: list[str]) -> pa.Table:
    trials = inside.sum(axis=1)
    tables = np.stack([inside, whole - inside], axis=1)
    means = expected(tables)[:, 0]
    total = whole.sum()
    spread = np.sqrt(means * (1 - trials / total)[:, np.newaxis] * (1 - whole / total))
    residual = np.divide(inside - means, spread, out=np.full(means.shape, np.nan), where=spread > 0)
    elsewhere = _share_elsewhere(whole - inside, np.broadcast_to((total - trials)[:, np.newaxis], inside.shape))
    rows, labels = np.nonzero(inside)
    items = inside[rows, labels]
    low, high = wilson(items, trials[rows])
    table = {
        "topic_id": topics["topic_id"].take(pa.array(rows)),
        "depth": topics["depth"].take(pa.array(rows)),
        "label": pa.array(names, pa.string()).take(pa.array(labels)),
        "items": items,
        "share": items / trials[rows],
        "share_low": low,
        "share_high": high,
        "share_elsewhere": _nullable(elsewhere[rows, labels]),
        "residual": _nullable(residual[rows, labels]),
    }
    return conform(pa.table(table), TABLES["topic_outcome_labels"])


def _share_elsewhere(counts: Counts, trials: Counts) -> Floats:
    shares: Floats = np.divide(counts, trials, out=np.full(counts.shape, np.nan), where=trials > 0)
    return shares


def _p_values(tests: list[Independence | None]) -> Floats:
    return np.array([tested.p_value if tested else np.nan for tested in tests], np.float64)


def _by_depth(p_values: Floats, depths: NDArray[np.int32]) -> Floats:
    """Return p values corrected for the number of topics of the same depth."""
    q_values = np.full(p_values.size, np.nan)
    for depth in np.unique(depths):
        q_values[depths == depth] = benjamini_hochberg(p_values[depths == depth])
    return q_values


def _ranks(phi: Floats, depths: NDArray[np.int32]) -> pa.Array:
    """Return the place of each topic among those of its depth, the largest phi first; null where there is none."""
    ranks = np.zeros(phi.size, np.int32)
    order = np.lexsort((np.arange(phi.size), -phi, depths))
    starts = np.searchsorted(depths[order], depths[order])
    ranks[order] = np.arange(phi.size) - starts + 1
    return pa.array(ranks, mask=np.isnan(phi))


def _notes(observed: Observed, trials: Counts, whole: Counts) -> list[str | None]:
    """Return why topics are not tested, None where they are."""
    errors = observed.errors
    same = None
    if errors is None:
        same = _ONE_LABEL if np.count_nonzero(whole) < 2 else None
    elif errors.all() or not errors.any():
        same = _ALL_ERRORS if errors.any() else _NO_ERRORS
    return [_NO_OUTSIDE if size == observed.labels.size else same for size in trials.tolist()]


def _nullable(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _filled(columns: dict[str, Any], rows: int) -> pa.Table:
    """Return the table `topic_outcomes`; what was not found is null."""
    contract = TABLES["topic_outcomes"]
    types = contract.schema()
    filled = {
        name: pa.nulls(rows, types.field(name).type) if values is None else values for name, values in columns.items()
    }
    typed = {name: pa.array(v, types.field(name).type) if isinstance(v, list) else v for name, v in filled.items()}
    return conform(pa.table(typed), contract)
