"""Compiled loops over votes: the few steps that arrays cannot do at once. Import this module inside functions only.

Every function works on its own part of the arrays and lets go of Python's lock, so that threads can share the work.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

SPARSE = 32
"""A row with fewer votes than one for so many words of 64 columns has its columns sorted, not looked for."""
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_ONE, _SHIFT = np.uint64(1), np.uint64(58)
# By the top six bits of the product of a single bit with the sequence: which bit it is.
_PLACES = np.zeros(64, np.int64)
_PLACES[[((0x03F79D71B4CB0A89 << bit) & (2**64 - 1)) >> 58 for bit in range(64)]] = np.arange(64)


@njit(cache=True, nogil=True)
def count_votes(voters: NDArray[np.int32], counts: NDArray[np.int32], order: NDArray[np.int32], n_seen: int) -> int:
    """Add the votes of each voter to `counts` and new voters to `order`, after the `n_seen` that are in it.

    Returns
    -------
    How many voters are in `order` now.
    """
    for row in range(voters.size):
        voter = voters[row]
        if counts[voter] == 0:
            order[n_seen] = voter
            n_seen += 1
        counts[voter] += 1
    return n_seen


@njit(cache=True, nogil=True)
def place_votes(
    voters: NDArray[np.int32],
    items: NDArray[np.int32],
    votes: NDArray[np.int8],
    places: NDArray[np.integer],
    cells: NDArray[np.unsignedinteger],
    first_rows: NDArray[np.int64],
    first_row: int,
) -> None:
    """Put each vote at the next place of its voter, as ``4 * item + vote + 1``.

    `places` moves on by one with each vote; `first_rows` takes the row of the log, from `first_row`, in which an item
    comes first, where it is negative so far.
    """
    for row in range(voters.size):
        voter, item = voters[row], items[row]
        if first_rows[item] < 0:
            first_rows[item] = first_row + row
        cells[places[voter]] = (item << 2) | (votes[row] + 1)
        places[voter] += 1


@njit(cache=True, nogil=True)
def keep_last(
    cells: NDArray[np.unsignedinteger],
    starts: NDArray[np.int64],
    positions: NDArray[np.int32],
    first: int,
    stop: int,
    kept: NDArray[np.unsignedinteger],
    lengths: NDArray[np.int32],
    counts: NDArray[np.int64],
) -> int:
    """Keep the last vote of each voter on each item, columns ascending, for the voters from `first` up to `stop`.

    The votes of a voter stand in ``cells[starts[voter]:starts[voter + 1]]`` in order of the log, as `place_votes` left
    them. What is kept goes to `kept` as ``4 * column + vote + 1``, without gaps from ``starts[first]`` on; `kept` may
    be the memory of `cells`.

    Parameters
    ----------
    positions : int32[items]
        Column of each item.
    lengths : int32[voters]
        Takes how many votes of each voter were kept.
    counts : int64[columns, 3]
        Takes how many of those disagreed, passed and agreed.

    Returns
    -------
    Where the last vote was put, plus one.
    """
    n_columns = counts.shape[0]
    words = np.zeros((n_columns + 63) // 64, np.uint64)
    last = np.zeros(n_columns, np.int8)
    found = np.zeros(n_columns, np.int32)
    out = int(starts[first])
    for voter in range(first, stop):
        begin = out
        n_found = 0
        is_sparse = (starts[voter + 1] - starts[voter]) * SPARSE < words.size
        for cell in cells[starts[voter] : starts[voter + 1]]:
            column = positions[cell >> 2]
            bit = _ONE << np.uint64(column & 63)
            if is_sparse and words[column >> 6] & bit == 0:
                found[n_found] = column
                n_found += 1
            words[column >> 6] |= bit
            last[column] = cell & 3
        if is_sparse:
            found[:n_found].sort()
            for column in found[:n_found]:
                words[column >> 6] = 0
                kept[out] = (column << 2) | last[column]
                counts[column, last[column]] += 1
                out += 1
        else:
            for place in range(words.size):
                word = words[place]
                words[place] = 0
                while word != 0:
                    lowest = word & (~word + _ONE)
                    word ^= lowest
                    column = (place << 6) + _PLACES[(lowest * _DE_BRUIJN) >> _SHIFT]
                    kept[out] = (column << 2) | last[column]
                    counts[column, last[column]] += 1
                    out += 1
        lengths[voter] = out - begin
    return out


@njit(cache=True, nogil=True)
def merge_rows(
    old_starts: NDArray[np.int64],
    old_cells: NDArray[np.unsignedinteger],
    new_starts: NDArray[np.int64],
    new_cells: NDArray[np.unsignedinteger],
    out: int,
    cells: NDArray[np.unsignedinteger],
    lengths: NDArray[np.int32],
    counts: NDArray[np.int64],
) -> int:
    """Merge rows of two matrices, columns ascending; where both have a vote, the new one counts.

    Parameters
    ----------
    old_starts, new_starts : int64[voters + 1]
        Where the row of each voter starts in the cells of that matrix.
    out
        Where the first row goes in `cells`.
    lengths : int32[voters]
        Takes the length of each row.
    counts : int64[columns, 3]
        Votes that were replaced are taken off it.

    Returns
    -------
    Where the last vote was put, plus one.
    """
    for voter in range(lengths.size):
        begin = out
        old, old_stop = old_starts[voter], old_starts[voter + 1]
        for new in range(new_starts[voter], new_starts[voter + 1]):
            column = new_cells[new] >> 2
            while old < old_stop and old_cells[old] >> 2 < column:
                cells[out] = old_cells[old]
                old += 1
                out += 1
            if old < old_stop and old_cells[old] >> 2 == column:
                counts[column, old_cells[old] & 3] -= 1
                old += 1
            cells[out] = new_cells[new]
            out += 1
        for rest in range(old, old_stop):
            cells[out] = old_cells[rest]
            out += 1
        lengths[voter] = out - begin
    return out


@njit(cache=True, nogil=True)
def add_gram(
    starts: NDArray[np.int64],
    cells: NDArray[np.unsignedinteger],
    first: int,
    stop: int,
    means: NDArray[np.float64],
    weights: NDArray[np.float64],
    vectors: NDArray[np.float64],
    total: NDArray[np.float64],
) -> None:
    """Add R'WRv to `total`, for two vectors v at once and the voters from `first` up to `stop`.

    R are the votes less the mean of their item, 0 where there is none; W are the weights of the voters, 1 for all
    where `weights` is empty.

    Parameters
    ----------
    vectors, total : float64[columns, 2]
    """
    centred = np.empty(means.size)
    for voter in range(first, stop):
        start = starts[voter]
        length = starts[voter + 1] - start
        along_1, along_2 = 0.0, 0.0
        for place in range(length):
            cell = cells[start + place]
            column = cell >> 2
            value = (np.float64(cell & 3) - 1.0) - means[column]
            centred[place] = value
            along_1 += value * vectors[column, 0]
            along_2 += value * vectors[column, 1]
        if weights.size:
            along_1 *= weights[voter]
            along_2 *= weights[voter]
        for place in range(length):
            column, value = cells[start + place] >> 2, centred[place]
            total[column, 0] += value * along_1
            total[column, 1] += value * along_2


@njit(cache=True, nogil=True)
def add_figures(
    starts: NDArray[np.int64],
    cells: NDArray[np.unsignedinteger],
    first: int,
    stop: int,
    figures: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """Add up the figures (float64[columns * 4, k], by cell) of the votes of each voter: float64[voters, k] `sums`."""
    if sums.shape[1] == 2:  # twice as fast without the innermost loop
        for voter in range(first, stop):
            sum_1, sum_2 = 0.0, 0.0
            for cell in cells[starts[voter] : starts[voter + 1]]:
                sum_1 += figures[cell, 0]
                sum_2 += figures[cell, 1]
            sums[voter, 0] += sum_1
            sums[voter, 1] += sum_2
        return
    for voter in range(first, stop):
        for cell in cells[starts[voter] : starts[voter + 1]]:
            for number in range(sums.shape[1]):
                sums[voter, number] += figures[cell, number]


@njit(cache=True, nogil=True)
def add_counts(
    starts: NDArray[np.int64],
    cells: NDArray[np.unsignedinteger],
    first: int,
    stop: int,
    clusters: NDArray[np.int32],
    weights: NDArray[np.integer],
    counts: NDArray[np.integer],
) -> None:
    """Count the votes of each cluster: int[clusters, columns * 4], by cell.

    Voters count as often as `weights` says, once where it is empty, and not at all in a negative cluster.
    """
    for voter in range(first, stop):
        cluster = clusters[voter]
        if cluster >= 0:
            weight = weights[voter] if weights.size else 1
            for cell in cells[starts[voter] : starts[voter + 1]]:
                counts[cluster, cell] += weight
