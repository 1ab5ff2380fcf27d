"""How sure the groups are: how well they are found again when voters are drawn anew.

Forming the groups of a resample belongs in ``resampling``. The formulas stand in ``docs/stability.md``.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.groups import group_starts, most_groups
from clustering_platform.opinions.matrix import VoteMatrix, read_vote_matrix
from clustering_platform.opinions.resampling import Division, divide_resample, draw
from clustering_platform.opinions.threads import cores
from clustering_platform.tables import TABLES, conform

STABILITY_TABLES = ("group_stability", "voter_stability", "grouping_stability")
DISSOLVED = 0.5
"""A group is dissolved in a resample where no group overlaps with it by more. Source: Hennig 2007."""
MAX_WORKERS = 8
"""Each resample at work needs memory in proportion to the votes."""


class Snapshot(NamedTuple):
    """The groups to be found again, of the voters that take part in resampling.

    Attributes
    ----------
    matrix
        Votes of all of them, grouped or not.
    is_grouped : bool[voters]
    labels : int32[grouped voters]
        Published group of each, 0 to the number of groups - 1.
    tried : dict of int to int32[grouped voters]
        Labels for each number of groups that was tried; `labels` for the published number.
    largest, starts
        Largest number of groups tried, and from how many starts each.
    """

    matrix: VoteMatrix
    is_grouped: NDArray[np.bool_]
    labels: NDArray[np.int32]
    tried: dict[int, NDArray[np.int32]]
    largest: int
    starts: int


class Overlap(NamedTuple):
    """How two divisions of the same voters compare: a published one and one of a resample.

    Attributes
    ----------
    jaccard : float64[published groups]
        Largest Jaccard overlap of the group with a group of the resample; nan for a group without voters.
    stays : bool[voters]
        Whether the voter is in the group paired with its own.
    adjusted_rand
        Adjusted Rand index of the two divisions.
    """

    jaccard: NDArray[np.float64]
    stays: NDArray[np.bool_]
    adjusted_rand: float


class Comparison(NamedTuple):
    """One resample against the snapshot: its best number of groups, and how it compares in several ways."""

    best: int
    free: Overlap
    same: Overlap
    adjusted_rand: dict[int, float]


def build_stability(
    vote_matrix: pa.Table,
    voted_items: pa.Table,
    base_clusters: pa.Table,
    groupings: pa.Table,
    voter_groups: pa.Table,
    *,
    config: OpinionsConfig,
    workers: int | None = None,
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return the tables `group_stability`, `voter_stability` and `grouping_stability`.

    All three are empty where there are no groups and where ``config.resamples`` is 0. Of more than
    ``config.resampled_voters`` voters a fixed random sample takes part, and `voter_stability` holds the sample only.
    The result is the same for any number of `workers` (threads; by default one for each core, at most eight).
    """
    from threadpoolctl import threadpool_limits

    groupings = groupings.filter(pc.is_null(groupings["parent_id"]))
    if config.resamples == 0 or groupings.num_rows == 0:
        return tuple(TABLES[name].empty() for name in STABILITY_TABLES)
    sampling, *rngs = np.random.default_rng(config.seed).spawn(config.resamples + 1)
    rows = _sampled_rows(vote_matrix.num_rows, config.resampled_voters, sampling)
    group_ids = np.unique(voter_groups["group_id"].drop_null().to_numpy())
    snapshot = _snapshot(vote_matrix, voted_items, base_clusters, groupings, voter_groups, rows, group_ids, config)
    workers = workers or min(cores(), MAX_WORKERS)
    # Threads of BLAS gain nothing on matrices so small and would compete with those that share out the resamples.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(lambda rng: _resample(snapshot, rng, len(group_ids), config), rngs))
    sampled = voter_groups.take(rows).filter(snapshot.is_grouped)
    return (
        _group_stability(found, group_ids),
        _voter_stability(found, sampled),
        _grouping_stability(found, groupings, chosen=len(group_ids)),
    )


def compare(labels: NDArray[np.int32], others: NDArray[np.int32], *, n_groups: int, n_others: int) -> Overlap:
    """Compare the groups of voters in one division (int32[voters] `labels`) with those in another (`others`).

    Groups are paired one to one so that as many voters as possible are in a pair of groups.
    """
    from scipy.optimize import linear_sum_assignment

    shared = np.bincount(labels * np.int64(n_others) + others, minlength=n_groups * n_others)
    shared = shared.reshape(n_groups, n_others)
    sizes, other_sizes = shared.sum(axis=1), shared.sum(axis=0)
    jaccard = (shared / np.maximum(sizes[:, np.newaxis] + other_sizes - shared, 1)).max(axis=1)
    jaccard[sizes == 0] = np.nan
    partner = np.full(n_groups, -1)
    paired, partners = linear_sum_assignment(shared, maximize=True)
    partner[paired] = partners
    return Overlap(jaccard, partner[labels] == others, _adjusted_rand(shared))


