"""The snapshot as a whole: whether there is enough for groups, and the one row that sums it up."""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.gather import cell_type
from clustering_platform.opinions.log import Log, as_log, rows_within, time_of
from clustering_platform.opinions.matrix import split_cells
from clustering_platform.opinions.packing import unpack
from clustering_platform.opinions.space import read_places
from clustering_platform.tables import TABLES, conform

SAME_PLACE = 1e-9
"""Grouped voters no farther apart than this share of their coordinates stand at one place."""


def snapshot_status(
    vote_matrix: pa.Table, opinion_space: pa.Table, *, config: OpinionsConfig
) -> tuple[str, str | None]:
    """Return the status of a snapshot and, unless it is `ready`, the reason with have and need."""
    if vote_matrix.num_rows < config.min_voters:
        return "insufficient_voters", (
            f"{vote_matrix.num_rows} < {config.min_voters} voters: groups are formed from {config.min_voters} on "
            "(opinions.min_voters)"
        )
    places = read_places(opinion_space, "voter")[1][vote_matrix["is_grouped"].to_numpy()]
    if max(np.ptp(axis) for axis in places.T) <= SAME_PLACE * np.abs(places).max():
        return "no_variation", f"all {len(places)} voters with enough votes stand at one place"
    return "ready", None


def build_opinion_snapshot(
    votes: pa.Table | Log,
    vote_matrix: pa.Table,
    voted_items: pa.Table,
    opinion_space: pa.Table,
    base_clusters: pa.Table,
    groupings: pa.Table,
    *,
    day: date,
    config: OpinionsConfig,
) -> pa.Table:
    """Return the table `opinion_snapshot`: one row; no packed votes are needed where no item is moderated out."""
    status, reason = snapshot_status(vote_matrix, opinion_space, config=config)
    log = as_log(votes)
    rows = rows_within(log, day=day, window=config.window)
    chosen = groupings.filter(pc.and_(groupings["is_chosen"], pc.is_null(groupings["parent_id"]))).to_pylist()
    row = {
        "status": status,
        "reason": reason,
        "voters": vote_matrix.num_rows,
        "grouped_voters": int(vote_matrix["is_grouped"].to_numpy().sum()),
        "items": voted_items.num_rows,
        "votes": int(vote_matrix["votes_cast"].to_numpy().sum()),
        "base_clusters": base_clusters.num_rows,
        "groups": chosen[0]["groups"] if chosen else 0,
        "silhouette": chosen[0]["silhouette"] if chosen else None,
        "variance_shares": variance_shares(vote_matrix, voted_items, opinion_space).tolist(),
        "first_vote_at": time_of(log, rows.start) if rows else None,
        "last_vote_at": time_of(log, rows.stop - 1) if rows else None,
        "log_rows": rows.stop,
        "log_digest": log.digest(rows.stop),
    }
    contract = TABLES["opinion_snapshot"]
    return conform(pa.Table.from_pylist([row], schema=contract.schema()), contract)


def variance_shares(vote_matrix: pa.Table, voted_items: pa.Table, opinion_space: pa.Table) -> NDArray[np.float64]:
    """Return the share of the variance along each component: float64[2], zeros where nothing varies.

    It follows from sums: over the items for the whole (agree + disagree - (agree - disagree)^2 / seen), and over the
    voters along a component, whose places are taken back to what they were before ``space.project_voters`` spread
    them. The votes themselves are looked at only where items are moderated out.
    """
    out = voted_items["is_moderated_out"].to_numpy()
    agree, disagree, seen = (voted_items[name].to_numpy()[~out] for name in ("agree", "disagree", "seen"))
    total = float((agree + disagree - np.square(agree - disagree, dtype=np.float64) / seen).sum())
    places = read_places(opinion_space, "voter")[1]
    counted = vote_matrix["votes_cast"].to_numpy() - _votes_on(out, vote_matrix) + out.sum()
    along = np.square(places).T @ (np.maximum(counted, 1) / max(out.size, 1))
    shares: NDArray[np.float64] = along / total if total else np.zeros_like(along)
    return shares


def _votes_on(chosen: NDArray[np.bool_], vote_matrix: pa.Table) -> NDArray[np.int32]:
    """Count the votes of each voter on some of the items (bool[items]): int32[voters]."""
    votes_cast = vote_matrix["votes_cast"].to_numpy()
    if not chosen.any():
        return np.zeros_like(votes_cast)
    columns = split_cells(unpack(vote_matrix["votes"], cell_type(chosen.size)))[0]
    starts = np.cumsum(votes_cast, dtype=np.int64) - votes_cast
    counts: NDArray[np.int32] = np.add.reduceat(chosen[columns], starts, dtype=np.int32)
    return counts
