"""Proportions of votes and their z tests. Source of all formulas: Polis, ``stats`` and ``repness``."""

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT = 1.2816
"""A z score above this is significant: 90 %, one-sided."""
FEWEST_VOTES = 5
"""With fewer votes of a group nothing is recommended or called a bridge: Polis's z calls one of one significant."""

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


def proportion(successes: Counts, trials: Counts) -> Floats:
    """Return the proportion of successes with one success and one failure added: (successes + 1) / (trials + 2)."""
    return (successes + 1) / (trials + 2)


def proportion_test(successes: Counts, trials: Counts) -> Floats:
    """Return the z score of a proportion against one half, with one success added: 2 sqrt(n + 1) (p - 1/2)."""
    z: Floats = 2 * np.sqrt(trials + 1) * ((successes + 1) / (trials + 1) - 0.5)
    return z


def two_proportions_test(successes: Counts, trials: Counts, other_successes: Counts, other_trials: Counts) -> Floats:
    """Return the z score of one proportion less another, with one success added to each.

    (p1 - p2) / sqrt(q (1 - q) (1/n1 + 1/n2)), q the proportion of both together; 0 where all are successes.
    """
    n1, n2 = trials + 1, other_trials + 1
    x1, x2 = successes + 1, other_successes + 1
    pooled = (x1 + x2) / (n1 + n2)
    variance = pooled * (1 - pooled) * (1 / n1 + 1 / n2)
    difference = x1 / n1 - x2 / n2
    z: Floats = np.divide(difference, np.sqrt(variance), out=np.zeros(difference.shape), where=variance > 0)
    return z
