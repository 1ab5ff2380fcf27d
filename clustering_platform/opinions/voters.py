"""What is worked out for one voter when it is asked for: similar voters, items to recommend, the next items to show.

Nothing of it is stored; what is worked out for all voters at once belongs in ``voter_measures``.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.opinions.item_statistics import META_PRIORITY, priority
from clustering_platform.opinions.matrix import VoteMatrix, split_cells
from clustering_platform.opinions.passes import vote_sums
from clustering_platform.opinions.statistics import (
    FEWEST_VOTES,
    SIGNIFICANT,
    Counts,
    Floats,
    proportion,
    proportion_test,
)

MIN_SHARED = 5
MOST_VOTERS = 10
MOST_ITEMS = 10
DISAGREE, AGREE = 0, 2
UNKNOWN_PRIORITY = 1.0
"""Priority that Polis's server gives to an item whose priority is zero or missing."""


def find_voter(matrix: VoteMatrix, voter_id: str) -> int | None:
    """Return the row of a voter, None where there is none of that id."""
    row: int = pc.index(matrix.voter_ids, voter_id).as_py()
    return None if row < 0 else row


def votes_of(matrix: VoteMatrix, voter: int) -> tuple[NDArray[np.integer], NDArray[np.int8]]:
    """Return the columns of the items that a voter voted on, and the votes."""
    return split_cells(matrix.cells[matrix.starts[voter] : matrix.starts[voter + 1]])


def agreement(matrix: VoteMatrix, voter: int) -> tuple[Counts, Counts]:
    """Compare a voter with all voters.

    Returns
    -------
    shared : int64[voters]
        Items that both voted on, passes included.
    same : int64[voters]
        Those of them on which both voted the same.
    """
    columns, votes = votes_of(matrix, voter)
    figures = np.zeros((matrix.shape[1], 3, 2))
    figures[columns, :, 0] = 1
    figures[columns, votes + 1, 1] = 1
    shared, same = vote_sums(matrix, figures).astype(np.int64).T
    return shared, same


def similar_voters(
    matrix: VoteMatrix, voter: int, *, min_shared: int = MIN_SHARED, most: int = MOST_VOTERS
) -> pa.Table:
    """Return the voters who vote most like one voter, best first.

    The agreement of two voters is the share of equal votes among the items that both voted on. Voters are ranked by
    (same + 1) / (shared + 2), so that agreement on many items counts for more than on few; among equals, the earlier
    voter comes first.

    Parameters
    ----------
    matrix
        Votes of all voters.
    voter
        Row of the voter.
    min_shared
        Voters with fewer shared items are left out.
    most
        Largest number of voters returned.

    Returns
    -------
    pa.Table
        voter_id, shared, same, agreement, score.
    """
    shared, same = agreement(matrix, voter)
    found = np.flatnonzero(shared >= max(min_shared, 1))
    found = found[found != voter]
    score = proportion(same[found], shared[found])
    if found.size > most:  # most can be ruled out without sorting
        is_near = score >= np.partition(score, -most)[-most]
        found, score = found[is_near], score[is_near]
    order = np.argsort(-score, kind="stable")[:most]
    chosen = found[order]
    return pa.table(
        {
            "voter_id": matrix.voter_ids.take(chosen),
            "shared": shared[chosen],
            "same": same[chosen],
            "agreement": same[chosen] / shared[chosen],
            "score": score[order],
        }
    )


