"""Turning the map of a day to match the day before, so that pictures do not flip."""

import numpy as np

from clustering_platform.opinions.statistics import Floats

UNTURNED = np.eye(2)


def turn_between(places: Floats, earlier: Floats) -> tuple[Floats, float | None]:
    """Return the turn or reflection that brings places nearest to earlier ones, and how alike they then are.

    The orthogonal matrix R with the least sum of squares of places @ R - earlier (P. Schönemann, "A generalized
    solution of the orthogonal Procrustes problem", 1966): no shift, as the middle of the map is the mean vote, and no
    stretching.

    Parameters
    ----------
    places, earlier : float64[voters, 2]
        The same voters on two maps.

    Returns
    -------
    turn : float64[2, 2]
    similarity : float or None
        Sum of the singular values of placesᵀ earlier, over the product of the norms: 1 for the same shape in any size,
        None where there is nothing to compare.
    """
    norms = np.linalg.norm(places) * np.linalg.norm(earlier)
    if norms == 0:
        return UNTURNED, None
    left, strengths, right = np.linalg.svd(places.T @ earlier)
    return np.clip(left @ right, -1, 1), float(min(strengths.sum() / norms, 1.0))
