"""Groups: base clusters that lie together, and which group each voter belongs to.

``subgroups`` divides each group by the same procedure; how many clusters are chosen is decided in ``smoothing``.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.grid import GRID_ABOVE
from clustering_platform.opinions.parity import group_steps
from clustering_platform.opinions.silhouette import mean_silhouette
from clustering_platform.opinions.smoothing import continued_number, smoothed_number
from clustering_platform.opinions.space import read_places
from clustering_platform.opinions.warm import (
    NO_CLUSTER,
    Clusters,
    EarlierLevels,
    LastDivision,
    clusters_from,
    last_division,
)
from clustering_platform.tables import TABLES, conform

BASE_CLUSTERS_PER_GROUP = 12
"""For every so many base clusters, one group more than two is tried."""
MANY_STARTS = 8
"""So many starts of k-means are tried where there are too many voters for base clusters in the order of Polis."""


class Grouping(NamedTuple):
    """One division of base clusters, and how well it divides them."""

    silhouette: float
    clusters: Clusters

    @property
    def number(self) -> int:
        """Number of clusters."""
        return len(self.clusters.ids)


class Division(NamedTuple):
    """All divisions tried, the best and the chosen one, and in how many snapshots in a row its number was the best."""

    tried: list[Grouping]
    best: Grouping
    chosen: Grouping
    best_in_a_row: int | None


def build_groups(
    base_clusters: pa.Table,
    *,
    config: OpinionsConfig,
    earlier: Sequence[int] = (),
    previous: EarlierLevels | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Return the tables `groups` and `groupings`; both empty where there are fewer than two base clusters.

    Two groups and more are tried, up to ``config.max_groups`` and to 2 + base clusters / 12. The number with the
    largest silhouette is the best, the larger number where two are equal; the chosen one is the best, smoothed over
    days. Base clusters have their weight when groups are formed and count 1 when they are judged. Source: Polis.

    Parameters
    ----------
    earlier
        Cold: the best numbers of the days before, oldest first.
    previous
        Warm: tables of the day to go on from.
    """
    last = last_division(previous, base_clusters["base_cluster_id"])
    division = divide(base_clusters, config=config, earlier=earlier, last=last)
    if division is None:
        return TABLES["groups"].empty(), TABLES["groupings"].empty()
    columns = cluster_columns(base_clusters, division.chosen)
    ids = columns.pop("cluster_id")
    table = pa.table({"group_id": ids, "letter": [letters(number) for number in ids.tolist()], **columns})
    return conform(table, TABLES["groups"]), groupings_table(division)


def divide(
    base_clusters: pa.Table, *, config: OpinionsConfig, earlier: Sequence[int] = (), last: LastDivision | None = None
) -> Division | None:
    """Divide base clusters into groups, or those of a group into subgroups; None where they cannot be divided."""
    tried = try_groupings(base_clusters, config=config, last=last)
    if not tried:
        return None
    best = best_grouping(tried)
    by_number = {grouping.number: grouping for grouping in tried}
    if config.continuity == "cold":
        return Division(tried, best, by_number[smoothed_number(best.number, earlier, available=by_number)], None)
    in_a_row = last.in_a_row + 1 if last and last.best == best.number else 1
    chosen = continued_number(
        best.number,
        in_a_row=in_a_row,
        previous=last.chosen if last else None,
        needed=config.smoothing_days,
        available=by_number,
    )
    return Division(tried, best, by_number[chosen], in_a_row)


def group_starts(n_voters: int) -> int:
    """Return from how many starts groups of so many voters are sought.

    Up to `grid.GRID_ABOVE` voters it is one, that of Polis: the base clusters of the first voters. Of more voters base
    clusters come from a grid, and their order says nothing any more.
    """
    return MANY_STARTS if n_voters > GRID_ABOVE else 1


