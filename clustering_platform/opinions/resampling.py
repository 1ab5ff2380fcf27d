"""Groups of voters drawn anew: the whole way from votes to groups, once more, with other voters in another order.

How the groups of a resample compare with those of the snapshot belongs in ``stability``.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.base_clusters import most_base_clusters, voter_weights
from clustering_platform.opinions.components import QUICK, item_means, principal_components
from clustering_platform.opinions.grid import gather
from clustering_platform.opinions.groups import try_numbers
from clustering_platform.opinions.kmeans import kmeans, nearest
from clustering_platform.opinions.matrix import VoteMatrix
from clustering_platform.opinions.space import project_voters

GATHERED_ABOVE = 500
"""Above so many voters, base clusters of a resample are formed from the cells of a coarse grid."""
CELLS = 48


class Division(NamedTuple):
    """One division of voters: how many groups, mean silhouette over base clusters, int32 label of each voter."""

    groups: int
    silhouette: float
    labels: NDArray[np.int32]


def draw(n_voters: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw as many voters as there are, with replacement.

    Returns
    -------
    rows : int64[drawn]
        The voters that were drawn, in the order in which they first were.
    times : int64[drawn]
        How often each of them was drawn.
    """
    drawn, first, times = np.unique(rng.integers(0, n_voters, n_voters), return_index=True, return_counts=True)
    order = np.argsort(first)
    return drawn[order], times[order]


def divide_resample(
    matrix: VoteMatrix,
    is_grouped: NDArray[np.bool_],
    *,
    rows: NDArray[np.int64],
    times: NDArray[np.int64],
    largest: int,
    starts: int,
    config: OpinionsConfig,
) -> list[Division]:
    """Form groups from the drawn voters and assign all grouped voters to them.

    Item means, components, base clusters and groups come from the drawn voters, each counted as often as it was
    drawn, as if the resample were the conversation; k-means starts in the order of `rows`. Then every grouped voter,
    drawn or not, is projected with the means and components of the resample and takes the group of the nearest base
    cluster.

    Parameters
    ----------
    matrix
    is_grouped : bool[voters]
        Whether the voter is in a group of the snapshot; the others count for means and components only.
    rows, times : int64[drawn]
        See `draw`.
    largest, starts
        Largest number of groups tried, and from how many starts each.
    config

    Returns
    -------
    list of Division
        One for each number of groups, labels int32[grouped voters] in the order of the matrix; a single group where
        the drawn voters do not stand at two places.
    """
    drawn = np.zeros(len(is_grouped), np.int64)
    drawn[rows] = times
    weights = drawn.astype(np.float64)
    means = item_means(matrix, times=drawn)
    components = principal_components(matrix, means, weights=weights, accuracy=QUICK)
    places = project_voters(matrix, means=means, components=components)
    clustered = rows[is_grouped[rows]]
    if not clustered.size:
        return [one_group(int(is_grouped.sum()))]
    points = places[clustered]
    point_weights = weights[clustered] * voter_weights(matrix.votes_cast[clustered], config=config)
    if clustered.size > GATHERED_ABOVE:
        gathered = gather(points, point_weights, cells=CELLS)
        points, point_weights = gathered.points, gathered.weights
    most = most_base_clusters(int(is_grouped.sum()), config=config)
    labels, centres = kmeans(points, k=most, weights=point_weights, max_steps=config.max_steps)
    sizes = np.bincount(labels, point_weights).astype(np.float64, copy=False)
    tried = try_numbers(centres, sizes, largest=largest, starts=starts, config=config)
    owner = nearest(places[is_grouped], centres)
    divisions = [Division(found.number, found.silhouette, found.clusters.labels[owner]) for found in tried]
    return divisions or [one_group(owner.size)]


def one_group(n: int) -> Division:
    """Return the division that puts all of `n` voters into one group."""
    return Division(1, -1.0, np.zeros(n, np.int32))
