"""Votes to groups: ours beside dense mean imputation, PCA, k-means and silhouette, on synthetic sets of known groups.

Every round is a process of its own, in which a small set has warmed everything up before. Ours is timed from the log
on disk to the commit, asset by asset; the baseline from the same log to groups in memory. The agreement with the
planted groups is the adjusted Rand index (ARI) over voters with at least seven votes, which all voters of the sets
have.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustering_platform.dataset_config import DatasetConfig
from clustering_platform_tests.benchmarks.measure import Meter, Spread, fresh
from clustering_platform_tests.benchmarks.pipeline import Timed, run_stored
from clustering_platform_tests.benchmarks.stored import SETS, SIZES, WARM_UP, StoredSet, stored_set

ROUNDS = 5
FEWEST_VOTES = DatasetConfig().opinions.min_votes
MOST_GROUPS = 5
SILHOUETTE_SAMPLE = 20_000
DENSE_COPIES = 3
"""So many dense copies of the votes the baseline holds at its peak: as read, and two inside of PCA."""


@dataclass(frozen=True)
class Round:
    """What one round of ours took and found.

    `ari` is the agreement of the groups with those planted, `few` and `others` the same over the quarter of voters
    with the fewest votes and over the others; `places` that of k-means told the number of groups, on our map, and
    `base_clusters` that of base clusters if each counts as the group that most of its voters are of.
    """

    timed: Timed
    k: int
    ari: float
    places: float
    base_clusters: float
    few: float
    others: float


@dataclass(frozen=True)
class Baseline:
    """What one round of the baseline took and found."""

    seconds: float
    cpu: float
    megabytes: float
    k: int
    ari: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures of each set, and how time grows from set to set."""
    parser = argparse.ArgumentParser(prog="opinions", description=__doc__)
    parser.add_argument("--sets", default="A,B", help="sets to run, of A, B, C and D (default: A,B)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds of each measurement (default: {ROUNDS})")
    parser.add_argument("--seed", type=int, default=7, help="seed of the sets")
    parser.add_argument("--no-baseline", action="store_true", help="leave the baseline out")
    chosen = parser.parse_args(arguments)
    fresh(_stored, WARM_UP, chosen.seed)
    medians: dict[str, tuple[int, float]] = {}
    names = chosen.sets.split(",")
    if unknown := set(names) - set(SETS):
        parser.error(f"no set {', '.join(sorted(unknown))}; known: {', '.join(SETS)}")
    for name in names:
        size, stored = SETS[name], fresh(_stored, name, chosen.seed)[0]
        print(f"set {name}: {size.voters:,} voters, {size.items:,} items, {stored.votes:,} votes", flush=True)
        rounds: list[Round] = fresh(ours, stored, chosen.seed, False, rounds=chosen.rounds)
        _print_ours(rounds)
        full = [each.timed for each in rounds]
        medians[name] = stored.votes, Spread.of(each.seconds for each in full).median
        _print_increment(full, [each.timed for each in fresh(ours, stored, chosen.seed, True, rounds=chosen.rounds)])
        if not chosen.no_baseline:
            _print_baseline(stored, chosen.rounds, medians[name][1])
    _print_growth({name: figures for name, figures in medians.items() if name != "A"})


def _stored(name: str, seed: int) -> StoredSet:
    return stored_set(name, seed=seed)


def ours(stored: StoredSet, seed: int, is_increment: bool) -> Round:
    """Run the platform over a set."""
    run_stored(stored_set(WARM_UP, seed=seed), is_increment=is_increment)
    timed, voters = run_stored(stored, is_increment=is_increment)
    ids, planted = stored.planted()
    if not voters["voter_id"].combine_chunks().equals(ids):
        raise AssertionError("voters are not in order of their first votes")
    group, base = (voters[name].to_numpy() for name in ("group_id", "base_cluster_id"))
    votes = voters["votes_cast"].to_numpy()
    is_grouped = votes >= FEWEST_VOTES
    planted, group, base, votes = (array[is_grouped] for array in (planted, group, base, votes))
    places = np.column_stack([voters[axis].to_numpy() for axis in "xy"])[is_grouped]
    few = votes < np.quantile(votes, 0.25)
    return Round(
        timed=timed,
        k=np.unique(group).size,
        ari=_ari(planted, group),
        places=_ari(planted, _kmeans(places, int(planted.max()) + 1)),
        base_clusters=_ari(planted, _majority(planted, base.astype(np.int64))),
        few=_ari(planted[few], group[few]),
        others=_ari(planted[~few], group[~few]),
    )


