"""Statistics of counts: intervals, tests of independence, strength of association, corrections for many tests.

What is counted belongs in the modules that build tables.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

FEWEST_EXPECTED = 5
"""Chi-squared is an approximation that needs this many expected in every cell (Cochran 1954)."""
DRAWS = 2_000
_CELLS_AT_ONCE = 2_000_000
_TIES = 1 - 1e-9
_Z = 1.959963984540054


class Independence(NamedTuple):
    """A test of independence of the rows and columns of a table; `draws` is 0 but for permutation tests."""

    test: str
    statistic: float
    degrees_of_freedom: int
    p_value: float
    smallest_expected: float
    draws: int = 0


def wilson(successes: Counts, trials: Counts) -> tuple[Floats, Floats]:
    """Return the 95 % interval of proportions, each of at least one trial: float64[n] twice. Source: Wilson 1927."""
    share = successes / trials
    middle = share + _Z**2 / (2 * trials)
    half = _Z * np.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    scale = 1 + _Z**2 / trials
    low, high = (middle - half) / scale, (middle + half) / scale
    return np.where(successes == 0, 0.0, low.clip(0, 1)), np.where(successes == trials, 1.0, high.clip(0, 1))


def expected(counts: Counts) -> Floats:
    """Return the counts to be expected under independence: row sum * column sum / sum, float64[..., rows, columns]."""
    total = counts.sum(axis=(-2, -1), keepdims=True)
    product: Floats = counts.sum(axis=-1, keepdims=True) * counts.sum(axis=-2, keepdims=True) / total
    return product


def occupied(counts: Counts) -> Counts:
    """Return a table without rows and columns of zeros."""
    return counts[counts.any(axis=1)][:, counts.any(axis=0)]


def independence_test(counts: Counts, *, draws: int = DRAWS, seed: int = 0) -> Independence | None:
    """Test whether rows and columns of a table are independent; None if that cannot be asked, of one row or column.

    By chi-squared where every expected count is at least 5; else a table of two by two by Fisher's exact test, and a
    larger one by drawing tables with the same sums at random, p = (1 + tables that are as far off) / (1 + draws).
    The order of rows and columns makes no difference.

    Parameters
    ----------
    counts : int64[rows, columns]
    """
    counts = occupied(counts)
    if min(counts.shape) < 2:
        return None
    from scipy.special import chdtrc
    from scipy.stats import fisher_exact

    means = expected(counts)
    smallest = float(means.min())
    statistic = float((np.square(counts - means) / means).sum())
    freedom = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    if smallest >= FEWEST_EXPECTED:
        return Independence("chi2", statistic, freedom, float(chdtrc(freedom, statistic)), smallest)
    if counts.shape == (2, 2):
        return Independence("fisher", statistic, freedom, min(float(fisher_exact(counts)[1]), 1.0), smallest)
    p_value = _permuted(counts, statistic, draws=draws, seed=seed)
    return Independence("permutation", statistic, freedom, p_value, smallest, draws)


def _permuted(counts: Counts, statistic: float, *, draws: int, seed: int) -> float:
    from scipy.stats import random_table

    rows, columns = (-np.sort(-counts.sum(axis=axis)) for axis in (1, 0))
    rng, law = np.random.default_rng(seed), random_table(rows, columns)
    weights = 1 / (rows[:, np.newaxis] * columns / rows.sum())
    least = _TIES * (statistic + rows.sum())  # the sum of n^2 / expected, of which chi-squared is all but the total
    batch = max(1, _CELLS_AT_ONCE // counts.size)
    as_far = 0
    for start in range(0, draws, batch):
        drawn = law.rvs(size=min(batch, draws - start), random_state=rng)
        as_far += int((np.einsum("drc,drc,rc->d", drawn, drawn, weights) >= least).sum())
    return (1 + as_far) / (1 + draws)


def cramers_v(counts: Counts, statistic: float) -> float | None:
    """Return Cramer's V corrected for bias, 0 to 1, given chi-squared; None where there are too few observations.

    phi2 = max(0, chi2 / n - (r - 1)(c - 1) / (n - 1)), r' = r - (r - 1)^2 / (n - 1), c' likewise,
    V = sqrt(phi2 / min(r' - 1, c' - 1)). Source: Bergsma 2013.
    """
    counts = occupied(counts)
    rows, columns, n = *counts.shape, int(counts.sum())
    if min(rows, columns) < 2 or n < 2:
        return None
    excess = max(0.0, statistic / n - (rows - 1) * (columns - 1) / (n - 1))
    most = min(size - 1 - (size - 1) ** 2 / (n - 1) for size in (rows, columns))
    return min(1.0, float(np.sqrt(excess / most))) if most > 0 else None


def two_by_two(successes: Counts, trials: Counts, all_successes: int, all_trials: int) -> tuple[Floats, Floats]:
    """Return phi and odds ratio of parts of a whole against the rest: float64[n] each.

    With a and b the successes and failures of a part, c and d those of the rest: phi = (a d - b c) / sqrt((a + b)
    (c + d) (a + c) (b + d)), nan where a sum is zero; the odds ratio has one half added to each (Haldane, Anscombe).
    """
    a, b = successes.astype(np.float64), (trials - successes).astype(np.float64)
    c, d = all_successes - a, all_trials - all_successes - b
    sums = (a + b) * (c + d) * (a + c) * (b + d)
    phi = np.divide(a * d - b * c, np.sqrt(sums), out=np.full(a.size, np.nan), where=sums > 0)
    ratio = (a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5))
    return phi.clip(-1, 1), ratio


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Return p values corrected for their number, by the false discovery rate; nan stays nan and does not count.

    q of the i-th smallest of m is the smallest of p_j m / j over j >= i. Source: Benjamini and Hochberg 1995.
    """
    q_values = np.full(p_values.size, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(-p_values[tested], kind="stable")]
    places = np.arange(order.size, 0, -1)
    q_values[order] = np.minimum.accumulate(p_values[order] * (order.size / places)).clip(0, 1)
    return q_values
