"""Measures of grouped voters: how typical each is of the own group, and how near to the others."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.opinions.cluster_measures import Clusters, distances, read_clusters, voter_places
from clustering_platform.opinions.matrix import read_vote_matrix
from clustering_platform.opinions.passes import vote_sums
from clustering_platform.opinions.patterns import read_group_counts
from clustering_platform.opinions.statistics import Counts, Floats
from clustering_platform.tables import TABLES, conform
from clustering_platform.tables.opinion_measures import MEASURED_LEVELS

VOTERS_AT_A_TIME = 100_000


class Neighbours(NamedTuple):
    """The nearest other group of some voters: int64[voters] position, float64[voters] distance; inf where none."""

    groups: NDArray[np.intp]
    distances: Floats

    @property
    def is_missing(self) -> NDArray[np.bool_]:
        """Where there is no other group."""
        return np.isinf(self.distances)


def build_voter_measures(
    vote_matrix: pa.Table, voted_items: pa.Table, voter_groups: pa.Table, voting_patterns: pa.Table
) -> pa.Table:
    """Return the table `voter_measures`: the grouped voters in the order of the matrix.

    The formulas stand in ``docs/measures.md``.

    Raises
    ------
    ValueError
        `voter_groups` does not list the voters of the matrix in its order, or the groups have no voting patterns.
    """
    contract = TABLES["voter_measures"]
    matrix = read_vote_matrix(vote_matrix, voted_items)
    if not voter_groups["voter_id"].combine_chunks().equals(matrix.voter_ids):
        raise ValueError("voter_groups and vote_matrix list different voters, or in a different order")
    levels = {level: read_clusters(voter_groups, level) for level in MEASURED_LEVELS}
    groups, places = levels["group"], voter_places(voter_groups)
    ids, counts = read_group_counts(voting_patterns, voted_items)
    if not np.array_equal(ids, groups.ids):
        raise ValueError("voter_groups and voting_patterns have different groups")
    if ids.size == 0:
        return contract.empty()
    centre = places[groups.members >= 0].mean(axis=0)
    tables = []
    shares = _shares(counts)
    for start in range(0, len(places), VOTERS_AT_A_TIME):
        rows = slice(start, start + VOTERS_AT_A_TIME)
        sums = vote_sums(matrix, shares, voters=rows)
        chosen = start + np.flatnonzero(groups.members[rows] >= 0)
        own, other = groups.members[chosen], nearest_other(places[chosen], groups, groups.members[chosen])
        table = {
            "voter_id": matrix.voter_ids.take(chosen),
            **_distances(places[chosen], levels, chosen),
            **_places(places[chosen], groups, own, other, centre=centre),
            **_agreements(sums[chosen - start], own, other),
        }
        tables.append(conform(pa.table(table), contract))
    return pa.concat_tables(tables)


def _shares(counts: Counts) -> Floats:
    """Return for each item and vote what it adds to the agreement with each group: float64[items, 3, 4 * groups].

    First, for a voter of the group, the share of the other voters of the group with that vote, and whether there are
    others; then, for a voter of another group, the share of the group with that vote, and whether anybody voted.
    """
    seen = counts.sum(axis=-1, keepdims=True)
    blocks = []
    for others, voters in ((counts - 1, seen - 1), (counts, seen)):
        is_seen = np.broadcast_to(voters > 0, counts.shape)
        blocks += [np.divide(others, voters, out=np.zeros(counts.shape), where=is_seen), is_seen.astype(np.float64)]
    return np.ascontiguousarray(np.concatenate(blocks).transpose(1, 2, 0))


def _distances(places: Floats, levels: dict[str, Clusters], chosen: NDArray[np.intp]) -> dict[str, pa.Array]:
    """Return the distance of the chosen voters to the centroid of their cluster of each level."""
    found = {}
    for level, clusters in levels.items():
        members = clusters.members[chosen]
        centroids = np.append(clusters.centroids, np.zeros((1, 2)), axis=0)  # the last one for voters in none
        distance = distances(places, centroids[members])
        found[f"distance_to_{level}"] = pa.array(distance, mask=members < 0)
    return found


def nearest_other(places: Floats, groups: Clusters, own: NDArray[np.int32]) -> Neighbours:
    """Return the nearest centroid of a group that is not the voter's own, the first of several."""
    found = distances(places[:, np.newaxis], groups.centroids)
    rows = np.arange(len(places))
    found[rows, own] = np.inf
    nearest = found.argmin(axis=1)
    return Neighbours(nearest, found[rows, nearest])


def bridging(own: Floats, other: Floats) -> Floats:
    """Return the distance to the own centroid over that to the nearest other, at most 1, and 1 where both are 0."""
    ratio: Floats = np.divide(own, other, out=np.ones(own.shape), where=other > 0)
    return np.minimum(ratio, 1.0)


def _places(
    places: Floats, groups: Clusters, own: NDArray[np.int32], other: Neighbours, *, centre: Floats
) -> dict[str, pa.Array]:
    to_centre, to_own = distances(places, centre), distances(places, groups.centroids[own])
    outward = groups.centroids - centre
    length = distances(groups.centroids, centre)[:, np.newaxis]
    outward = np.divide(outward, length, out=np.zeros(outward.shape), where=length > 0)
    return {
        "distance_to_centre": to_centre,
        "nearest_other_group": pa.array(groups.ids[other.groups], mask=other.is_missing),
        "distance_to_nearest_other": pa.array(other.distances, mask=other.is_missing),
        "bridging": pa.array(bridging(to_own, other.distances), mask=other.is_missing),
        "centricness": 1 - to_centre,
        "coreness": 1 - to_own,
        "extremeness": np.einsum("ij,ij->i", places - groups.centroids[own], outward[own]),
    }


def _agreements(sums: Floats, own: NDArray[np.int32], other: Neighbours) -> dict[str, pa.Array]:
    """Return the agreement with the own and the nearest other group, from the sums of what `_shares` gives."""
    same_own, cast_own, same_other, cast_other = np.split(sums, 4, axis=1)
    rows = np.arange(own.size)
    return {
        "representativeness": _mean(same_own[rows, own], cast_own[rows, own]),
        "agreement_nearest_other": _mean(
            same_other[rows, other.groups], np.where(other.is_missing, 0.0, cast_other[rows, other.groups])
        ),
    }


def _mean(sums: Floats, numbers: Floats) -> pa.Array:
    return pa.array(np.divide(sums, numbers, out=np.zeros(sums.size), where=numbers > 0), mask=numbers == 0)
