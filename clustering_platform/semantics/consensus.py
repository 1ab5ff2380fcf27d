"""How many topics there are and which: what different ways of clustering agree on.

No number of topics is given. Three families of partitions vote on every pair of neighbours: communities of the graph
of neighbours at several widths and resolutions, and clusters of two layouts of it. What is found is the communities of
the graph of their agreement.
"""

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.communities import agreement_graph, communities
from clustering_platform.semantics.neighbours import Neighbours, jaccard_graph
from clustering_platform.semantics.reduction import Floats, Labels, graph_layout

_WIDTHS = (0.6, 1.0, 1.6)
_RESOLUTIONS = (0.7, 1.4, 2.8)
_CUTS = (0.7, 1.0, 1.4)
_LAYOUT_WIDTHS = (0.6, 1.0)
_MOST_MEMBERS = 2000
_STEPS = 5


def neighbourhood(points: int) -> int:
    """Return how many neighbours make up a neighbourhood: the square root of the points, at least 5, at most 25."""
    return int(np.clip(round(points**0.5), 5, 25))


def widest_neighbourhood(points: int) -> int:
    """Return the number of neighbours that `find_consensus` needs."""
    return _scaled(neighbourhood(points), _WIDTHS[-1])


def usual_resolution(points: int) -> float:
    """Return the resolution for a number of points: one less than its decimal logarithm, at least 1.

    Measured: mixtures of 40 to 600 sentences of 4 to 25 classes are found best at 1 to 2, 22,500 sentences of 150
    classes at 3 to 4, and sets between are found equally well at all of these.
    """
    return max(1.0, float(np.log10(points)) - 1)


def graph_partitions(neighbours: Neighbours, *, resolution: float, seed: int) -> NDArray[np.int64]:
    """Return nine partitions of the points: int64[9, n].

    Louvain communities of the graph of neighbours at three widths of the neighbourhood and three resolutions.
    """
    width = neighbourhood(len(neighbours))
    graphs = [jaccard_graph(neighbours.nearest(_scaled(width, scale))) for scale in _WIDTHS]
    return np.array(
        [communities(graph, resolution=resolution * each, seed=seed) for graph in graphs for each in _RESOLUTIONS]
    )


def find_consensus(
    points: Floats,
    neighbours: Neighbours,
    of_graphs: NDArray[np.int64],
    *,
    resolution: float,
    seed: int,
) -> Labels:
    """Return the topics that ways of clustering agree on: 0, 1, ... of each point, largest first: int64[n].

    The three families weigh the same: the partitions of the graph, and three cuts of a Ward tree in each of two UMAP
    layouts, made around the number of topics that the first family finds together. Clustering the agreement of
    partitions follows Poulin and Theberge (2019, ensemble clustering for graphs).

    Parameters
    ----------
    points
        Array of shape (n, d): distinct vectors of length one.
    neighbours
        Their neighbours, at least `widest_neighbourhood` of each.
    of_graphs
        The `graph_partitions` of these.
    resolution
        Larger finds more and smaller topics.
    """
    width = neighbourhood(len(points))
    graph = jaccard_graph(neighbours.nearest(width))
    even = np.full(len(of_graphs), 1 / len(of_graphs))
    first = communities(agreement_graph(graph, of_graphs, even), resolution=resolution, seed=seed)
    of_layouts: list[Labels] = []
    for number, scale in enumerate(_LAYOUT_WIDTHS):
        layout = graph_layout(points, neighbours.nearest(_scaled(width, scale) - 1), seed=seed + number)
        of_layouts += _cut(layout, [max(2, round(cut * (first.max() + 1))) for cut in _CUTS], seed=seed)
    weights = np.concatenate([even / 3, np.full(len(of_layouts), 2 / 3 / len(of_layouts))])
    agreement = agreement_graph(graph, np.concatenate([of_graphs, of_layouts]), weights)
    return communities(agreement, resolution=resolution, seed=seed)


def _scaled(width: int, scale: float) -> int:
    return max(3, round(width * scale))


def _cut(layout: Floats, counts: list[int], *, seed: int) -> list[Labels]:
    """Return the partitions of a Ward tree with so many clusters; of many points, the tree of k-means cells."""
    from scipy.cluster.hierarchy import fcluster, linkage

    points = layout.astype(np.float64)
    cells, centres = _cells(points, seed)
    tree = linkage(centres, "ward")
    return [np.asarray(fcluster(tree, count, "maxclust"), np.int64)[cells] for count in counts]


def _cells(points: NDArray[np.float64], seed: int) -> tuple[Labels, NDArray[np.float64]]:
    if len(points) <= _MOST_MEMBERS:
        return np.arange(len(points)), points
    from sklearn.cluster import KMeans

    found = KMeans(_MOST_MEMBERS, n_init=1, init="random", max_iter=_STEPS, random_state=seed).fit(points).labels_
    cells = np.unique(found, return_inverse=True)[1]
    sizes = np.bincount(cells)
    return cells, np.stack([np.bincount(cells, axis) / sizes for axis in points.T], axis=1)
