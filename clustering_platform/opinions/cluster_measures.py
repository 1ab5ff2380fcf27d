"""Measures of clusters: where each lies, how wide it is, how united its voters are, how far from the others."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.opinions.patterns import cluster_positions
from clustering_platform.opinions.silhouette import silhouettes
from clustering_platform.opinions.statistics import Floats
from clustering_platform.tables import TABLES, conform
from clustering_platform.tables.opinion_measures import MEASURED_LEVELS

MAJORITIES = ("agree", "disagree", "pass", "split")


class Clusters(NamedTuple):
    """The clusters of one level, and which of them each voter is in.

    `ids` int32[clusters], ascending; `members` int32[voters], position of the voter's cluster or -1 for none;
    `sizes` int64[clusters]; `centroids` float64[clusters, 2], the mean places of their voters.
    """

    ids: NDArray[np.int32]
    members: NDArray[np.int32]
    sizes: NDArray[np.int64]
    centroids: Floats


def build_cluster_measures(voter_groups: pa.Table, voting_patterns: pa.Table) -> pa.Table:
    """Return the table `cluster_measures`: the clusters of every level, by id.

    The formulas stand in ``docs/measures.md``.
    """
    places = voter_places(voter_groups)
    levels = {level: read_clusters(voter_groups, level) for level in MEASURED_LEVELS}
    base = levels["base_cluster"]
    tables = []
    for level, clusters in levels.items():
        table = {
            "level": pa.repeat(level, clusters.ids.size),
            "cluster_id": clusters.ids,
            "size": clusters.sizes,
            "x": clusters.centroids[:, 0],
            "y": clusters.centroids[:, 1],
            **_extent(places, clusters),
            **_opinions(voting_patterns, level, clusters.ids),
            "silhouette": cluster_silhouettes(base, clusters, _above(levels, level)),
        }
        tables.append(conform(pa.table(table), TABLES["cluster_measures"]))
    return pa.concat_tables(tables)


def voter_places(voter_groups: pa.Table) -> Floats:
    """Return the places of the voters: float64[voters, 2]."""
    return np.column_stack([voter_groups["x"].to_numpy(), voter_groups["y"].to_numpy()])


def read_clusters(voter_groups: pa.Table, level: str) -> Clusters:
    """Return the clusters of a level from the column ``<level>_id`` of `voter_groups`."""
    ids, members = cluster_positions(voter_groups[f"{level}_id"])
    is_in = members >= 0
    sizes = np.bincount(members[is_in], minlength=ids.size)
    sums = [np.bincount(members[is_in], axis[is_in], ids.size) for axis in voter_places(voter_groups).T]
    return Clusters(ids, members, sizes, np.column_stack(sums) / sizes[:, np.newaxis])


def distances(places: Floats, others: Floats) -> Floats:
    """Return the distances between places and others, the last axis of both being x and y."""
    squares = np.square(places[..., 0] - others[..., 0])
    squares += np.square(places[..., 1] - others[..., 1])
    return np.sqrt(squares)


def _extent(places: Floats, clusters: Clusters) -> dict[str, Floats]:
    is_in = clusters.members >= 0
    members = clusters.members[is_in]
    from_centroid = distances(places[is_in], clusters.centroids[members])
    radius = np.zeros(clusters.ids.size)
    np.maximum.at(radius, members, from_centroid)
    return {"radius": radius, "variance": np.bincount(members, np.square(from_centroid)) / clusters.sizes}


def _opinions(voting_patterns: pa.Table, level: str, ids: NDArray[np.int32]) -> dict[str, pa.Array]:
    """Return how united the clusters are: share of most frequent votes, and items by their majority."""
    rows = voting_patterns.filter(pc.equal(voting_patterns["level"], level))
    cluster = np.searchsorted(ids, rows["cluster_id"].to_numpy())
    votes = np.stack([rows[vote].to_numpy() for vote in ("agree", "pass", "disagree")])
    most = np.bincount(cluster, votes.max(axis=0, initial=0), ids.size)
    cast = np.bincount(cluster, votes.sum(axis=0), ids.size)
    consensus = np.divide(most, cast, out=np.zeros(ids.size), where=cast > 0)
    counts = {
        f"majority_{majority}": np.bincount(
            cluster[pc.equal(rows["majority"], majority).to_numpy()], minlength=ids.size
        )
        for majority in MAJORITIES
    }
    return {"consensus": pa.array(consensus, mask=cast == 0)} | counts


def _above(levels: dict[str, Clusters], level: str) -> Clusters | None:
    """Return the clusters that those of a level divide; None where they divide the voters as a whole."""
    names = list(levels)
    place = names.index(level)
    return levels[names[place - 1]] if place > 1 else None


def cluster_silhouettes(base: Clusters, clusters: Clusters, above: Clusters | None) -> pa.Array:
    """Return the mean silhouette of the base clusters of each cluster; null where there is no other beside it.

    A base cluster counts 1. Beside a cluster are those that divide the same cluster of the level above, or all where
    `above` is None.
    """
    if clusters is base:
        return pa.nulls(base.ids.size, pa.float64())
    label = _cluster_of_base(base, clusters)
    part = np.zeros(base.ids.size, np.int32) if above is None else _cluster_of_base(base, above)
    sums, has_beside = np.zeros(clusters.ids.size), np.zeros(clusters.ids.size, np.bool_)
    for number in np.unique(part[label >= 0]):
        chosen = np.flatnonzero((part == number) & (label >= 0))
        beside, dense = np.unique(label[chosen], return_inverse=True)
        if beside.size > 1:
            scores = silhouettes(base.centroids[chosen], dense.astype(np.int32))
            sums[beside] = np.bincount(dense, scores)
            has_beside[beside] = True
    n_base = np.bincount(label[label >= 0], minlength=clusters.ids.size)
    return pa.array(sums / np.maximum(n_base, 1), mask=~has_beside)


def _cluster_of_base(base: Clusters, clusters: Clusters) -> NDArray[np.int32]:
    """Return the position of the cluster that each base cluster is in, -1 where in none: int32[base clusters]."""
    labels = np.full(base.ids.size, -1, np.int32)
    is_in = base.members >= 0
    labels[base.members[is_in]] = clusters.members[is_in]
    return labels
