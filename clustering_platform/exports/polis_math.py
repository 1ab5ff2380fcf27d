"""The JSON that Polis serves as ``math/pca2``, and that of ``bidToPid``, from the tables of a day.

Polis counts agree as -1 inside. Of our figures, `center`, `comment-projection`, the coordinates of base clusters and
the centres of groups therefore change their sign; `comps` stay, being directions of the same spread, and so do all
counts and statistics. Source of names and shapes: the documents that Polis serves.
"""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.exports.conversation import Conversation, Numbering

_CONSENSUS = {"n-success": "n_success", "n-trials": "n_trials", "p-success": "p_success", "p-test": "p_test"}
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def json_bytes(document: object) -> bytes:
    """Return a document as JSON, the same bytes for the same document."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode() + b"\n"


def math_pca2(conversation: Conversation) -> dict[str, Any]:
    """Return the document ``math/pca2``; for a conversation without votes, only what Polis has then.

    Without groups, everything that is about groups and base clusters is empty, `in-conv` among them: the people in
    it are those of the base clusters.
    """
    tables = conversation.tables
    if tables["voter_groups"].num_rows == 0:
        return {
            "base-clusters": _base_clusters(conversation),
            "lastVoteTimestamp": 0,
            "lastModTimestamp": None,
            "math_tick": conversation.tick,
        }
    statistics = _Items(tables["item_statistics"], conversation.comments)
    group_ids = np.sort(tables["groups"]["group_id"].to_numpy())
    return {
        "n": tables["voter_groups"].num_rows,
        "n-cmts": conversation.voted.size,
        "tids": conversation.voted.tolist(),
        "pca": _pca(conversation, statistics),
        "in-conv": np.sort(_members(tables["base_clusters"], conversation)).tolist(),
        "user-vote-counts": _vote_counts(conversation),
        "base-clusters": _base_clusters(conversation),
        "group-clusters": _group_clusters(tables["groups"]),
        "votes-base": _votes_base(conversation),
        "group-votes": _group_votes(conversation, group_ids),
        "repness": _repness(tables["representative_items"], group_ids, conversation.comments),
        "consensus": _consensus(tables["consensus_items"], conversation.comments),
        "group-aware-consensus": statistics.by_id("group_aware_consensus"),
        "comment-priorities": statistics.by_id("priority"),
        **_moderation(tables["items"], conversation.comments),
        "lastVoteTimestamp": conversation.last_vote_ms,
        "lastModTimestamp": None,
        "math_tick": conversation.tick,
    }


def bid_to_pid(conversation: Conversation) -> dict[str, Any]:
    """Return the document ``bidToPid``: the people of each base cluster, in order of the ids of the clusters."""
    return {
        "bidToPid": _base_clusters(conversation)["members"],
        "lastVoteTimestamp": conversation.last_vote_ms,
    }


class _Items:
    """A table with a row for each item with votes, in order of their numbers."""

    def __init__(self, table: pa.Table, comments: Numbering, key: str = "item_id") -> None:
        numbers = comments.find(table[key])
        self.table = table.take(np.argsort(numbers))
        self.keys = [str(number) for number in np.sort(numbers).tolist()]

    def column(self, name: str) -> Floats:
        values: Floats = self.table[name].to_numpy()
        return values

    def by_id(self, name: str) -> dict[str, float]:
        """Return a column by number of the item, without those that have no value."""
        values = zip(self.keys, self.table[name].to_pylist(), strict=True)
        return {key: value for key, value in values if value is not None}


def _pca(conversation: Conversation, statistics: _Items) -> dict[str, Any]:
    space = conversation.tables["opinion_space"]
    items = _Items(space.filter(pc.equal(space["kind"], "item")), conversation.comments, key="id")
    return {
        "center": _turned(items.column("mean")),
        "comps": [items.column(name).tolist() for name in ("component_1", "component_2")],
        "comment-projection": [_turned(items.column(name)) for name in ("x", "y")],
        "comment-extremity": statistics.column("extremity").tolist(),
    }


def _turned(values: Floats) -> list[float]:
    """Return figures with the sign of Polis, and no zero below zero."""
    turned: list[float] = (0.0 - values).tolist()
    return turned


def _vote_counts(conversation: Conversation) -> dict[str, int]:
    voters = conversation.tables["voter_groups"]
    numbers = conversation.people.find(voters["voter_id"])
    order = np.argsort(numbers)
    counts = voters["votes_cast"].to_numpy()[order].tolist()
    return dict(zip(map(str, numbers[order].tolist()), counts, strict=True))


def _base_clusters(conversation: Conversation) -> dict[str, Any]:
    base = conversation.tables["base_clusters"].sort_by("base_cluster_id")
    people = _members(base, conversation)
    ends = np.cumsum(base["size"].to_numpy())
    return {
        "id": base["base_cluster_id"].to_pylist(),
        "members": [members.tolist() for members in np.split(people, ends)[:-1]],
        "x": _turned(base["x"].to_numpy()),
        "y": _turned(base["y"].to_numpy()),
        "count": base["size"].to_pylist(),
    }


def _members(base_clusters: pa.Table, conversation: Conversation) -> Ints:
    """Return the numbers of the people in base clusters, cluster by cluster: int64[people]."""
    positions = pc.list_flatten(base_clusters["voter_positions"])
    return conversation.people.find(conversation.tables["voter_groups"]["voter_id"].take(positions))


def _group_clusters(groups: pa.Table) -> list[dict[str, Any]]:
    rows = groups.sort_by("group_id")
    centres = zip(_turned(rows["x"].to_numpy()), _turned(rows["y"].to_numpy()), strict=True)
    return [
        {"id": row["group_id"], "members": row["base_cluster_ids"], "center": list(centre)}
        for row, centre in zip(rows.to_pylist(), centres, strict=True)
    ]


def _counts(conversation: Conversation, level: str, ids: Ints) -> Ints:
    """Return agree, disagree and all votes of clusters (ids ascending) on items (by number): int64[c, items, 3]."""
    patterns = conversation.tables["voting_patterns"]
    rows = patterns.filter(pc.equal(patterns["level"], level))
    counts = np.zeros((ids.size, conversation.voted.size, 3), np.int64)
    cluster = np.searchsorted(ids, rows["cluster_id"].to_numpy())
    item = np.searchsorted(conversation.voted, conversation.comments.find(rows["item_id"]))
    counts[cluster, item] = np.stack([rows[name].to_numpy() for name in ("agree", "disagree", "seen")], axis=-1)
    return counts


def _votes_base(conversation: Conversation) -> dict[str, dict[str, list[int]]]:
    ids = np.sort(conversation.tables["base_clusters"]["base_cluster_id"].to_numpy())
    counts = _counts(conversation, "base_cluster", ids).transpose(1, 2, 0).tolist()
    return {
        str(number): dict(zip("ADS", votes, strict=True))
        for number, votes in zip(conversation.voted.tolist(), counts, strict=True)
    }


def _group_votes(conversation: Conversation, ids: Ints) -> dict[str, dict[str, Any]]:
    sizes = conversation.tables["groups"].sort_by("group_id")["size"].to_pylist()
    keys = [str(number) for number in conversation.voted.tolist()]
    counts = _counts(conversation, "group", ids).tolist()
    return {
        str(group): {
            "id": group,
            "n-members": size,
            "votes": {key: dict(zip("ADS", of, strict=True)) for key, of in zip(keys, votes, strict=True)},
        }
        for group, size, votes in zip(ids.tolist(), sizes, counts, strict=True)
    }


def _repness(table: pa.Table, group_ids: Ints, comments: Numbering) -> dict[str, list[dict[str, Any]]]:
    records: dict[str, list[dict[str, Any]]] = {str(group): [] for group in group_ids.tolist()}
    rows = table.sort_by([("group_id", "ascending"), ("rank", "ascending")])
    for row, number in zip(rows.to_pylist(), comments.find(rows["item_id"]).tolist(), strict=True):
        record = {"tid": number} | {name: row[ours] for name, ours in _CONSENSUS.items()}
        record |= {
            "repness": row["repness"],
            "repness-test": float(str(np.float32(row["repness_test"]))),  # Polis keeps it in single precision
            "repful-for": row["side"],
        }
        if row["is_best_agree"]:
            record |= {"best-agree": True, "n-agree": row["n_agree"]}
        records[str(row["group_id"])].append(record)
    return records


def _consensus(table: pa.Table, comments: Numbering) -> dict[str, list[dict[str, Any]]]:
    rows = table.sort_by("rank")
    numbers = comments.find(rows["item_id"]).tolist()
    records: dict[str, list[dict[str, Any]]] = {"agree": [], "disagree": []}
    for row, number in zip(rows.to_pylist(), numbers, strict=True):
        records[row["side"]].append({"tid": number} | {name: row[ours] for name, ours in _CONSENSUS.items()})
    return records


def _moderation(items: pa.Table, comments: Numbering) -> dict[str, list[int]]:
    """Return which items are accepted, rejected and meta, those without votes included."""
    numbers = comments.find(items["item_id"])
    moderation = items["moderation"].to_numpy()
    is_meta = np.asarray(items["is_meta"], np.bool_)
    chosen = {"mod-in": (moderation == 1) | is_meta, "mod-out": (moderation == -1) | is_meta, "meta-tids": is_meta}
    return {name: np.sort(numbers[rows]).tolist() for name, rows in chosen.items()}