def baseline(stored: StoredSet) -> Baseline:
    """Run the plain way over a set: everything dense, all voters in k-means, a sample of them in the silhouette."""
    from sklearn.decomposition import PCA
    from sklearn.metrics import silhouette_score

    _kmeans(np.random.default_rng(0).random((100, 2)), 2)
    PCA(2).fit(np.eye(3))
    stored.files.read(stored.find("votes"))  # from now on it is not the disk that is timed
    with Meter() as meter:
        votes = stored.files.read(stored.find("votes")).select(["voter_id", "item_id", "vote"])
        voters, items = (votes[name].combine_chunks().dictionary_encode() for name in ("voter_id", "item_id"))
        dense = np.full((len(voters.dictionary), len(items.dictionary)), np.nan, np.float32)
        dense[voters.indices.to_numpy(), items.indices.to_numpy()] = votes["vote"].to_numpy()
        votes_cast = np.count_nonzero(~np.isnan(dense), axis=1)
        for column in dense.T:
            column[np.isnan(column)] = np.nanmean(column)
        places = PCA(2, random_state=0).fit_transform(dense)
        tried = [_kmeans(places, k) for k in range(2, MOST_GROUPS + 1)]
        sample = min(SILHOUETTE_SAMPLE, len(places))
        best = max(tried, key=lambda labels: silhouette_score(places, labels, sample_size=sample, random_state=0))
    ids, planted = stored.planted()
    if not voters.dictionary.equals(ids):
        raise AssertionError("voters are not in order of their first votes")
    is_scored = votes_cast >= FEWEST_VOTES
    ari = _ari(planted[is_scored], best[is_scored])
    return Baseline(meter.seconds, meter.cpu, meter.megabytes, int(best.max()) + 1, ari)


def _ari(planted: NDArray[np.int8], found: NDArray[np.integer]) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(planted, found))


def _kmeans(places: NDArray[np.floating], k: int) -> NDArray[np.int32]:
    from sklearn.cluster import KMeans

    labels: NDArray[np.int32] = KMeans(k, n_init=1, random_state=0).fit_predict(places)
    return labels


def _majority(planted: NDArray[np.int8], clusters: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each voter the planted group that most of the voter's cluster belong to."""
    n_groups = int(planted.max()) + 1
    counts = np.bincount(clusters * n_groups + planted, minlength=(int(clusters.max()) + 1) * n_groups)
    most: NDArray[np.int64] = counts.reshape(-1, n_groups).argmax(axis=1)
    return most[clusters]


def _print_ours(rounds: Sequence[Round]) -> None:
    timed = [each.timed for each in rounds]
    _line(
        "ours, log to commit",
        f"{Spread.of(each.seconds for each in timed)} s",
        f"{Spread.of(each.cpu for each in timed)} CPU s",
        f"{Spread.of(each.megabytes for each in timed)} MB above imports",
    )
    for step in timed[0].steps:
        _line(f"  {step}", f"{Spread.of(each.steps[step] for each in timed)} s")
    _line("reading back between assets", f"{Spread.of(each.reading_back for each in timed)} s")
    _line("checking contracts", f"{Spread.of(each.checking for each in timed)} s")
    for step in timed[0].beyond:
        _line(f"beyond the core: {step}", f"{Spread.of(each.beyond[step] for each in timed)} s")
    _line("the whole day", f"{Spread.of(each.whole for each in timed)} s")
    first = rounds[0]
    parts = f"the quarter with fewest votes {first.few:.3f}, others {first.others:.3f}"
    _line("groups found", f"k {first.k}, ARI {first.ari:.3f} to the planted ({parts})")
    _line(
        "where it is lost",
        f"k-means told k, on our map: {first.places:.3f}; base clusters by majority: "
        f"{first.base_clusters:.3f}; groups: {first.ari:.3f}",
    )


def _print_increment(full: Sequence[Timed], increment: Sequence[Timed]) -> None:
    """Print what a day with 1 % new votes takes, after one of which everything is stored."""
    core, whole = (
        [Spread.of(getattr(each, name) for each in timed) for timed in (increment, full)]
        for name in ("seconds", "whole")
    )
    _line("1 % new votes", f"{core[0]} s, {core[0].median / core[1].median:.0%} of a full run")
    for step in ("vote_matrix", "writing"):
        _line(f"  {step}", f"{Spread.of(each.steps[step] for each in increment)} s")
    _line("  the whole day", f"{whole[0]} s, {whole[0].median / whole[1].median:.0%} of a full run")


def _print_baseline(stored: StoredSet, rounds: int, full: float) -> None:
    size = SIZES[stored.name]
    needed, free = DENSE_COPIES * size.voters * size.items * 4 / 2**30, _free_memory()
    if needed > free:
        _line("baseline", f"not taken: needs about {needed:.0f} GB, {free:.0f} GB are free")
        return
    results: list[Baseline] = fresh(baseline, stored, rounds=rounds)
    seconds = Spread.of(each.seconds for each in results)
    _line(
        "baseline",
        f"{seconds} s",
        f"{Spread.of(each.cpu for each in results)} CPU s",
        f"{Spread.of(each.megabytes for each in results)} MB above imports",
    )
    _line("baseline's groups", f"k {results[0].k}, ARI {results[0].ari:.3f} to the planted")
    _line("ours against baseline", f"{seconds.median / full:.1f} times as fast")


def _print_growth(medians: dict[str, tuple[int, float]]) -> None:
    """Print the exponent of time over votes: the slope of a straight line through their logarithms."""
    if len(medians) > 1:
        votes, seconds = np.log(np.array(list(medians.values()))).T
        print(f"growth {' '.join(medians)}: seconds ~ votes^{np.polyfit(votes, seconds, 1)[0]:.2f}")


def _free_memory() -> float:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


def _line(name: str, *figures: str) -> None:
    print(f"  {name:<34} {'   '.join(figures)}", flush=True)


if __name__ == "__main__":
    main()
