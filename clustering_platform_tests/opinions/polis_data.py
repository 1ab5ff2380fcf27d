"""Real conversations with what Polis computed from them, as our tables.

Polis counts agree as -1 inside; everything here is turned to agree = +1.
"""

import csv
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.groups import build_voter_groups
from clustering_platform.opinions.matrix import VoteMatrix, build_vote_matrix, read_vote_matrix
from clustering_platform.opinions.patterns import build_voting_patterns
from clustering_platform.opinions.space import opinion_space
from clustering_platform.tables import TABLES, conform
from clustering_platform_tests.opinions.tables import ingested, items_table, votes_table

CONVERSATIONS = ("150ptpt-3gp-no-strict-no-meta", "25ptpt-3gp-no-strict-with-meta", "above-100-ptpts")
CONFIG = OpinionsConfig(min_voters=2, polis_parity=True)
LAST_DAY = date(2100, 1, 1)


@dataclass(frozen=True)
class Conversation:
    """The log of a conversation and Polis's results; each stage also as the table that our next stage takes."""

    votes: pa.Table
    voters: pa.Table
    items: pa.Table
    math: dict[str, Any]

    @cached_property
    def tables(self) -> tuple[pa.Table, pa.Table]:
        return build_vote_matrix(self.votes, self.voters, self.items, day=LAST_DAY, config=CONFIG)

    @cached_property
    def matrix(self) -> VoteMatrix:
        return read_vote_matrix(*self.tables)

    @cached_property
    def item_positions(self) -> NDArray[np.int64]:
        """Where each of Polis's columns stands in our matrix."""
        position = {item: place for place, item in enumerate(self.matrix.item_ids.to_pylist())}
        return np.array([position[str(tid)] for tid in self.math["tids"]])

    def in_our_order(self, values: list[float]) -> NDArray[np.float64]:
        """Return one of Polis's arrays over items (the last axis) in the order of our columns."""
        array = np.array(values, np.float64)
        ours = np.empty_like(array)
        ours[..., self.item_positions] = array
        return ours

    @cached_property
    def means(self) -> NDArray[np.float64]:
        return -self.in_our_order(self.math["pca"]["center"])

    @cached_property
    def components(self) -> NDArray[np.float64]:
        return self.in_our_order(self.math["pca"]["comps"])

    @cached_property
    def space(self) -> pa.Table:
        return opinion_space(self.matrix, means=self.means, components=self.components)

    @cached_property
    def base_clusters(self) -> pa.Table:
        base = self.math["base-clusters"]
        row = {voter: row for row, voter in enumerate(self.matrix.voter_ids.to_pylist())}
        table = {
            "base_cluster_id": base["id"],
            "x": [-x for x in base["x"]],
            "y": [-y for y in base["y"]],
            "size": base["count"],
            "weight": [float(count) for count in base["count"]],
            "voter_positions": [[row[str(pid)] for pid in members] for members in base["members"]],
        }
        return conform(pa.table(table), TABLES["base_clusters"])

    @cached_property
    def groups(self) -> pa.Table:
        clusters = self.math["group-clusters"]
        sizes = [self.math["group-votes"][str(cluster["id"])]["n-members"] for cluster in clusters]
        table = {
            "group_id": [cluster["id"] for cluster in clusters],
            "letter": ["ABCDE"[cluster["id"]] for cluster in clusters],
            "size": sizes,
            "share": np.array(sizes) / sum(sizes),
            "x": [-cluster["center"][0] for cluster in clusters],
            "y": [-cluster["center"][1] for cluster in clusters],
            "base_cluster_ids": [cluster["members"] for cluster in clusters],
        }
        return conform(pa.table(table), TABLES["groups"])

    @cached_property
    def voter_groups(self) -> pa.Table:
        return build_voter_groups(self.tables[0], self.space, self.base_clusters, self.groups)

    @cached_property
    def patterns(self) -> pa.Table:
        return build_voting_patterns(*self.tables, self.voter_groups)


def load_conversation(folder: Path) -> Conversation:
    with (folder / "comments.csv").open(encoding="utf-8", newline="") as file:
        items = items_table(
            [
                (row["comment-id"], int(row["moderated"]), row["is-meta"].lower() == "true")
                for row in csv.DictReader(file)
            ]
        )
    with (folder / "votes.csv").open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["timestamp"]))
    votes = votes_table(
        [(row["voter-id"], row["comment-id"], int(row["vote"])) for row in rows],
        times=[datetime.fromtimestamp(int(row["timestamp"]) / 1000, UTC) for row in rows],
    )
    return Conversation(*ingested(votes, items), json.loads((folder / "math-pca2.json").read_text()))
