"""The topic map: vectors laid out in two dimensions."""

import numpy as np
import pyarrow as pa

from clustering_platform.semantics.item_embeddings import vector_matrix
from clustering_platform.semantics.neighbours import nearest_neighbours
from clustering_platform.semantics.reduction import distinct_rows, graph_layout, neighbour_count, principal_layout
from clustering_platform.tables import TABLES, conform

_FEWEST_FOR_UMAP = 10


def project(embeddings: pa.Table, *, seed: int) -> pa.Table:
    """Return the `projection` table: a place on the map for each row of the `embeddings` table.

    UMAP on cosine distance; equal vectors share a place, and fewer than ten distinct ones lie on their principal axes.
    The map is centred on zero. The same input gives the same bytes.
    """
    vectors = vector_matrix(embeddings["vector"])
    if len(vectors) == 0:
        places = np.empty((0, 2), dtype=np.float32)
    else:
        points, place_of = distinct_rows(vectors)
        if len(points) < _FEWEST_FOR_UMAP:
            layout = principal_layout(points, dimensions=2)
        else:
            near = nearest_neighbours(points, neighbour_count(len(points)) - 1, seed=seed)
            layout = graph_layout(points, near, dimensions=2, steps=None, spread=0.1, seed=seed)
        places = (layout - layout.mean(axis=0))[place_of]
    table = pa.table({"item_id": embeddings["item_id"], "x": places[:, 0], "y": places[:, 1]})
    return conform(table, TABLES["projection"])
