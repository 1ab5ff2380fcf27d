"""``math/pca2``: key by key what Polis made, where it is given Polis's components, base clusters and groups."""

import json
from pathlib import Path
from typing import Any

import pytest

from clustering_platform.exports.conversation import Conversation
from clustering_platform.exports.polis_math import bid_to_pid, json_bytes, math_pca2
from clustering_platform.tables import TABLES
from clustering_platform_tests.exports.conversations import TICK, conversation, given_by_polis, two_camps
from clustering_platform_tests.opinions.polis_data import CONVERSATIONS, load_conversation
from clustering_platform_tests.opinions.tables import items_table, plain_items, votes_table

CLOSE = 1e-6
UNORDERED = ("in-conv", "mod-in", "mod-out", "meta-tids")
KEYS = {
    "n",
    "n-cmts",
    "tids",
    "pca",
    "in-conv",
    "user-vote-counts",
    "base-clusters",
    "group-clusters",
    "votes-base",
    "group-votes",
    "repness",
    "consensus",
    "group-aware-consensus",
    "comment-priorities",
    *UNORDERED,
    "lastVoteTimestamp",
    "lastModTimestamp",
    "math_tick",
}


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Return where two documents differ; numbers may be `CLOSE`, whole numbers may not differ at all."""
    if isinstance(theirs, dict):
        if not isinstance(ours, dict) or ours.keys() != theirs.keys():
            return [f"{path}: other keys"]
        return [found for key in theirs for found in differences(ours[key], theirs[key], f"{path}/{key}")]
    if isinstance(theirs, list):
        if not isinstance(ours, list) or len(ours) != len(theirs):
            return [f"{path}: another length"]
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [found for place, (one, two) in pairs for found in differences(one, two, f"{path}/{place}")]
    if isinstance(theirs, float) or isinstance(ours, float):
        return [] if ours == pytest.approx(theirs, abs=CLOSE) else [f"{path}: {ours} != {theirs}"]
    return [] if ours == theirs and type(ours) is type(theirs) else [f"{path}: {ours!r} != {theirs!r}"]


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document without its tick, and with the lists sorted that have no order."""
    kept = {key: value for key, value in document.items() if key != "math_tick"}
    return kept | {key: sorted(kept[key]) for key in UNORDERED}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_the_document_is_that_of_polis_key_by_key(name: str, shared_data: Path) -> None:
    polis = load_conversation(shared_data / "polis-math" / name)
    ours = json.loads(json_bytes(math_pca2(given_by_polis(polis))))
    assert differences(comparable(ours), comparable(polis.math)) == []
    assert ours["math_tick"] == TICK


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_the_people_of_base_clusters_stand_in_the_order_of_their_ids(name: str, shared_data: Path) -> None:
    polis = load_conversation(shared_data / "polis-math" / name)
    document = bid_to_pid(given_by_polis(polis))
    assert document == {
        "bidToPid": polis.math["base-clusters"]["members"],
        "lastVoteTimestamp": polis.math["lastVoteTimestamp"],
    }


@pytest.fixture
def camps() -> Conversation:
    return conversation(*two_camps())


def test_every_key_is_there_and_the_document_fits_itself(camps: Conversation) -> None:
    document = math_pca2(camps)
    assert set(document) == KEYS
    assert document["tids"] == sorted(document["tids"])
    assert all(len(values) == document["n-cmts"] for values in (document["pca"]["center"], *document["pca"]["comps"]))
    base = document["base-clusters"]
    assert sorted(pid for members in base["members"] for pid in members) == document["in-conv"]
    assert [len(members) for members in base["members"]] == base["count"]
    assert {len(counts) for votes in document["votes-base"].values() for counts in votes.values()} == {len(base["id"])}
    assert sorted(bid for group in document["group-clusters"] for bid in group["members"]) == base["id"]
    sizes = {group: entry["n-members"] for group, entry in document["group-votes"].items()}
    assert sum(sizes.values()) == len(document["in-conv"])
    assert set(document["repness"]) == set(sizes)


def test_the_same_tables_give_the_same_bytes(camps: Conversation) -> None:
    again = conversation(*two_camps())
    assert json_bytes(math_pca2(camps)) == json_bytes(math_pca2(again))


def test_agreement_is_minus_one_in_places_and_means_but_not_in_counts() -> None:
    votes = [(str(voter), str(item), 1) for voter in range(4) for item in range(3)] + [("0", "0", 0)]
    document = math_pca2(conversation(votes_table(votes), plain_items("0", "1", "2")))
    assert document["pca"]["center"] == [-0.75, -1.0, -1.0]
    assert document["consensus"]["agree"][0]["n-success"] == 4
    assert "-0.0" not in json_bytes(document).decode()


def test_ids_that_are_no_whole_numbers_are_numbered_by_first_vote() -> None:
    votes = votes_table([("zoe", "b", 1), ("ann", "b", -1), ("zoe", "a", 1), ("ann", "a", 0)])
    made = conversation(votes, plain_items("a", "b", "unvoted"))
    document = math_pca2(made)
    assert document["user-vote-counts"] == {"0": 2, "1": 2}
    assert made.people.ids.to_pylist() == ["zoe", "ann"]
    assert made.comments.ids.to_pylist() == ["b", "a", "unvoted"]
    assert document["tids"] == [0, 1]


@pytest.mark.parametrize("odd", ["007", "-1", "1.0", "٣", "9" * 16, "", "a"])
def test_one_id_that_is_no_plain_whole_number_has_all_numbered(odd: str) -> None:
    made = conversation(*two_camps(first_item=odd))
    assert not made.comments.is_plain
    assert made.people.is_plain
    assert math_pca2(made)["tids"] == list(range(10))


def test_moderation_of_items_without_votes_is_told() -> None:
    items = items_table([("0", 1, False), ("1", -1, False), ("2", 0, True), ("3", -1, False), ("4", 0, False)])
    document = math_pca2(conversation(votes_table([("0", "0", 1), ("1", "0", -1)]), items))
    assert {key: document[key] for key in ("mod-in", "mod-out", "meta-tids")} == {
        "mod-in": [0, 2],
        "mod-out": [1, 2, 3],
        "meta-tids": [2],
    }


def test_without_groups_what_is_known_stands_and_the_rest_is_empty() -> None:
    votes = votes_table([("0", "0", 1), ("1", "0", 1), ("1", "1", 1)])
    document = math_pca2(conversation(votes, plain_items("0", "1")))
    assert set(document) == KEYS
    assert document["n"] == 2
    assert document["user-vote-counts"] == {"0": 1, "1": 2}
    assert document["base-clusters"] == {"id": [], "members": [], "x": [], "y": [], "count": []}
    assert document["votes-base"]["0"] == {"A": [], "D": [], "S": []}
    for key in ("in-conv", "group-clusters", "group-votes", "repness", "group-aware-consensus"):
        assert not document[key]
    assert set(document["comment-priorities"]) == {"0", "1"}


def test_without_votes_there_is_what_polis_has_then() -> None:
    made = conversation(TABLES["votes"].empty(), plain_items("0"))
    assert math_pca2(made) == {
        "base-clusters": {"id": [], "members": [], "x": [], "y": [], "count": []},
        "lastVoteTimestamp": 0,
        "lastModTimestamp": None,
        "math_tick": TICK,
    }
    assert bid_to_pid(made) == {"bidToPid": [], "lastVoteTimestamp": 0}
