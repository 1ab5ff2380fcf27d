"""Going on from an earlier day instead of starting anew (``continuity: warm``), as Polis goes on from tick to tick.

Everything here is a function of today's arrays and of tables of the day gone on from. What is the same in Polis:

- who was grouped once stays grouped (`keep_grouped`);
- components keep their sign (`align`). Polis also starts their iteration from the former ones, which matters only
  where the iteration is not run to its end, as it is here;
- clusters are those of the day before with their members where they are now, and keep their ids (`go_on`);
- of the base clusters of a group, of which number of groups, is remembered (`last_division`).

Which day is gone on from is decided where days are published; how many groups are chosen, in ``smoothing``.
"""

from typing import NamedTuple, TypeGuard

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.opinions.kmeans import TOLERANCE, Search, kmeans_of_starts, nearest
from clustering_platform.opinions.space import read_components

Floats = NDArray[np.float64]
Labels = NDArray[np.int32]
NO_CLUSTER = -1


class Clusters(NamedTuple):
    """A clustering: int32[clusters] ids, ascending; int32[points] position of the cluster of each; float64 centres."""

    ids: Labels
    labels: Labels
    centres: Floats


class EarlierLevels(NamedTuple):
    """Tables of the day gone on from."""

    base_clusters: pa.Table
    groupings: pa.Table


class LastDivision(NamedTuple):
    """How base clusters were divided on the day gone on from.

    `labels` holds, for each number of clusters, int32[base clusters of today] ids or `NO_CLUSTER`; `best` was the best
    number, `in_a_row` times by then, and `chosen` the one chosen.
    """

    labels: dict[int, Labels]
    best: int
    in_a_row: int
    chosen: int


def keep_grouped(vote_matrix: pa.Table, earlier: pa.Table | None) -> pa.Table:
    """Return the table `vote_matrix` with those grouped who were so in an `earlier` one."""
    if earlier is None:
        return vote_matrix
    grouped_once = earlier["voter_id"].filter(earlier["is_grouped"]).combine_chunks()
    is_grouped = pc.or_(vote_matrix["is_grouped"], pc.is_in(vote_matrix["voter_id"], grouped_once))
    place = vote_matrix.schema.get_field_index("is_grouped")
    return vote_matrix.set_column(place, vote_matrix.schema.field(place), is_grouped)


def align(opinion_space: pa.Table, earlier: pa.Table | None) -> pa.Table:
    """Return the table `opinion_space`, mirrored so that components point the way they did in an `earlier` one.

    An axis is mirrored where its component and the former one, over the items of both, have a negative product.
    """
    if earlier is None:
        return opinion_space
    (ids, components), (earlier_ids, earlier_components) = _components(opinion_space), _components(earlier)
    place = pc.fill_null(pc.index_in(ids, earlier_ids), -1).to_numpy()
    products = (components[:, place >= 0] * earlier_components[:, place[place >= 0]]).sum(axis=1)
    for axis, product in enumerate(products.tolist()):
        if product < 0:
            for name in ("xy"[axis], f"component_{axis + 1}"):
                column = opinion_space.schema.get_field_index(name)
                mirrored = pc.add(pc.negate(opinion_space[name]), 0.0)  # no negative zeros
                opinion_space = opinion_space.set_column(column, opinion_space.schema.field(column), mirrored)
    return opinion_space


def last_base_clusters(voter_ids: pa.ChunkedArray, earlier: pa.Table) -> Labels:
    """Return the id of the base cluster of each voter in an earlier table `voter_groups`, `NO_CLUSTER` for none."""
    place = pc.index_in(voter_ids, earlier["voter_id"].combine_chunks())
    return _labels(pc.take(earlier["base_cluster_id"], place))


def last_division(
    earlier: EarlierLevels | None, base_cluster_ids: pa.ChunkedArray, *, parent_id: int | None = None
) -> LastDivision | None:
    """Return how base clusters were divided into groups, or those of the group `parent_id` into subgroups.

    None where they were not.
    """
    if earlier is None:
        return None
    parents = earlier.groupings["parent_id"]
    rows = earlier.groupings.filter(pc.is_null(parents) if parent_id is None else pc.equal(parents, parent_id))
    if rows.num_rows == 0:
        return None
    place = pc.index_in(base_cluster_ids, earlier.base_clusters["base_cluster_id"].combine_chunks())
    divisions = rows.to_pylist()
    (best,) = (division for division in divisions if division["is_best"])
    (chosen,) = (division for division in divisions if division["is_chosen"])
    return LastDivision(
        labels={
            division["groups"]: _labels(pc.take(pa.array(division["labels"], pa.int32()), place))
            for division in divisions
        },
        best=best["groups"],
        in_a_row=best["best_in_a_row"] or 1,
        chosen=chosen["groups"],
    )


def is_start(last: Labels | None) -> TypeGuard[Labels]:
    """Tell whether there are clusters to go on from."""
    return last is not None and bool((last >= 0).any())