def most_groups(n_base_clusters: int, *, config: OpinionsConfig) -> int:
    """Return the largest number of groups that is tried."""
    return min(config.max_groups, 2 + n_base_clusters // BASE_CLUSTERS_PER_GROUP)


def try_groupings(
    base_clusters: pa.Table, *, config: OpinionsConfig, last: LastDivision | None = None
) -> list[Grouping]:
    """Divide base clusters into two clusters and more; numbers that k-means ends below are left out."""
    return try_numbers(
        np.column_stack([base_clusters["x"].to_numpy(), base_clusters["y"].to_numpy()]),
        base_clusters["weight"].to_numpy(),
        largest=most_groups(base_clusters.num_rows, config=config),
        starts=group_starts(pc.sum(base_clusters["size"], min_count=0).as_py()),
        config=config,
        last=last,
    )


def try_numbers(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    largest: int,
    starts: int,
    config: OpinionsConfig,
    last: LastDivision | None = None,
) -> list[Grouping]:
    """Divide points (float64[n, 2], float64[n] weights) into two clusters and more, as `try_groupings` does."""
    tried = []
    for k in range(2, min(largest, len(points)) + 1):
        before = last.labels.get(k) if last else None
        clusters = clusters_from(
            points, before, k=k, weights=weights, max_steps=group_steps(config), starts=starts, seed=config.seed
        )
        if len(clusters.ids) == k:
            tried.append(Grouping(mean_silhouette(points, clusters.labels), clusters))
    return tried


def best_grouping(tried: Sequence[Grouping]) -> Grouping:
    """Return the grouping with the largest silhouette, of equal ones that with the most clusters."""
    return max(tried, key=lambda grouping: (grouping.silhouette, grouping.number))


def cluster_columns(base_clusters: pa.Table, grouping: Grouping) -> dict[str, NDArray[np.generic] | pa.Array]:
    """Return the columns that `groups` and `subgroups` have in common, a row for each cluster of a grouping."""
    ids, labels, centres = grouping.clusters
    sizes = np.bincount(labels, base_clusters["size"].to_numpy()).astype(np.int64)
    order = np.argsort(labels, kind="stable")
    offsets = pa.array(np.append(0, np.cumsum(np.bincount(labels))), pa.int32())
    members = base_clusters["base_cluster_id"].combine_chunks().take(order)
    return {
        "cluster_id": ids,
        "size": sizes,
        "share": sizes / sizes.sum(),
        "x": centres[:, 0],
        "y": centres[:, 1],
        "base_cluster_ids": pa.ListArray.from_arrays(offsets, members),
    }


def groupings_table(
    division: Division, *, parent_id: int | None = None, is_member: NDArray[np.bool_] | None = None
) -> pa.Table:
    """Return the rows of the table `groupings` for one division.

    Parameters
    ----------
    parent_id
        The group that was divided; None for the division into groups.
    is_member : bool[base clusters], optional
        Which base clusters of the snapshot were divided; all by default.
    """
    rows = [
        {
            "parent_id": parent_id,
            "groups": grouping.number,
            "silhouette": grouping.silhouette,
            "is_best": grouping is division.best,
            "is_chosen": grouping is division.chosen,
            "best_in_a_row": division.best_in_a_row if grouping is division.best else None,
            "labels": _labels(grouping.clusters, is_member).tolist(),
        }
        for grouping in division.tried
    ]
    contract = TABLES["groupings"]
    return conform(pa.Table.from_pylist(rows, schema=contract.schema()), contract)


def _labels(clusters: Clusters, is_member: NDArray[np.bool_] | None) -> NDArray[np.int32]:
    own = clusters.ids[clusters.labels]
    if is_member is None:
        return own
    labels = np.full(is_member.size, NO_CLUSTER, np.int32)
    labels[is_member] = own
    return labels


def letters(number: int) -> str:
    """Return A for 0, B for 1, ..., Z, AA, AB and so on."""
    head, last = divmod(number, 26)
    return (letters(head - 1) if head else "") + chr(ord("A") + last)


def build_voter_groups(
    vote_matrix: pa.Table,
    opinion_space: pa.Table,
    base_clusters: pa.Table,
    groups: pa.Table,
    subgroups: pa.Table | None = None,
) -> pa.Table:
    """Return the table `voter_groups`: all voters in the order of the matrix, grouped or not."""
    subgroups = TABLES["subgroups"].empty() if subgroups is None else subgroups
    voter_ids, places = read_places(opinion_space, "voter")
    lists = base_clusters["voter_positions"].combine_chunks()
    row = np.full(len(places), NO_CLUSTER)  # of its base cluster
    row[pc.list_flatten(lists).to_numpy()] = pc.list_parent_indices(lists).to_numpy()
    base_cluster = base_clusters["base_cluster_id"].combine_chunks()
    owners = {
        "base_cluster_id": base_cluster,
        "group_id": _owner(base_cluster, groups["base_cluster_ids"], groups["group_id"]),
        "subgroup_id": _owner(base_cluster, subgroups["base_cluster_ids"], subgroups["subgroup_id"]),
    }
    rows = pa.array(row, mask=row == NO_CLUSTER)
    table = pa.table(
        {
            "voter_id": voter_ids,
            "votes_cast": vote_matrix["votes_cast"],
            "x": places[:, 0],
            "y": places[:, 1],
            **{name: ids.take(rows) for name, ids in owners.items()},
        }
    )
    return conform(table, TABLES["voter_groups"])


def _owner(members: pa.Array, lists: pa.ChunkedArray, owner_ids: pa.ChunkedArray) -> pa.Array:
    """Return for each member the id beside the list that it is in, null where it is in none."""
    lists = lists.combine_chunks()
    place = pc.index_in(members, pc.list_flatten(lists), skip_nulls=True)
    return owner_ids.combine_chunks().take(pc.list_parent_indices(lists).take(place))
