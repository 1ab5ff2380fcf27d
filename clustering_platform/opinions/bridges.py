"""Bridges: the voters who sit between two groups, and the items on which two groups take the same side."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.opinions.patterns import read_group_counts
from clustering_platform.opinions.statistics import FEWEST_VOTES, SIGNIFICANT, Counts, proportion, proportion_test
from clustering_platform.tables import TABLES, conform

MOST_VOTERS = 20
MOST_ITEMS = 10
SIDES = {"agree": 2, "disagree": 0}
"""Side -> its place among the counts of disagree, pass, agree."""
ROUNDING = 1e-9


def build_bridge_voters(voter_groups: pa.Table, voter_measures: pa.Table, cluster_measures: pa.Table) -> pa.Table:
    """Return the table `bridge_voters`: at most twenty voters for each pair of groups.

    A voter sits between two groups when one is the own and the other the nearest other, the place lies within the
    circle that has the two centroids at opposite ends, and the votes cast are at least the median of all grouped
    voters: with fewer, a place near the border tells little. Those with the largest `bridging` come first, among equals
    those with more votes, then the earlier voters.
    """
    groups = cluster_measures.filter(pc.equal(cluster_measures["level"], "group"))
    ids = groups["cluster_id"].to_numpy()
    centroids = np.column_stack([groups["x"].to_numpy(), groups["y"].to_numpy()])
    grouped = voter_groups.select(["group_id", "votes_cast"]).filter(pc.is_valid(voter_groups["group_id"]))
    if ids.size < 2:
        return TABLES["bridge_voters"].empty()
    own = np.searchsorted(ids, grouped["group_id"].to_numpy())
    other = np.searchsorted(ids, voter_measures["nearest_other_group"].to_numpy())
    votes_cast, bridging = grouped["votes_cast"].to_numpy(), voter_measures["bridging"].to_numpy()
    squares = np.square(voter_measures["distance_to_group"].to_numpy())
    squares += np.square(voter_measures["distance_to_nearest_other"].to_numpy())
    width = np.square(centroids[own] - centroids[other]).sum(axis=1)
    is_between = (squares <= width * (1 + ROUNDING)) & (votes_cast >= np.median(votes_cast))
    pair = np.minimum(own, other) * ids.size + np.maximum(own, other)
    tables = []
    for first, second in combinations(range(ids.size), 2):
        found = np.flatnonzero(is_between & (pair == first * ids.size + second))
        chosen = _foremost(found, bridging, votes_cast)
        tables.append(
            {
                "first_group_id": np.full(chosen.size, ids[first]),
                "second_group_id": np.full(chosen.size, ids[second]),
                "rank": np.arange(chosen.size) + 1,
                "voter_id": voter_measures["voter_id"].take(chosen),
                "group_id": ids[own[chosen]],
                "votes_cast": votes_cast[chosen],
                "bridging": bridging[chosen],
                "agreement_own": voter_measures["representativeness"].take(chosen),
                "agreement_other": voter_measures["agreement_nearest_other"].take(chosen),
            }
        )
    return pa.concat_tables([conform(pa.table(table), TABLES["bridge_voters"]) for table in tables])


def _foremost(
    found: NDArray[np.intp], bridging: NDArray[np.float64], votes_cast: NDArray[np.int32]
) -> NDArray[np.intp]:
    """Return at most `MOST_VOTERS` of the found voters, in order."""
    if found.size > MOST_VOTERS:  # most can be ruled out without sorting
        last = np.partition(bridging[found], -MOST_VOTERS)[-MOST_VOTERS]
        found = found[bridging[found] >= last]
    return found[np.lexsort((-votes_cast[found], -bridging[found]))][:MOST_VOTERS]


def build_bridge_items(voted_items: pa.Table, voting_patterns: pa.Table) -> pa.Table:
    """Return the table `bridge_items`: at most ten items for each pair of groups and side, moderated ones left out.

    An item joins two groups on a side that significantly more than half of each take, with five votes or more of each.
    Those come first on which the smaller of the two proportions is largest.
    """
    is_open = ~voted_items["is_moderated_out"].to_numpy()
    item_ids = voted_items["item_id"].filter(is_open)
    ids, counts = read_group_counts(voting_patterns, voted_items)
    tables = list(_pairs(ids, counts[:, is_open], item_ids))
    return pa.concat_tables([TABLES["bridge_items"].empty(), *tables])


def _pairs(ids: NDArray[np.int32], counts: Counts, item_ids: pa.ChunkedArray) -> Iterator[pa.Table]:
    trials = counts.sum(axis=-1)
    scored = {
        side: (counts[..., vote], proportion(counts[..., vote], trials), proportion_test(counts[..., vote], trials))
        for side, vote in SIDES.items()
    }
    for first, second in combinations(range(ids.size), 2):
        for side, (successes, p_success, p_test) in scored.items():
            both = [first, second]
            found = np.flatnonzero(((p_test > SIGNIFICANT) & (trials >= FEWEST_VOTES))[both].all(axis=0))
            smaller = p_success[both].min(axis=0)
            chosen = found[np.argsort(-smaller[found], kind="stable")][:MOST_ITEMS]
            table = {
                "first_group_id": np.full(chosen.size, ids[first]),
                "second_group_id": np.full(chosen.size, ids[second]),
                "side": pa.repeat(side, chosen.size),
                "rank": np.arange(chosen.size) + 1,
                "item_id": item_ids.take(chosen),
            }
            for name, group in (("first", first), ("second", second)):
                table |= {
                    f"{name}_n_success": successes[group, chosen],
                    f"{name}_n_trials": trials[group, chosen],
                    f"{name}_p_success": p_success[group, chosen],
                    f"{name}_p_test": p_test[group, chosen],
                }
            yield conform(pa.table(table), TABLES["bridge_items"])
