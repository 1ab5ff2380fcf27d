"""The vote matrix: which vote of each voter on each item counts, as tables and as arrays.

What is computed from the matrix belongs in the other modules of this package; cleaning the log belongs in ``ingest``.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array

from clustering_platform.datasets import OpinionsConfig
from clustering_platform.opinions.blocks import in_parts, in_threads, row_blocks, sparse_rows
from clustering_platform.tables import TABLES, conform

SMALLEST_GROUPED = 15
"""So many voters are grouped even where fewer have enough votes."""


@dataclass(frozen=True)
class VoteMatrix:
    """The last votes in compressed sparse row form: voter i voted on ``columns[offsets[i]:offsets[i + 1]]``.

    Attributes
    ----------
    voter_ids, item_ids : pa.Array
        Ids of the rows and columns.
    offsets : int32[voters + 1]
    columns : int32[votes]
        Ascending within a row.
    votes : int8[votes]
        1 agree, 0 pass, -1 disagree.
    is_grouped : bool[voters]
        Whether the voter has enough votes to be grouped.
    is_moderated_out : bool[items]
        Whether the votes on the item count as zero in the opinion space.
    """

    voter_ids: pa.Array
    item_ids: pa.Array
    offsets: NDArray[np.int32]
    columns: NDArray[np.int32]
    votes: NDArray[np.int8]
    is_grouped: NDArray[np.bool_]
    is_moderated_out: NDArray[np.bool_]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of voters and of items."""
        return len(self.voter_ids), len(self.item_ids)

    @property
    def votes_cast(self) -> NDArray[np.int32]:
        """Items that each voter voted on, passes and moderated items included: int32[voters]."""
        return np.diff(self.offsets)

    def counts(self, clusters: NDArray[np.int32], n_clusters: int) -> NDArray[np.int64]:
        """Count the votes of each cluster on each item.

        Parameters
        ----------
        clusters : int32[voters]
            Cluster of each voter; negative for none.
        n_clusters
            Number of clusters.

        Returns
        -------
        int64[n_clusters, items, 3]
            How many disagreed, passed and agreed.
        """
        narrow = clusters.astype(np.min_scalar_type(-max(n_clusters, 1)))  # up to 16 bits are sorted in linear time
        order = np.argsort(narrow, kind="stable")
        order = order[np.searchsorted(clusters[order], 0) :]
        clusters = clusters[order]
        n_items = self.shape[1]
        votes = sparse_rows(self.votes, self.columns, self.offsets, self.shape)
        votes_cast = self.votes_cast[order]

        def count(rows: slice) -> tuple[slice, NDArray[np.int64]]:
            """Count the votes of voters with neighbouring clusters, so that few counts are in use at a time."""
            block, cast = votes[order[rows]], votes_cast[rows]
            present = slice(int(clusters[rows.start]), int(clusters[rows.stop - 1]) + 1)
            keys = np.repeat((clusters[rows] - present.start) * np.int64(3 * n_items) + 1, cast)
            keys += block.data
            keys += np.multiply(block.indices, 3, dtype=np.int64)
            size = (present.stop - present.start) * n_items * 3
            return present, np.bincount(keys, minlength=size).reshape(-1, n_items, 3)

        counts = np.zeros((n_clusters, n_items, 3), np.int64)
        for part in in_parts(row_blocks(np.append(0, np.cumsum(votes_cast)))):
            for present, found in in_threads(count, part):
                counts[present] += found
        return counts


def read_vote_matrix(vote_matrix: pa.Table, voted_items: pa.Table) -> VoteMatrix:
    """Return the arrays of the tables `vote_matrix` and `voted_items`; nothing is copied that lies in one chunk."""
    columns = _one_array(vote_matrix["item_positions"])
    offsets = columns.offsets.to_numpy()
    return VoteMatrix(
        voter_ids=_one_array(vote_matrix["voter_id"]),
        item_ids=_one_array(voted_items["item_id"]),
        offsets=offsets - offsets[0],
        columns=columns.flatten().to_numpy(),
        votes=_one_array(vote_matrix["votes"]).flatten().to_numpy(),
        is_grouped=vote_matrix["is_grouped"].to_numpy(),
        is_moderated_out=voted_items["is_moderated_out"].to_numpy(),
    )


def build_vote_matrix(
    votes: pa.Table, items: pa.Table, *, day: date, config: OpinionsConfig
) -> tuple[pa.Table, pa.Table]:
    """Return the tables `vote_matrix` and `voted_items` as of the end of `day` (UTC).

    Of the votes within the window, the last by `sequence` of each voter on each item counts. Voters and items stand
    in order of their first vote within the window; items that nobody voted on have no column.
    """
    log = _in_order(_within(votes, day=day, window=config.window))
    voters, voter_ids = _encode(log["voter_id"])
    columns, item_ids = _encode(log["item_id"])
    n_voters, n_items = len(voter_ids), len(item_ids)
    cells = _last_votes(voters, columns, shape=(n_voters, n_items))
    vote = log["vote"].to_numpy()[cells]
    votes_cast = np.bincount(voters[cells], minlength=n_voters)
    offsets = pa.array(np.concatenate([[0], np.cumsum(votes_cast)]), pa.int32())
    first, last = _first_rows(voters), _last_rows(voters, n_voters)
    vote_matrix = pa.table(
        {
            "position": np.arange(n_voters),
            "voter_id": voter_ids,
            "voter_type": log["voter_type"].take(first),
            "first_vote_at": log["voted_at"].take(first),
            "last_vote_at": log["voted_at"].take(last),
            "votes_cast": votes_cast,
            "is_grouped": has_enough_votes(votes_cast, n_items=n_items, min_votes=config.min_votes),
            "item_positions": pa.ListArray.from_arrays(offsets, pa.array(columns[cells])),
            "votes": pa.ListArray.from_arrays(offsets, pa.array(vote)),
        }
    )
    counts = np.bincount(columns[cells] * np.int64(3) + vote + 1, minlength=3 * n_items).reshape(n_items, 3)
    return conform(vote_matrix, TABLES["vote_matrix"]), _voted_items(item_ids, items, counts)