def _adjusted_rand(shared: NDArray[np.int64]) -> float:
    """Return the adjusted Rand index from a table of shared members; 1 where both are a single group.

    Source: Hubert and Arabie 1985.
    """
    pairs, ours, others, everyone = (
        float((counts * (counts - 1) // 2).sum())
        for counts in (shared, shared.sum(axis=1), shared.sum(axis=0), shared.sum())
    )
    expected = ours * others / everyone if everyone else 0.0
    largest = (ours + others) / 2
    return (pairs - expected) / (largest - expected) if largest != expected else 1.0


def _sampled_rows(n_voters: int, limit: int, rng: np.random.Generator) -> NDArray[np.int64]:
    if n_voters <= limit:
        return np.arange(n_voters)
    return np.sort(rng.choice(n_voters, limit, replace=False))


def _snapshot(
    vote_matrix: pa.Table,
    voted_items: pa.Table,
    base_clusters: pa.Table,
    groupings: pa.Table,
    voter_groups: pa.Table,
    rows: NDArray[np.int64],
    group_ids: NDArray[np.int32],
    config: OpinionsConfig,
) -> Snapshot:
    largest = most_groups(base_clusters.num_rows, config=config)
    grouped = voter_groups.filter(voter_groups["group_id"].is_valid())
    base = pc.index_in(grouped["base_cluster_id"], base_clusters["base_cluster_id"].combine_chunks()).to_numpy()
    is_grouped = voter_groups["group_id"].is_valid().to_numpy()
    takes_part = np.isin(np.flatnonzero(is_grouped), rows, assume_unique=True)
    labels = np.searchsorted(group_ids, grouped["group_id"].to_numpy()).astype(np.int32)
    divisions = zip(groupings["groups"].to_pylist(), groupings["labels"].to_pylist(), strict=True)
    tried = {k: np.unique(of, return_inverse=True)[1].astype(np.int32)[base[takes_part]] for k, of in divisions}
    tried[len(group_ids)] = labels[takes_part]
    matrix = read_vote_matrix(vote_matrix.take(rows), voted_items)
    return Snapshot(matrix, is_grouped[rows], labels[takes_part], tried, largest, group_starts(grouped.num_rows))


def _resample(snapshot: Snapshot, rng: np.random.Generator, n_groups: int, config: OpinionsConfig) -> Comparison:
    rows, times = draw(len(snapshot.is_grouped), rng)
    divisions = divide_resample(
        snapshot.matrix,
        snapshot.is_grouped,
        rows=rows,
        times=times,
        largest=snapshot.largest,
        starts=snapshot.starts,
        config=config,
    )
    best = max(divisions, key=lambda division: (division.silhouette, division.groups))
    by_number = {k: _compare(labels, _at_most(divisions, k), k) for k, labels in snapshot.tried.items()}
    return Comparison(
        best.groups,
        _compare(snapshot.labels, best, n_groups),
        by_number[n_groups],
        {k: overlap.adjusted_rand for k, overlap in by_number.items()},
    )


def _compare(labels: NDArray[np.int32], division: Division, n_groups: int) -> Overlap:
    return compare(labels, division.labels, n_groups=n_groups, n_others=division.groups)


def _at_most(divisions: Sequence[Division], k: int) -> Division:
    """Return the division into `k` groups, or into the next smaller number that was found."""
    return [divisions[0], *(division for division in divisions if division.groups <= k)][-1]


def _group_stability(found: Sequence[Comparison], group_ids: NDArray[np.int32]) -> pa.Table:
    free = np.stack([comparison.free.jaccard for comparison in found])
    same = np.stack([comparison.same.jaccard for comparison in found])
    is_known = ~np.isnan(free[0])
    columns = {
        "stability": free.mean(axis=0),
        "stability_same_k": same.mean(axis=0),
        "dissolved": (free <= DISSOLVED).mean(axis=0),
    }
    table = {name: pa.array(values, mask=~is_known) for name, values in columns.items()}
    resamples = np.full(len(group_ids), len(found))
    return conform(pa.table({"group_id": group_ids, **table, "resamples": resamples}), TABLES["group_stability"])


def _voter_stability(found: Sequence[Comparison], voters: pa.Table) -> pa.Table:
    stays, stays_same = np.zeros(voters.num_rows), np.zeros(voters.num_rows)
    for comparison in found:
        stays += comparison.free.stays
        stays_same += comparison.same.stays
    table = {
        "voter_id": voters["voter_id"],
        "group_id": voters["group_id"],
        "stability": stays / len(found),
        "stability_same_k": stays_same / len(found),
        "resamples": np.full(voters.num_rows, len(found)),
    }
    return conform(pa.table(table), TABLES["voter_stability"])


def _grouping_stability(found: Sequence[Comparison], groupings: pa.Table, *, chosen: int) -> pa.Table:
    best = [comparison.best for comparison in found]
    silhouettes = dict(zip(groupings["groups"].to_pylist(), groupings["silhouette"].to_pylist(), strict=True))
    ranked = sorted(silhouettes, key=lambda k: (-silhouettes[k], -k))
    numbers = sorted({chosen, *silhouettes, *best} - {1})
    rows = [
        {
            "groups": k,
            "is_chosen": k == chosen,
            "silhouette": silhouettes.get(k),
            "rank": ranked.index(k) + 1 if k in silhouettes else None,
            "support": best.count(k) / len(found),
            "adjusted_rand": _mean([c.free.adjusted_rand for c in found]) if k == chosen else None,
            "adjusted_rand_same_k": _mean([c.adjusted_rand[k] for c in found if k in c.adjusted_rand]),
            "resamples": len(found),
        }
        for k in numbers
    ]
    contract = TABLES["grouping_stability"]
    return conform(pa.Table.from_pylist(rows, schema=contract.schema()), contract)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
