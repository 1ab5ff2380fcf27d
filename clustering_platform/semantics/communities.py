"""Groups of a graph of neighbours: one partition, and the agreement of many.

Which partitions take part is decided in ``consensus``.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.reduction import Labels

_WEAKEST = 0.01


def communities(graph: Any, *, resolution: float, seed: int) -> Labels:
    """Return the communities of a weighted graph: the Louvain method (Blondel et al. 2008) on modularity.

    Leiden's method finds the same within .001 of adjusted mutual information here, but draws from the random numbers
    of the C library, which no seed reaches: two runs differ.

    Parameters
    ----------
    graph
        Symmetric sparse array of shape (n, n).
    resolution
        Larger finds more and smaller communities.

    Returns
    -------
    Array of shape (n,): community 0, 1, ... of each point, largest first.
    """
    from scipy.sparse import csr_matrix
    from sknetwork.clustering import Louvain

    found = Louvain(resolution=resolution, random_state=seed).fit_predict(csr_matrix(graph))
    return np.asarray(found, dtype=np.int64)


def agreement_graph(graph: Any, partitions: NDArray[np.int64], weights: NDArray[np.float64]) -> Any:
    """Return the graph with new weights: the share of partitions that hold the two ends together.

    Ends that no partition holds together keep a weight of .01, so that no point falls out of the graph.

    Parameters
    ----------
    graph
        Symmetric sparse array of shape (n, n); of it only what is joined is read.
    partitions
        Array of shape (p, n).
    weights
        Array of shape (p,): what each partition counts; they sum to one.
    """
    from scipy.sparse import csr_array

    edges = graph.tocoo()
    together = np.zeros(edges.nnz)
    for labels, weight in zip(partitions, weights, strict=True):
        together += weight * (labels[edges.row] == labels[edges.col])
    return csr_array((_WEAKEST + (1 - _WEAKEST) * together, (edges.row, edges.col)), shape=edges.shape)
