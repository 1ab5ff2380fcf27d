"""The vote matrix: which vote of each voter on each item counts, as tables and as arrays.

How the votes of the log come together belongs in ``gather`` and ``increment``, what is computed from the matrix in the
other modules of this package; cleaning the log belongs in ``ingest``.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.gather import cell_type, gather, starts_of
from clustering_platform.opinions.increment import StoredMatrix, go_on
from clustering_platform.opinions.log import Log, as_log, rows_within
from clustering_platform.opinions.packing import pack, unpack
from clustering_platform.tables import TABLES, conform

SMALLEST_GROUPED = 15
"""So many voters are grouped even where fewer have enough votes."""


@dataclass(frozen=True)
class VoteMatrix:
    """The last votes in compressed sparse row form: those of voter i are ``cells[starts[i]:starts[i + 1]]``.

    Attributes
    ----------
    voter_ids, item_ids : pa.Array
        Ids of the rows and columns.
    starts : int64[voters + 1]
    cells : uint16[votes], uint32 for more than 16,384 items
        ``4 * column + vote + 1``, ascending within a row; see `split_cells`.
    is_grouped : bool[voters]
        Whether the voter has enough votes to be grouped.
    is_moderated_out : bool[items]
        Whether the votes on the item count as zero in the opinion space.
    """

    voter_ids: pa.Array
    item_ids: pa.Array
    starts: NDArray[np.int64]
    cells: NDArray[np.unsignedinteger]
    is_grouped: NDArray[np.bool_]
    is_moderated_out: NDArray[np.bool_]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of voters and of items."""
        return len(self.voter_ids), len(self.item_ids)

    @property
    def votes_cast(self) -> NDArray[np.int32]:
        """Items that each voter voted on, passes and moderated items included: int32[voters]."""
        return np.diff(self.starts).astype(np.int32)


def split_cells(cells: NDArray[np.unsignedinteger]) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Return the columns of some cells, and the votes: 1 agree, 0 pass, -1 disagree."""
    return (cells >> 2).astype(np.int32), (cells & 3).astype(np.int8) - np.int8(1)


def read_vote_matrix(vote_matrix: pa.Table, voted_items: pa.Table) -> VoteMatrix:
    """Return the arrays of the tables `vote_matrix` and `voted_items`; votes that lie in one piece are not copied."""
    starts = starts_of(vote_matrix["votes_cast"].to_numpy())
    matrix = VoteMatrix(
        voter_ids=_one_array(vote_matrix["voter_id"]),
        item_ids=_one_array(voted_items["item_id"]),
        starts=starts,
        cells=unpack(vote_matrix["votes"], cell_type(voted_items.num_rows)),
        is_grouped=vote_matrix["is_grouped"].to_numpy(),
        is_moderated_out=voted_items["is_moderated_out"].to_numpy(),
    )
    if matrix.cells.size != starts[-1]:
        raise ValueError("vote_matrix and voted_items do not belong together, or votes_cast is wrong")
    return matrix


def build_vote_matrix(
    votes: pa.Table | Log,
    voters: pa.Table,
    items: pa.Table,
    *,
    day: date,
    config: OpinionsConfig,
    stored: StoredMatrix | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Return the tables `vote_matrix` and `voted_items` as of the end of `day` (UTC).

    Of the votes within the window, the last by `sequence` of each voter on each item counts. Voters and items stand
    in order of their first vote within the window; items that nobody voted on have no column.

    Parameters
    ----------
    votes
        The table `votes`, or its stored file, which is read piece by piece.
    voters, items
        The tables that numbers in `votes` point into; of `voters`, only the ids are needed.
    stored
        A matrix made of all of the first votes of this log, from which to go on where the window is `all`; the
        result is the same without it.
    """
    log = as_log(votes)
    rows = rows_within(log, day=day, window=config.window)
    cells = go_on(stored, log, rows.stop, voters, items) if stored and config.window == "all" else None
    if cells is None:
        cells = gather(log, rows, n_voters=voters.num_rows, n_items=items.num_rows)
    votes_cast = np.diff(cells.starts)
    vote_matrix = pa.table(
        {
            "position": np.arange(votes_cast.size, dtype=np.int32),
            "voter_id": _take(voters["voter_id"], cells.voters),
            "votes_cast": votes_cast,
            "is_grouped": has_enough_votes(votes_cast, n_items=cells.items.size, min_votes=config.min_votes),
            "votes": pack(cells.cells, cells.starts),
        }
    )
    return conform(vote_matrix, TABLES["vote_matrix"]), _voted_items(items.take(pa.array(cells.items)), cells.counts)


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


def _voted_items(items: pa.Table, counts: NDArray[np.int64]) -> pa.Table:
    table = pa.table(
        {
            "position": np.arange(items.num_rows, dtype=np.int32),
            "item_id": items["item_id"],
            "is_moderated_out": pc.or_(pc.equal(items["moderation"], -1), items["is_meta"]),
            "is_meta": items["is_meta"],
            **vote_counts(counts),
        }
    )
    return conform(table, TABLES["voted_items"])


def _take(values: pa.ChunkedArray, rows: NDArray[np.int32]) -> pa.ChunkedArray:
    """Return the values of some rows; of the first rows in order, without copying them."""
    if np.array_equal(rows, np.arange(rows.size)):
        return values.slice(0, rows.size)
    return values.take(pa.array(rows))


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
