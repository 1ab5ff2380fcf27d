"""The export files of Polis but for the matrix, a function for each.

Votes are agree = +1, times milliseconds since 1970. What Polis writes and the platform does not hold is an empty
cell or, where it is the point of a file, a file of nothing but its header.
"""

from datetime import UTC, datetime, time, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.exports.conversation import Conversation

VOTE_CONVENTION = "agree=+1;disagree=-1;pass=0"
_PATTERNS = {"votes": "seen", "agrees": "agree", "disagrees": "disagree", "passes": "pass"}
Ints = NDArray[np.int64]


def summary(conversation: Conversation) -> dict[str, str]:
    """Return what the conversation is about, and how many took part."""
    snapshot = conversation.tables["opinion_snapshot"].to_pylist()[0]
    in_conversation = pc.sum(conversation.tables["base_clusters"]["size"]).as_py() or 0
    commenters = conversation.tables["items"]["author_id"].drop_null().unique()
    return {
        "topic": conversation.title,
        "url": "",
        "voters": str(snapshot["voters"]),
        "voters-in-conv": str(in_conversation),
        "commenters": str(len(commenters)),
        "comments": str(snapshot["items"]),
        "groups": str(conversation.tables["groups"].num_rows),
        "conversation-description": conversation.description,
        "vote-convention": VOTE_CONVENTION,
    }


def comments(conversation: Conversation) -> pa.Table:
    """Return the items by number, with all votes on them counted, re-votes included.

    Items that are meta or written by the organisers bring two columns more, as in some exports of Polis.
    """
    items = _in_order(conversation)
    numbers = conversation.comments.find(items["item_id"])
    columns = {
        **_times(items["created_at"]),
        "comment-id": numbers,
        "author-id": _numbers_or_null(conversation.people.find(items["author_id"])),
        **_all_votes(conversation, numbers),
        "moderated": items["moderation"],
    }
    if pc.any(items["is_meta"]).as_py() or pc.any(items["is_seed"]).as_py():
        columns |= {"is-meta": items["is_meta"], "is-seed": items["is_seed"]}
    return pa.table({**columns, "comment-body": pc.fill_null(items["text"], "")})


def votes(conversation: Conversation) -> pa.Table:
    """Return the log of votes by item and voter, those of one pair in order of time."""
    items, people = conversation.vote_numbers
    log = conversation.votes.select(["sequence", "vote", "voted_at"])
    order = np.lexsort((log["sequence"].to_numpy(), people, items))
    log = log.take(order)
    columns = {"comment-id": items[order], "voter-id": people[order], "vote": log["vote"]}
    return pa.table({**_times(log["voted_at"]), **columns})


def comment_groups(conversation: Conversation) -> pa.Table:
    """Return how each group voted on each item that has votes; no rows where there are no groups."""
    groups = conversation.tables["groups"].sort_by("group_id").to_pylist()
    patterns = conversation.tables["voting_patterns"]
    texts = _texts(conversation, conversation.voted if groups else conversation.voted[:0])
    columns = {"comment-id": texts["comment-id"], "comment": texts["comment-body"]}
    totals = {f"total-{name}": np.zeros(texts.num_rows, np.int64) for name in _PATTERNS}
    by_group: dict[str, Ints] = {}
    for group in groups:
        chosen = pc.and_(pc.equal(patterns["level"], "group"), pc.equal(patterns["cluster_id"], group["group_id"]))
        rows = patterns.filter(chosen)
        order = np.argsort(conversation.comments.find(rows["item_id"]))
        for name, column in _PATTERNS.items():
            counts = rows[column].to_numpy()[order].astype(np.int64)
            totals[f"total-{name}"] += counts
            by_group[f"group-{group['letter'].lower()}-{name}"] = counts
    return pa.table({**columns, **totals, **by_group})


def comment_clusters(conversation: Conversation) -> pa.Table:
    """Return the topic of each item on every layer of the tree, the finest layer first.

    A topic is numbered within its layer in the order of `topic_tree`. -1: the item stays in a topic above. The
    distance is 1 less the similarity to the centre of the item's own topic; of its confidence nothing is known.
    """
    items = _in_order(conversation)
    topics, tree = conversation.tables["item_topics"], conversation.tables["topic_tree"]
    paths = topics.take(pc.index_in(items["item_id"], topics["item_id"]))
    deepest = pc.max(tree["depth"]).as_py() or 0
    layers = range(deepest, 0, -1)  # the root holds everything and is no layer
    clusters: dict[str, pa.Array] = {}
    distances: dict[str, pa.Array] = {}
    confidences: dict[str, pa.Array] = {}
    for layer, depth in enumerate(layers):
        clusters[f"layer{layer}-cluster-id"] = _clusters_at(depth, paths, tree)
        is_own = pc.equal(paths["depth"], depth)
        distance = pc.round(pc.subtract(1.0, paths["similarity"].cast(pa.float64())), 4)
        distances[f"layer{layer}-distance"] = pc.if_else(is_own, distance, None)
        confidences[f"layer{layer}-confidence"] = pa.nulls(items.num_rows, pa.float64())
    about = {
        "comment-id": conversation.comments.find(items["item_id"]),
        "moderated": items["moderation"],
        "active": pc.greater_equal(items["moderation"], 0).cast(pa.int8()),
    }
    return pa.table({**about, **clusters, **distances, **confidences, "comment-body": pc.fill_null(items["text"], "")})