def has_enough_votes(
    votes_cast: NDArray[np.integer], *, n_items: int, min_votes: int, smallest: int = SMALLEST_GROUPED
) -> NDArray[np.bool_]:
    """Return which voters are grouped: those with `min_votes` votes, or with a vote on every item if those are fewer.

    Where this gives fewer than `smallest` voters, those with the most votes are added, the first voters first among
    equals. Source: Polis, ``in-conv``; without its memory of former days.
    """
    enough = votes_cast >= min(min_votes, n_items)
    missing = smallest - int(enough.sum())
    if missing > 0:
        others = np.flatnonzero(~enough)
        enough[others[np.argsort(-votes_cast[others], kind="stable")[:missing]]] = True
    return enough


def vote_counts(counts: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Return counts with a last axis of disagree, pass, agree as the columns agree, pass, disagree and seen."""
    return {
        "agree": counts[..., 2].ravel(),
        "pass": counts[..., 1].ravel(),
        "disagree": counts[..., 0].ravel(),
        "seen": counts.sum(axis=-1).ravel(),
    }


def _voted_items(item_ids: pa.Array, items: pa.Table, counts: NDArray[np.int64]) -> pa.Table:
    known = items.select(["moderation", "is_meta"]).take(pc.index_in(item_ids, items["item_id"].combine_chunks()))
    is_meta = pc.fill_null(known["is_meta"], False)
    is_rejected = pc.equal(pc.fill_null(known["moderation"], 0), -1)
    table = pa.table(
        {
            "position": np.arange(len(item_ids)),
            "item_id": item_ids,
            "is_moderated_out": pc.or_(is_rejected, is_meta),
            "is_meta": is_meta,
            **vote_counts(counts),
        }
    )
    return conform(table, TABLES["voted_items"])


def _within(votes: pa.Table, *, day: date, window: Literal["all"] | int) -> pa.Table:
    times = votes["voted_at"]
    inside = pc.less(times, _midnight(day + timedelta(days=1)))
    if window != "all":
        inside = pc.and_(inside, pc.greater_equal(times, _midnight(day - timedelta(days=window - 1))))
    return votes if pc.all(inside, min_count=0).as_py() else votes.filter(inside)


def _midnight(day: date) -> pa.Scalar:
    return pa.scalar(datetime.combine(day, time(), UTC), pa.timestamp("us", tz="UTC"))


def _in_order(votes: pa.Table) -> pa.Table:
    sequence = votes["sequence"].to_numpy()
    return votes if np.all(sequence[1:] > sequence[:-1]) else votes.take(np.argsort(sequence, kind="stable"))


def _encode(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], pa.Array]:
    """Return codes in order of first appearance, and the values they stand for."""
    encoded = column.dictionary_encode().unify_dictionaries()
    if encoded.num_chunks == 0:
        return np.empty(0, np.int32), pa.array([], column.type)
    return np.concatenate([chunk.indices.to_numpy() for chunk in encoded.chunks]), encoded.chunk(0).dictionary


def _first_rows(codes: NDArray[np.int32]) -> NDArray[np.int64]:
    return np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=-1) > 0)


def _last_rows(codes: NDArray[np.int32], n_codes: int) -> NDArray[np.int64]:
    rows = np.empty(n_codes, np.int64)
    rows[codes] = np.arange(codes.size)
    return rows


def _last_votes(
    voters: NDArray[np.int32], columns: NDArray[np.int32], *, shape: tuple[int, int]
) -> NDArray[np.integer]:
    """Return the rows of the log that hold the last vote of a voter on an item, by voter and item."""
    order = _stable_order(columns, shape[1])
    order = order[_stable_order(voters[order], shape[0])]
    voters, columns = voters[order], columns[order]
    is_last = np.ones(order.size, np.bool_)
    is_last[:-1] = (voters[1:] != voters[:-1]) | (columns[1:] != columns[:-1])
    last: NDArray[np.integer] = order[is_last]
    return last


def _stable_order(codes: NDArray[np.int32], n_codes: int) -> NDArray[np.integer]:
    """Sort codes below `n_codes` in linear time: the transposition of a sparse matrix is a stable counting sort."""
    one_hot = csr_array((np.ones(codes.size, np.bool_), codes, np.arange(codes.size + 1)), (codes.size, n_codes))
    order: NDArray[np.integer] = one_hot.tocsc().indices
    return order


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
