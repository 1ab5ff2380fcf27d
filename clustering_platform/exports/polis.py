"""A day of a dataset as a folder of the files that Polis gives out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from clustering_platform.exports import csv_text, polis_csv
from clustering_platform.exports.conversation import Conversation
from clustering_platform.exports.polis_math import bid_to_pid, json_bytes, math_pca2
from clustering_platform.exports.polis_matrix import write_matrix

TABLE_FILES: dict[str, Callable[[Conversation], pa.Table]] = {
    "comments.csv": polis_csv.comments,
    "votes.csv": polis_csv.votes,
    "comment-groups.csv": polis_csv.comment_groups,
    "comment-clusters.csv": polis_csv.comment_clusters,
    "participant-importance.csv": polis_csv.participant_importance,
    "participant-xids.csv": polis_csv.participant_xids,
    "stats-history.csv": polis_csv.stats_history,
}
SUMMARY_FILE, MATRIX_FILE = "summary.csv", "participants-votes.csv"
DOCUMENTS = {"math-pca2.json": math_pca2, "bidToPid.json": bid_to_pid}
PEOPLE_FILE, COMMENTS_FILE = "participant-ids.csv", "comment-ids.csv"
FILE_NAMES = frozenset((*TABLE_FILES, SUMMARY_FILE, MATRIX_FILE, *DOCUMENTS, PEOPLE_FILE, COMMENTS_FILE))


@dataclass(frozen=True)
class WrittenFile:
    """A file of an export and its size."""

    name: str
    bytes: int


def write_polis(conversation: Conversation, folder: Path, *, raw: bool = False) -> list[WrittenFile]:
    """Write all files of an export into a folder that is there and empty; return them by name.

    Where the ids of the dataset are not whole numbers, two more files say which number stands for which id.
    """
    for name, write in _writers(conversation, raw):
        with (folder / name).open("xb") as file:
            write(file)
    return [WrittenFile(path.name, path.stat().st_size) for path in sorted(folder.iterdir())]


def _writers(conversation: Conversation, raw: bool) -> Iterator[tuple[str, Callable[[BinaryIO], None]]]:
    yield SUMMARY_FILE, partial(csv_text.write_pairs, pairs=polis_csv.summary(conversation), raw=raw)
    yield MATRIX_FILE, partial(write_matrix, conversation=conversation)
    tables = dict(TABLE_FILES)
    if not conversation.people.is_plain:
        tables[PEOPLE_FILE] = polis_csv.participant_ids
    if not conversation.comments.is_plain:
        tables[COMMENTS_FILE] = polis_csv.comment_ids
    for name, make in tables.items():
        yield name, partial(csv_text.write_table, table=make(conversation), raw=raw)
    for name, document in DOCUMENTS.items():
        yield name, partial(_write_json, document=document(conversation))


def _write_json(sink: BinaryIO, document: object) -> None:
    sink.write(json_bytes(document))