def participant_importance(conversation: Conversation) -> pa.Table:
    """Return a header only: which votes their voters called important is not held."""
    names = ["participant", "group-id", "n-comments", "n-votes", "n-important", *map(str, conversation.voted.tolist())]
    return pa.table({name: pa.array([], pa.int8()) for name in names})


def participant_xids(conversation: Conversation) -> pa.Table:
    """Return a header only: ids of people in other systems are not held, and would name them."""
    return pa.table({"participant": pa.array([], pa.int64()), "xid": pa.array([], pa.string())})


def stats_history(conversation: Conversation) -> pa.Table:
    """Return the running counts after each vote and each comment, in order of time.

    Voters and commenters are counted once each, where the export of Polis counts them again. Visitors are not held.
    Comments without a time count from the start; those written after the day do not.
    """
    log, items = conversation.votes, conversation.tables["items"]
    midnight = datetime.combine(conversation.day + timedelta(days=1), time(), UTC)
    items = items.filter(
        pc.fill_null(pc.less(items["created_at"], pa.scalar(midnight, pa.timestamp("us", "UTC"))), True)
    )
    created = np.asarray(items["created_at"].cast(pa.int64()).fill_null(np.iinfo(np.int64).min), np.int64)
    times = np.concatenate([created, np.asarray(log["voted_at"].cast(pa.int64()), np.int64)])
    order = np.argsort(times, kind="stable")
    is_comment = np.arange(times.size) < created.size
    first_voter = _is_first(conversation.vote_numbers[1])
    author = conversation.people.find(items["author_id"])[order[order < created.size]]
    first_author = np.zeros(created.size, np.bool_)
    first_author[order[order < created.size]] = _is_first(author) & (author >= 0)
    has_time = times[order] > np.iinfo(np.int64).min

    def running(events: NDArray[np.bool_]) -> Ints:
        return np.cumsum(events[order], dtype=np.int64)[has_time]

    return pa.table(
        {
            "n-votes": running(~is_comment),
            "n-comments": running(is_comment),
            "n-visitors": pa.nulls(int(has_time.sum()), pa.int64()),
            "n-voters": running(np.append(np.zeros(created.size, np.bool_), first_voter)),
            "n-commenters": running(np.append(first_author, np.zeros(log.num_rows, np.bool_))),
        }
    )


def participant_ids(conversation: Conversation) -> pa.Table:
    """Return which voter or author of the tables each number stands for."""
    return pa.table({"participant": conversation.people.numbers, "voter_id": conversation.people.ids})


def comment_ids(conversation: Conversation) -> pa.Table:
    """Return which item of the tables each number stands for."""
    return pa.table({"comment-id": conversation.comments.numbers, "item_id": conversation.comments.ids})


def _in_order(conversation: Conversation) -> pa.Table:
    items = conversation.tables["items"]
    return items.take(np.argsort(conversation.comments.find(items["item_id"])))


def _texts(conversation: Conversation, numbers: Ints) -> pa.Table:
    """Return number and text of some items, by number."""
    items = _in_order(conversation)
    place = pc.index_in(pa.array(numbers), pa.array(conversation.comments.find(items["item_id"])))
    return pa.table({"comment-id": numbers, "comment-body": pc.fill_null(items["text"].take(place), "")})


def _times(times: pa.ChunkedArray) -> dict[str, pa.Array]:
    """Return times as milliseconds and as times, which are written as ISO 8601."""
    whole = pc.floor_temporal(times, unit="millisecond").combine_chunks().cast(pa.timestamp("ms", "UTC"))
    return {"timestamp": whole.cast(pa.int64()), "datetime": whole}


def _numbers_or_null(numbers: Ints) -> pa.Array:
    return pa.array(numbers, mask=numbers < 0)


def _all_votes(conversation: Conversation, numbers: Ints) -> dict[str, Ints]:
    """Count the votes of the log on items (numbers ascending): int64[items] each."""
    place = np.searchsorted(numbers, conversation.vote_numbers[0])
    vote = conversation.votes["vote"].to_numpy()
    return {
        name: np.bincount(place[vote == value], minlength=numbers.size)
        for name, value in (("agrees", 1), ("disagrees", -1))
    }


def _clusters_at(depth: int, paths: pa.Table, tree: pa.Table) -> pa.Array:
    """Return the number of each item's topic at a depth, -1 where its topic is above, null where it has none."""
    names = tree.filter(pc.equal(tree["depth"], depth))["topic_id"]
    path = paths["path"].combine_chunks()
    topic = pc.list_slice(path, depth, depth + 1, return_fixed_size_list=True).flatten()
    if len(topic) < paths.num_rows:
        has_path = np.asarray(path.is_valid())
        topic = topic.take(pa.array(np.cumsum(has_path) - 1, mask=~has_path))
    number = pc.fill_null(pc.index_in(topic, names, skip_nulls=True), -1)
    return pc.if_else(path.is_valid(), number, pa.scalar(None, pa.int32()))


def _is_first(values: Ints) -> NDArray[np.bool_]:
    first = np.zeros(values.size, np.bool_)
    first[np.unique(values, return_index=True)[1]] = True
    return first
