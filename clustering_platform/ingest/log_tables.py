"""The tables made of a log of votes: the votes themselves and their voters.

Reading the votes belongs in ``votes``, the items in ``items``.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.ingest.arrays import take_text
from clustering_platform.ingest.votes import VOTER_TYPES, Order, VoteLog
from clustering_platform.tables import TABLES, conform


def log_tables(
    log: VoteLog, order: Order, *, people: pa.Array, item_ids: pa.Array, item_rows: NDArray[np.int32]
) -> tuple[pa.Table, pa.Table]:
    """Return the tables `votes` and `voters`.

    Parameters
    ----------
    people, item_ids : StringArray
        What to call the voters and items of each number.
    item_rows : int32[items]
        Row in the table `items` of the item of each number.
    """
    log = log.take(order.rows)
    numbers, first = first_appearances(log.voters)
    voter_type = take_text(pa.array(VOTER_TYPES), log.is_session.astype(np.int8))
    votes = {
        "sequence": np.arange(len(log), dtype=np.int64),
        "voter_number": numbers,
        "voter_id": take_text(people, log.voters),
        "voter_type": voter_type,
        "item_number": item_rows[log.items],
        "item_id": take_text(item_ids, log.items),
        "vote": log.votes,
        "voted_at": _times(log.times),
        "is_superseded": order.is_superseded,
    }
    last = np.zeros(len(first), np.int64)
    last[numbers] = np.arange(len(log))
    voters = {
        "voter_number": np.arange(len(first), dtype=np.int32),
        "voter_id": take_text(people, log.voters[first]),
        "voter_type": voter_type.take(pa.array(first)),
        "votes": np.bincount(numbers, minlength=len(first)),
        "first_vote_at": _times(log.times[first]),
        "last_vote_at": _times(log.times[last]),
    }
    return conform(pa.table(votes), TABLES["votes"]), conform(pa.table(voters), TABLES["voters"])


def first_vote_times(log: VoteLog, order: Order, *, n_items: int) -> pa.Array:
    """Return when the item of each number was first voted on, null where it never was: TimestampArray[items]."""
    rows = order.rows[first_appearances(log.items[order.rows])[1]]
    times, is_voted = np.zeros(n_items, np.int64), np.zeros(n_items, np.bool_)
    times[log.items[rows]], is_voted[log.items[rows]] = log.times[rows], True
    return pa.array(times, mask=~is_voted).cast(pa.timestamp("us", "UTC"))


def first_appearances(codes: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Give codes numbers in order of first appearance.

    Returns
    -------
    numbers : int32[rows]
    first : int64[distinct]
        Where each number comes first.
    """
    numbers = np.asarray(pa.array(codes).dictionary_encode().indices, np.int32)
    return numbers, np.flatnonzero(np.diff(np.maximum.accumulate(numbers), prepend=-1))


def _times(microseconds: NDArray[np.int64]) -> pa.Array:
    return pa.array(microseconds, pa.timestamp("us", "UTC"))