def clusters_from(
    points: Floats,
    last: Labels | None,
    *,
    k: int,
    weights: Floats | None = None,
    max_steps: int,
    starts: int = 1,
    seed: int = 0,
) -> Clusters:
    """Divide points into at most `k` clusters, going on from the `last` ones where there are any.

    Parameters
    ----------
    points : float64[n, 2]
    last : int32[n], optional
        Id of the cluster that each point was in, `NO_CLUSTER` for none.
    k
        Largest number of clusters.
    weights : float64[n], optional
        Weight of each point; 1 by default.
    max_steps
        Largest number of steps of k-means after the first.
    starts, seed
        From how many starts k-means is tried where there are none to go on from; see ``kmeans_of_starts``.
    """
    weights = np.ones(len(points)) if weights is None else weights
    if is_start(last):
        return go_on(points, last, k=k, weights=weights, max_steps=max_steps)
    labels, centres = kmeans_of_starts(points, k=k, weights=weights, starts=starts, seed=seed, max_steps=max_steps)
    return Clusters(np.arange(len(centres), dtype=np.int32), labels, centres)


def go_on(points: Floats, last: Labels, *, k: int, weights: Floats, max_steps: int) -> Clusters:
    """Divide points into at most `k` clusters from those they were in.

    Each cluster moves to the weighted mean of its points. Clusters at one place become one, with the id of the
    heaviest. While there are fewer than `k`, the point farthest from its nearest centre leaves its cluster and becomes
    a cluster of its own, its id one above the largest. Then k-means goes on; clusters left empty are dropped. Of more
    than `k` clusters, which only a changed setting brings about, the heaviest stay. Source: Polis, ``clean-start``.
    """
    ids, labels = _merged(points, last, weights)
    ids, labels = _heaviest(ids, labels, weights, k)
    next_id = int(last.max()) + 1
    centres = _means(points, labels, weights, np.zeros((ids.size, 2)))
    for _ in range(k - ids.size):
        distances = np.hypot(*(points - centres[nearest(points, centres)]).T)
        farthest = int(distances.argmax())
        if distances[farthest] == 0:
            break
        labels[farthest] = ids.size
        ids = np.append(ids, np.int32(next_id))
        next_id += 1
        centres = _means(points, labels, weights, np.vstack([centres, points[farthest]]))
    return _settled(points, Clusters(ids, labels, centres), weights, max_steps)


def _settled(points: Floats, clusters: Clusters, weights: Floats, max_steps: int) -> Clusters:
    """Lloyd's algorithm from given centres, in which clusters keep their ids."""
    ids, _, centres = clusters
    search = Search(points)
    for _ in range(max_steps + 1):
        labels = search.nearest(centres)
        is_filled = np.bincount(labels, minlength=ids.size) > 0
        labels = (np.cumsum(is_filled, dtype=np.int32) - 1)[labels]
        ids, previous = ids[is_filled], centres[is_filled]
        centres = _means(points, labels, weights, previous)
        if is_filled.all() and (np.hypot(*(centres - previous).T) < TOLERANCE).all():
            break
    return Clusters(ids, labels, centres)


def _merged(points: Floats, last: Labels, weights: Floats) -> tuple[Labels, Labels]:
    """Return ids, ascending, and labels of the last clusters, those at one place made one."""
    ids, labels = _compact(last)
    centres = _means(points, labels, weights, np.zeros((ids.size, 2)))
    total = _totals(labels, weights, ids.size)
    places = np.unique(centres, axis=0, return_inverse=True)[1].reshape(-1)
    heaviest_first = np.argsort(-total, kind="stable")
    keeper = np.full(places.max() + 1, NO_CLUSTER)
    for cluster in heaviest_first[::-1].tolist():  # at most a thousand clusters
        keeper[places[cluster]] = cluster
    return _compact(_taken(ids[keeper[places]], labels))


def _heaviest(ids: Labels, labels: Labels, weights: Floats, k: int) -> tuple[Labels, Labels]:
    if ids.size <= k:
        return ids, labels
    kept = np.argsort(-_totals(labels, weights, ids.size), kind="stable")[:k]
    stays = np.isin(np.arange(ids.size), kept)
    return _compact(_taken(np.where(stays, ids, np.int32(NO_CLUSTER)), labels))


def _compact(cluster_ids: Labels) -> tuple[Labels, Labels]:
    """Return the ids in use, ascending, and for each point the position of its id, `NO_CLUSTER` for none."""
    ids = np.unique(cluster_ids[cluster_ids >= 0])
    labels = np.searchsorted(ids, cluster_ids).astype(np.int32)
    return ids, np.where(cluster_ids >= 0, labels, np.int32(NO_CLUSTER))


def _taken(values: Labels, labels: Labels) -> Labels:
    return np.where(labels >= 0, values[labels], np.int32(NO_CLUSTER))


def _totals(labels: Labels, weights: Floats, k: int) -> Floats:
    totals: Floats = np.asarray(np.bincount(labels + 1, weights, minlength=k + 1)[1:], np.float64)
    return totals


def _means(points: Floats, labels: Labels, weights: Floats, otherwise: Floats) -> Floats:
    """Return the weighted mean of each cluster; an empty one is where `otherwise` (float64[clusters, 2]) says."""
    total = _totals(labels, weights, len(otherwise))[:, np.newaxis]
    sums = np.column_stack([_totals(labels, weights * axis, len(otherwise)) for axis in points.T])
    return np.divide(sums, total, out=otherwise.copy(), where=total > 0)


def _components(opinion_space: pa.Table) -> tuple[pa.ChunkedArray, Floats]:
    items = opinion_space.filter(pc.equal(opinion_space["kind"], "item"))
    return items["id"].combine_chunks(), read_components(opinion_space)[1]


def _labels(ids: pa.Array | pa.ChunkedArray) -> Labels:
    labels: Labels = pc.fill_null(ids, NO_CLUSTER).to_numpy().astype(np.int32)
    return labels
