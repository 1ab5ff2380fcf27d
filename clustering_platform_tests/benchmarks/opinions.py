"""Votes to groups: ours beside dense mean imputation, PCA, k-means and silhouette over all voters.

The votes are synthetic: four planted groups, log-normal activity. The score is the adjusted Rand index of found
against planted groups, over grouped voters.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from clustering_platform.datasets import OpinionsConfig
from clustering_platform.ingest.log_tables import first_appearances
from clustering_platform.store.files import Files
from clustering_platform.tables import TABLES, conform
from clustering_platform_tests.benchmarks.measure import measure

SETS = {"A": (10_000, 500, 50), "B": (100_000, 1000, 50)}
DAY = date(2026, 6, 30)
GROUPS = 4
FEW = 2000


def main() -> None:
    """Print a line for each set and method."""
    for name, (voters, items, each) in SETS.items():
        print(f"set {name}: {voters:,} voters, {items:,} items, about {voters * each:,} votes")
        print(f"  ours      {measure(ours, voters, items, each)}")
        print(f"  baseline  {measure(baseline, voters, items, each)}")


def generate(voters: int, items: int, each: int) -> tuple[np.ndarray[Any, Any], ...]:
    """Return voters, items and votes of a log in order of time, and the planted group of each voter."""
    rng = np.random.default_rng(7)
    planted = rng.integers(0, GROUPS, voters)
    leaning = rng.uniform(0.1, 0.9, (GROUPS, items))
    counts = np.clip(rng.lognormal(np.log(each) - 0.32, 0.8, voters).astype(int), 8, items)
    voter = np.repeat(np.arange(voters), counts)
    item = rng.integers(0, items, voter.size)
    agrees = rng.random(voter.size) < leaning[planted[voter], item]
    vote = np.where(rng.random(voter.size) < 0.1, 0, np.where(agrees, 1, -1)).astype(np.int8)
    order = rng.permutation(voter.size)
    return voter[order], item[order], vote[order], planted


def ours(voters: int, items: int, each: int) -> Callable[[], float]:
    """Return the platform's own computation from the stored log, ready to start.

    It has run once on a few votes: what is imported and compiled by then is not measured.
    """
    from sklearn.metrics import adjusted_rand_score

    from clustering_platform.opinions.compute import compute_opinions

    voter, item, vote, planted = generate(voters, items, each)
    tables = _tables(voter, item, vote, items)
    compute_opinions(tables[0].slice(0, FEW), *tables[1:], day=DAY, config=OpinionsConfig())
    folder = tempfile.TemporaryDirectory()
    files = Files(Path(folder.name))
    votes, voters_table, items_table = (
        files.open(files.write(table, TABLES[name], dataset="bench", day=None, run_id="run", inputs={}))
        for name, table in zip(("votes", "voters", "items"), tables, strict=True)
    )

    def compute() -> float:
        with folder:
            read = voters_table.read("voter_id"), items_table.read("item_id", "moderation", "is_meta")
            voters = compute_opinions(votes, *read, day=DAY, config=OpinionsConfig())["voter_groups"]
        grouped = voters.filter(voters["group_id"].is_valid())
        numbers = [int(name[1:]) for name in grouped["voter_id"].to_pylist()]
        return float(adjusted_rand_score(planted[numbers], grouped["group_id"].to_numpy()))

    return compute


def baseline(voters: int, items: int, each: int) -> Callable[[], float]:
    """Return the plain way, ready to start."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    voter, item, vote, planted = generate(voters, items, each)

    def compute() -> float:
        dense = np.full((voters, items), np.nan, dtype=np.float32)
        dense[voter, item] = vote
        means = np.nanmean(dense, axis=0)
        filled = np.where(np.isnan(dense), means, dense)
        places = PCA(2, random_state=0).fit_transform(filled)
        labels = [KMeans(k, n_init=1, random_state=0).fit_predict(places) for k in range(2, 6)]
        best = max(labels, key=lambda found: silhouette_score(places, found, sample_size=20_000, random_state=0))
        return float(adjusted_rand_score(planted, best))

    return compute


def _tables(
    voter: np.ndarray[Any, Any], item: np.ndarray[Any, Any], vote: np.ndarray[Any, Any], items: int
) -> tuple[pa.Table, pa.Table, pa.Table]:
    start = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp()) * 1_000_000
    names = pa.array([f"v{number}" for number in range(int(voter.max()) + 1)])
    statements = pa.array([f"s{number}" for number in range(items)])
    rows = len(voter)
    numbers, first = first_appearances(voter.astype(np.int32))
    times = start + np.arange(rows) * 1000
    last = np.zeros(len(first), np.int64)
    last[numbers] = np.arange(rows)
    votes = {
        "sequence": np.arange(rows),
        "voter_number": numbers,
        "voter_id": names.take(pa.array(voter)),
        "voter_type": pa.repeat("user", rows),
        "item_number": item,
        "item_id": statements.take(pa.array(item)),
        "vote": vote,
        "voted_at": pa.array(times, pa.timestamp("us", "UTC")),
        "is_superseded": pa.repeat(False, rows),
    }
    voters = {
        "voter_number": np.arange(len(first)),
        "voter_id": names.take(pa.array(voter[first])),
        "voter_type": pa.repeat("user", len(first)),
        "votes": np.bincount(numbers),
        "first_vote_at": pa.array(times[first], pa.timestamp("us", "UTC")),
        "last_vote_at": pa.array(times[last], pa.timestamp("us", "UTC")),
    }
    listed = {
        "item_id": statements,
        "text": statements,
        "created_at": pa.nulls(items, pa.timestamp("us", "UTC")),
        "author_id": pa.nulls(items, pa.string()),
        "moderation": pa.repeat(pa.scalar(1, pa.int8()), items),
        "is_meta": pa.repeat(False, items),
        "is_seed": pa.repeat(False, items),
        "is_listed": pa.repeat(True, items),
        "first_vote_at": pa.nulls(items, pa.timestamp("us", "UTC")),
        "metadata": pa.nulls(items, pa.string()),
    }
    made = {"votes": votes, "voters": voters, "items": listed}
    votes_table, voters_table, items_table = (conform(pa.table(made[name]), TABLES[name]) for name in made)
    return votes_table, voters_table, items_table


if __name__ == "__main__":
    main()
