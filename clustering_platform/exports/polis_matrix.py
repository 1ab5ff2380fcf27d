"""``participants-votes.csv``: a row for each participant, a column for each comment, in blocks of rows."""

from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.exports.conversation import Conversation
from clustering_platform.exports.csv_text import header
from clustering_platform.opinions.matrix import VoteMatrix, read_vote_matrix, split_cells

COLUMNS = ("participant", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree")
_CELLS_AT_A_TIME = 2_000_000
_NO_VOTE = 2
_CELLS = np.array([b",-1", b",0", b",1", b","])
"""How a cell is written: disagree, pass, agree, no vote."""


def write_matrix(sink: BinaryIO, conversation: Conversation) -> None:
    """Write the last vote of every participant on every comment that has votes, by number of both."""
    sink.write(header([*COLUMNS, *map(str, conversation.voted.tolist())]))
    matrix = read_vote_matrix(conversation.tables["vote_matrix"], conversation.tables["voted_items"])
    comments = np.searchsorted(conversation.voted, conversation.comments.find(matrix.item_ids))
    people = conversation.people.find(matrix.voter_ids)
    groups, written = _groups(matrix.voter_ids, conversation), _comments_written(matrix.voter_ids, conversation)
    order = np.argsort(people)
    rows_at_a_time = max(1, _CELLS_AT_A_TIME // max(1, comments.size))
    for start in range(0, order.size, rows_at_a_time):
        rows = order[start : start + rows_at_a_time]
        votes = _dense(matrix, rows, comments)
        counts = [(votes != _NO_VOTE).sum(axis=1), (votes == 1).sum(axis=1), (votes == -1).sum(axis=1)]
        sink.write(_text([people[rows], groups[rows], written[rows], *counts], votes))


def _groups(voter_ids: pa.Array, conversation: Conversation) -> NDArray[np.int64]:
    """Return the group of each voter, -1 for none: int64[voters]."""
    voters = conversation.tables["voter_groups"]
    groups = voters["group_id"].take(pc.index_in(voter_ids, voters["voter_id"]))
    return np.asarray(groups.fill_null(-1), np.int64)


def _comments_written(voter_ids: pa.Array, conversation: Conversation) -> NDArray[np.int64]:
    """Return how many comments each voter wrote: int64[voters]."""
    authors = conversation.tables["items"]["author_id"].drop_null().value_counts()
    counts = authors.field("counts").take(pc.index_in(voter_ids, authors.field("values")))
    return np.asarray(counts.fill_null(0), np.int64)


def _dense(matrix: VoteMatrix, rows: NDArray[np.int64], comments: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return the votes of some voters: int8[rows, comments], `_NO_VOTE` where there is none."""
    votes = np.full((rows.size, comments.size), _NO_VOTE, np.int8)
    starts = matrix.starts[rows]
    lengths = matrix.starts[rows + 1] - starts
    before = np.cumsum(lengths) - lengths
    cells = np.arange(lengths.sum()) - np.repeat(before - starts, lengths)
    columns, given = split_cells(matrix.cells[cells])
    votes[np.repeat(np.arange(rows.size), lengths), comments[columns]] = given
    return votes


def _text(numbers: list[NDArray[np.int64]], votes: NDArray[np.int8]) -> bytes:
    """Return rows as text: numbers, empty where negative, then the votes.

    All cells are made as wide as the widest, filled with zero bytes, which are then taken out.
    """
    texts = [np.where(column < 0, b"", column.astype(np.bytes_)) for column in numbers]
    commas = np.full((votes.shape[0], 1), ord(","), np.uint8)
    parts = [part for text in texts for part in (_bytes(text), commas)][:-1]
    ends = np.full((votes.shape[0], 1), ord("\n"), np.uint8)
    cells = np.take(_CELLS, votes + 1)
    return np.hstack([*parts, _bytes(cells), ends]).tobytes().replace(b"\0", b"")


def _bytes(text: NDArray[np.bytes_]) -> NDArray[np.uint8]:
    """Return text of shape [rows, ...] as bytes: uint8[rows, width]."""
    return np.ascontiguousarray(text).view(np.uint8).reshape(text.shape[0], -1)
