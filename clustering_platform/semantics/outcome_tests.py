"""Whether outcomes depend on topics at all: the tables `outcome_tests` and `outcome_similarity`.

Single topics belong in ``topic_outcomes``. The formulas stand in ``docs/outcomes.md``.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.semantics.contingency import Floats, cramers_v, independence_test, occupied, wilson
from clustering_platform.semantics.outcome_items import Observed, cross_table, read_observed
from clustering_platform.tables import TABLES, conform

CAVEAT = (
    "The topics were found in the same items: where the outcome could have shaped what they say, "
    "find them in some items and test on others."
)
_ONE_SIDED = "Not tested: there is but one topic, or one label."
_SAME_SIMILARITY = "Not tested: there is but one label, or all items are equally similar to their topic."
_FIFTHS = 5
_EXACT_UP_TO = 100
"""Items; of more, the distribution of U is taken for normal."""


def build_outcome_tests(
    topic_tree: pa.Table, item_topics: pa.Table, outcomes: pa.Table, *, seed: int = 0
) -> tuple[pa.Table, pa.Table]:
    """Return the tables `outcome_tests` and `outcome_similarity`.

    A test for each depth of the tree, cut there: items whose topic lies higher count with that topic. Errors are
    tested where they are known, all labels where they say more. Then one test of the similarity for each of the two.
    """
    contracts = TABLES["outcome_tests"], TABLES["outcome_similarity"]
    observed = read_observed(topic_tree, item_topics, outcomes)
    if not observed.labels.size:
        return contracts[0].empty(), contracts[1].empty()
    rows = [row for depth in range(1, observed.deepest + 1) for row in _of_topics(observed, depth, seed=seed)]
    rows += _of_similarity(observed)
    return conform(pa.Table.from_pylist(rows, contracts[0].schema()), contracts[0]), _fifths(observed)


def _families(observed: Observed) -> Iterator[tuple[str, NDArray[np.int64], int]]:
    """Yield what is to be tested: its name, the column of each item, the number of columns."""
    if observed.errors is not None:
        yield "error", observed.errors.astype(np.int64), 2
    if observed.tells_labels:
        yield "label", observed.labels, len(observed.names)


def _of_topics(observed: Observed, depth: int, *, seed: int) -> Iterator[dict[str, Any]]:
    topics = np.unique(observed.paths.at(depth), return_inverse=True)[1]
    for family, columns, n_columns in _families(observed):
        counts = occupied(cross_table(topics, columns, (int(topics.max()) + 1, n_columns)))
        tested = independence_test(counts, seed=seed)
        row = {
            "question": "topic",
            "family": family,
            "depth": depth,
            "items": columns.size,
            "topics": counts.shape[0],
            "labels": counts.shape[1],
            "note": CAVEAT if tested else _ONE_SIDED,
        }
        if tested:
            row |= tested._asdict() | {"cramers_v": cramers_v(counts, tested.statistic), "draws": tested.draws or None}
        yield row


def _of_similarity(observed: Observed) -> Iterator[dict[str, Any]]:
    for family, columns, _ in _families(observed):
        n_labels = np.unique(columns).size
        is_testable = n_labels > 1 and np.ptp(observed.similarity) > 0
        row = {
            "question": "similarity",
            "family": family,
            "items": columns.size,
            "labels": n_labels,
            "note": CAVEAT if is_testable else _SAME_SIMILARITY,
        }
        if is_testable:
            errors = observed.errors if family == "error" else None
            row |= _ranked(observed.similarity, columns) if errors is None else _of_errors(observed.similarity, errors)
        yield row


def _of_errors(similarity: Floats, errors: NDArray[np.bool_]) -> dict[str, Any]:
    """Return Mann and Whitney's test, AUC = U / (errors * others) and the point-biserial correlation."""
    from scipy.stats import mannwhitneyu

    method = "auto" if errors.size <= _EXACT_UP_TO else "asymptotic"
    found = mannwhitneyu(similarity[~errors], similarity[errors], method=method)
    return {
        "test": "mann_whitney",
        "statistic": float(found.statistic),
        "p_value": min(float(found.pvalue), 1.0),
        "auc": float(found.statistic) / (int(errors.sum()) * int((~errors).sum())),
        "correlation": float(np.corrcoef(similarity, errors)[0, 1].clip(-1, 1)),
    }


def _ranked(similarity: Floats, labels: NDArray[np.int64]) -> dict[str, Any]:
    from scipy.stats import kruskal

    groups = [similarity[labels == label] for label in np.unique(labels)]
    found = kruskal(*groups)
    return {
        "test": "kruskal_wallis",
        "statistic": float(found.statistic),
        "degrees_of_freedom": len(groups) - 1,
        "p_value": float(found.pvalue),
    }


def _fifths(observed: Observed) -> pa.Table:
    """Return the table `outcome_similarity`; empty where it is not known what is an error."""
    contract = TABLES["outcome_similarity"]
    if observed.errors is None:
        return contract.empty()
    similarity = observed.similarity
    bounds = np.quantile(similarity, np.arange(1, _FIFTHS) / _FIFTHS, method="inverted_cdf")
    fifths = np.searchsorted(bounds, similarity, side="left")
    items = np.bincount(fifths, minlength=_FIFTHS)
    errors = np.bincount(fifths[observed.errors], minlength=_FIFTHS)
    used = np.flatnonzero(items)
    items, errors = items[used], errors[used]
    low, high = wilson(errors, items)
    table = {
        "quintile": used + 1,
        "lowest": [similarity[fifths == fifth].min() for fifth in used],
        "highest": [similarity[fifths == fifth].max() for fifth in used],
        "items": items,
        "errors": errors,
        "error_rate": errors / items,
        "error_rate_low": low,
        "error_rate_high": high,
    }
    return conform(pa.table(table), contract)
