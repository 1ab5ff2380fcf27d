"""How far groups lie apart, in figures that days can be compared by."""

import numpy as np
from numpy.typing import NDArray

from clustering_platform.opinions.statistics import Counts, Floats

TWO_CAMPS = 5 / 9
"""Sarle's coefficient of an even spread; above it there may be two camps."""
_FEWEST = 4


def divergence(counts: Counts) -> float | None:
    """Return how much votes tell of groups: sum over items of n I(vote; group), over that of n H(group).

    On each item, n grouped voters voted; I is the mutual information of vote and group among them, the generalised
    Jensen-Shannon divergence of the groups' votes (J. Lin, "Divergence Measures Based on the Shannon Entropy", 1991),
    less the bias of small numbers, (groups - 1)(votes - 1) / 2n with the groups and kinds of votes that occur
    (G. Miller, "Note on the Bias of Information Estimates", 1955); H(group) is the entropy of their groups. 0, which it
    is at least, where groups vote alike, 1 where every vote tells the group.

    Parameters
    ----------
    counts : int64[groups, items, 3]
        How many disagreed, passed and agreed.

    Returns
    -------
    float or None
        None where there are no two groups with votes on one item.
    """
    seen = counts.sum(axis=(0, 2))
    of_groups, of_votes = counts.sum(axis=2).T, counts.sum(axis=0)
    entropy = _entropy(of_groups)
    both = np.moveaxis(counts, 0, 1).reshape(seen.size, 3 * len(counts))
    information = entropy + _entropy(of_votes) - _entropy(both)
    degrees = ((of_groups > 0).sum(axis=1) - 1) * ((of_votes > 0).sum(axis=1) - 1)
    bias = degrees / (2 * np.maximum(seen, 1))
    whole = float((seen * entropy).sum())
    if whole <= 0:
        return None
    return float(np.clip((seen * (information - bias)).sum() / whole, 0, 1))


def bimodality(values: Floats) -> float | None:
    """Return Sarle's coefficient: (g^2 + 1) / (k + 3 (n - 1)^2 / ((n - 2)(n - 3))).

    g is the skewness and k the excess kurtosis of the sample, both corrected for its size. 1 for two points, 5/9 for an
    even spread, 1/3 for a normal distribution. Source: SAS/STAT, procedure CLUSTER; R. Pfister and others, "Good things
    peak in pairs", 2013.

    Returns
    -------
    float or None
        None for fewer than four values, or equal ones.
    """
    n = values.size
    if n < _FEWEST or np.ptp(values) == 0:
        return None
    centred = values - values.mean()
    m2, m3, m4 = (float(np.mean(centred**power)) for power in (2, 3, 4))
    if m2 == 0:
        return None
    skewness = m3 / m2**1.5 * np.sqrt(n * (n - 1)) / (n - 2)
    kurtosis = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (m4 / m2**2 - 3) + 6)
    return float(np.clip((skewness**2 + 1) / (kurtosis + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))), 0, 1))


def separation(places: Floats, groups: NDArray[np.integer]) -> float | None:
    """Return the share of the variance of places that lies between groups (eta squared); None where nothing varies.

    Parameters
    ----------
    places : float64[voters, 2]
    groups : int[voters]
        The group of each, from 0.
    """
    if not len(places):
        return None
    centred = places - places.mean(axis=0)
    whole = float((centred**2).sum())
    sizes = np.bincount(groups)
    sums = np.stack([np.bincount(groups, axis) for axis in centred.T], axis=1)
    between = float((sums**2 / np.maximum(sizes, 1)[:, None]).sum())
    return min(between / whole, 1.0) if whole > 0 else None


def _entropy(counts: NDArray[np.integer]) -> Floats:
    """Return the entropy, in nats, of each row of counts; 0 for an empty one."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropy: Floats = -(shares * logs).sum(axis=1)
    return entropy