def recommended_items(matrix: VoteMatrix, voter: int, counts: Counts, *, most: int = MOST_ITEMS) -> pa.Table:
    """Return items with high consensus in the voter's group that the voter has not voted on, best first.

    An item is recommended when significantly more than half of the group's votes on it, five or more, agree or
    disagree; the one with the largest (n_success + 1) / (n_trials + 2) of that side comes first. Moderated items are
    left out.

    Parameters
    ----------
    matrix
        Votes of all voters.
    voter
        Row of the voter.
    counts : int64[items, 3]
        Votes of the voter's group: disagree, pass, agree.
    most
        Largest number of items returned.

    Returns
    -------
    pa.Table
        item_id, side, n_success, n_trials, p_success, p_test.
    """
    is_agree = counts[:, AGREE] >= counts[:, DISAGREE]
    successes, trials = np.where(is_agree, counts[:, AGREE], counts[:, DISAGREE]), counts.sum(axis=-1)
    p_success, p_test = proportion(successes, trials), proportion_test(successes, trials)
    found = np.flatnonzero(_is_new(matrix, voter) & (p_test > SIGNIFICANT) & (trials >= FEWEST_VOTES))
    chosen = found[np.argsort(-p_success[found], kind="stable")][:most]
    return pa.table(
        {
            "item_id": matrix.item_ids.take(chosen),
            "side": pa.array(["disagree", "agree"]).take(is_agree[chosen].astype(np.int64)),
            "n_success": successes[chosen],
            "n_trials": trials[chosen],
            "p_success": p_success[chosen],
            "p_test": p_test[chosen],
        }
    )


def next_items(
    matrix: VoteMatrix, voter: int, item_statistics: pa.Table, items: pa.Table, *, polis_parity: bool
) -> pa.Table:
    """Return the items that may be shown to a voter next, with the probability of each, the likeliest first.

    They are the items that the voter has not voted on and that are not rejected, meta statements included, each with a
    probability proportional to its priority. An item that nobody has voted on has the priority that no votes give.
    With `polis_parity`, a priority that is zero or missing counts as 1. Source: Polis's server, without its choice of
    topics.

    Parameters
    ----------
    matrix
        Votes of all voters.
    voter
        Row of the voter.
    item_statistics
        The table of that name, in the order of the matrix.
    items
        All items there are: item_id, moderation, is_meta. Those without a vote are taken from it.
    polis_parity
        Whether to copy this quirk of Polis.

    Returns
    -------
    pa.Table
        item_id, priority, probability.
    """
    listed = items.select(["moderation", "is_meta"]).take(
        pc.index_in(matrix.item_ids, items["item_id"].combine_chunks())
    )
    is_open = pc.not_equal(pc.fill_null(listed["moderation"], 0), -1).to_numpy()
    is_open[votes_of(matrix, voter)[0]] = False
    unseen = items.filter(
        pc.and_(pc.not_equal(items["moderation"], -1), pc.invert(pc.is_in(items["item_id"], matrix.item_ids)))
    )
    ids = pa.chunked_array([matrix.item_ids.filter(pa.array(is_open)), *unseen["item_id"].chunks], pa.string())
    known = item_statistics["priority"].to_numpy()[is_open]
    weights = np.append(known, _priority_without_votes(unseen, polis_parity=polis_parity))
    if polis_parity:
        weights = np.where(weights > 0, weights, UNKNOWN_PRIORITY)
    order = np.argsort(-weights, kind="stable")
    weights = weights[order]
    return pa.table({"item_id": ids.take(order), "priority": weights, "probability": weights / (weights.sum() or 1.0)})


def draw_items(candidates: pa.Table, *, seed: int, number: int = 1) -> pa.Table:
    """Return rows of what `next_items` gives, drawn one after the other with their probabilities; none twice."""
    probability = candidates["probability"].to_numpy()
    number = min(number, int(np.count_nonzero(probability)))
    if number == 0:
        return candidates.slice(0, 0)
    chosen = np.random.default_rng(seed).choice(probability.size, number, replace=False, p=probability)
    return candidates.take(pa.array(chosen))


def _is_new(matrix: VoteMatrix, voter: int) -> NDArray[np.bool_]:
    """Return which items the voter has not voted on, moderated ones left out: bool[items]."""
    is_new = ~matrix.is_moderated_out
    is_new[votes_of(matrix, voter)[0]] = False
    return is_new


def _priority_without_votes(items: pa.Table, *, polis_parity: bool) -> Floats:
    if polis_parity:
        return np.zeros(items.num_rows)
    none = np.zeros(items.num_rows, np.int64)
    return np.where(items["is_meta"].to_numpy(), META_PRIORITY, priority(none, none, none, none.astype(np.float64)))
