"""Conversations to give out: from small logs, from Polis's own results, from real exports."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.datasets import Dataset
from clustering_platform.exports.conversation import DATASET_TABLES, Conversation
from clustering_platform.exports.polis import write_polis
from clustering_platform.ingest.ingest import ingest_dataset
from clustering_platform.ingest.pseudonyms import Pseudonyms
from clustering_platform.opinions.compute import compute_opinions
from clustering_platform.opinions.consensus import build_consensus_items
from clustering_platform.opinions.groups import build_groups
from clustering_platform.opinions.item_statistics import build_item_statistics
from clustering_platform.opinions.representative import build_representative_items
from clustering_platform.opinions.snapshot import build_opinion_snapshot
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions import polis_data
from clustering_platform_tests.opinions.polis_data import CONFIG, LAST_DAY
from clustering_platform_tests.opinions.tables import ingested, items_table, votes_table

TICK = 7


def conversation(votes: pa.Table, items: pa.Table, *, title: str = "Talk", **tables: pa.Table) -> Conversation:
    """Return what our own stages make of a log, with `tables` in place of theirs."""
    made = compute_opinions(*ingested(votes, items), day=LAST_DAY, config=OpinionsConfig(min_voters=2, resamples=2))
    nothing = {name: TABLES[name].empty() for name in DATASET_TABLES}
    return Conversation(title, "About it.", LAST_DAY, TICK, nothing | made | {"items": items, "votes": votes} | tables)


def two_camps(*, voters: int = 20, items: int = 10, first_item: str = "0") -> tuple[pa.Table, pa.Table]:
    """Return a log in which two halves of the voters disagree on every second item; ids are whole numbers."""
    ids = [first_item, *(str(item) for item in range(1, items))]
    votes = [
        (str(voter), item, (1 if voter % 2 else -1) if place % 2 else 1 - (voter + place) % 5 % 2)
        for voter in range(voters)
        for place, item in enumerate(ids)
        if (voter * 3 + place) % 7
    ]
    return votes_table(votes), items_table([(item, 0, False) for item in ids])


def given_by_polis(polis: polis_data.Conversation) -> Conversation:
    """Return the tables that follow from Polis's own components, base clusters and groups."""
    matrix, voted = polis.tables
    _, groupings = build_groups(polis.base_clusters, config=CONFIG)
    tables = {name: TABLES[name].empty() for name in DATASET_TABLES} | {
        "items": polis.items,
        "votes": polis.votes,
        "vote_matrix": matrix,
        "voted_items": voted,
        "opinion_space": polis.space,
        "base_clusters": polis.base_clusters,
        "groups": polis.groups,
        "voter_groups": polis.voter_groups,
        "voting_patterns": polis.patterns,
        "representative_items": build_representative_items(voted, polis.patterns),
        "consensus_items": build_consensus_items(voted),
        "item_statistics": build_item_statistics(voted, polis.space, polis.patterns),
        "opinion_snapshot": build_opinion_snapshot(
            polis.votes, matrix, voted, polis.space, polis.base_clusters, groupings, day=LAST_DAY, config=CONFIG
        ),
    }
    return Conversation("Talk", "", LAST_DAY, TICK, tables)


def from_export(folder: Path) -> Conversation:
    """Return what we make of an export of Polis, with its ids kept."""
    read = ingest_dataset(Dataset("talk", folder), Pseudonyms())
    return conversation(read.votes, read.items, title=read.about.get("title", "talk"))


def exported(made: Conversation, folder: Path, *, raw: bool = False) -> dict[str, str]:
    """Write a conversation and return the text of its files by name."""
    folder.mkdir(exist_ok=True)
    return {file.name: (folder / file.name).read_bytes().decode("utf-8") for file in write_polis(made, folder, raw=raw)}


def rows_of(text: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file by column."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def cells(rows: Sequence[dict[str, str]], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return the cells of some columns, sorted."""
    return sorted(tuple(row[column] for column in columns) for row in rows)
