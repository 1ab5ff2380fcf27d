"""What is asked of the tree beside its quality: is it the same tomorrow, does it know what it does not know.

Every function is the work of one process and returns plain figures.
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.dataset_config import TopicsConfig
from clustering_platform_tests.benchmarks.measure import Meter
from clustering_platform_tests.benchmarks.topic_methods import build_tree, content, cuts
from clustering_platform_tests.benchmarks.topic_sets import as_embeddings, read_set

SUBSAMPLE = 0.9
KEPT = 0.95
HELD_OUT = 0.3
_WARM_UP = 400


def fingerprint(file: Path) -> str:
    """Return a hash of all tables of the tree."""
    return content(build_tree(read_set(file).vectors))


def leaf_topics(file: Path, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of a random 90 % of a set, ascending, and the leaf topic of each."""
    data = read_set(file)
    rows = _some(len(data), SUBSAMPLE, seed)
    return rows, cuts(build_tree(data.vectors[rows], rows)["found_item_topics"])[0]


def agreement(
    first: tuple[NDArray[np.int64], NDArray[np.int64]], second: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> tuple[float, float]:
    """Return the adjusted Rand index and the adjusted mutual information of two partitions on their common rows."""
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    _, one, other = np.intersect1d(first[0], second[0], return_indices=True)
    labels = first[1][one], second[1][other]
    return float(adjusted_rand_score(*labels)), float(adjusted_mutual_info_score(*labels))


def kept_ids(file: Path, seed: int) -> dict[str, Any]:
    """Return how many topics of the tree of a random 95 % keep their id when the others come.

    Once with the others placed in the tree, as the platform does while they are few, and once with a tree that is made
    anew of all. A kept id counts only where the topics under it share half of what either has of the common items. The
    root, which is always the same, is left out.
    """
    from clustering_platform.semantics.lasting import build_lasting_tree, read_before
    from clustering_platform.semantics.membership import overlap_of, read_membership
    from clustering_platform.semantics.placing import Fit, place_items

    data = read_set(file)
    rows = _some(len(data), KEPT, seed)
    embeddings, found = as_embeddings(data.vectors[rows], rows), build_tree(data.vectors[rows], rows)
    tree, items, lineage = build_lasting_tree(embeddings, found["found_topics"], found["found_item_topics"])
    before = read_before(1, items, found["found_item_topics"], lineage)
    leaves = {
        topic
        for topic, how in zip(tree["topic_id"].to_pylist(), tree["method"].to_pylist(), strict=True)
        if how == "leaf"
    }
    topics = set(tree["topic_id"].to_pylist()) - {"t0"}
    everything = as_embeddings(data.vectors)

    def kept(later: dict[str, pa.Table]) -> tuple[float, float]:
        _, later_items, _ = build_lasting_tree(
            everything, later["found_topics"], later["found_item_topics"], before=before
        )
        overlap = overlap_of(read_membership(items), read_membership(later_items))
        old, new = overlap.before.place, overlap.after.place
        stays = {topic for topic in topics if topic in new and overlap.jaccard(old[topic], new[topic]) >= 0.5}
        return len(stays & leaves) / len(leaves), len(stays) / len(topics)

    placed = place_items(everything, Fit(found), config=TopicsConfig(), settings="")
    return {
        "leaves": len(leaves),
        "topics": len(topics),
        "placed": None if placed is None else kept(placed),
        "made anew": kept(build_tree(data.vectors)),
    }


def noise(file: Path, outside: Path) -> dict[str, float]:
    """Return how well points of no class are told apart in a tree that was made with them."""
    from sklearn.metrics import roc_auc_score

    inside, others = read_set(file), read_set(outside)
    items = build_tree(np.concatenate([inside.vectors, others.vectors]))["found_item_topics"]
    is_outside = np.arange(items.num_rows) >= len(inside)
    flagged = np.array(items["is_noise"].to_pylist())
    return {
        "neighbours": float(roc_auc_score(is_outside, -items["neighbour_similarity"].to_numpy())),
        "topic": float(roc_auc_score(is_outside, -items["similarity"].to_numpy())),
        "flagged outside": float(flagged[is_outside].mean()),
        "flagged inside": float(flagged[~is_outside].mean()),
        "with a path": float(np.mean([len(path) > 1 for path in items["path"].to_pylist()])),
    }


def new_items(file: Path, outside: Path, seed: int) -> dict[str, float]:
    """Return how well items that come later are placed in a tree of the others: by the most similar leaf."""
    from sklearn.metrics import roc_auc_score

    from clustering_platform.semantics.placing import nearest_leaves

    data, others = read_set(file), read_set(outside)
    rows = _some(len(data), 1 - HELD_OUT, seed)
    held = np.setdiff1d(np.arange(len(data)), rows)
    tables = build_tree(data.vectors[rows])
    topics = tables["found_topics"]
    row_of = {topic: row for row, topic in enumerate(topics["topic_id"].to_pylist())}
    labels = np.array([row_of[topic] for topic in tables["found_item_topics"]["topic_id"].to_pylist()])
    majority = {leaf: _most_frequent(data.fine[rows][labels == leaf]) for leaf in np.unique(labels)}

    def right(leaves: NDArray[np.int64], classes: NDArray[np.str_]) -> float:
        return float(np.mean([majority[leaf] == one for leaf, one in zip(leaves, classes, strict=True)]))

    inside, beside = nearest_leaves(data.vectors[held], topics), nearest_leaves(others.vectors, topics)
    is_outside = np.repeat([False, True], [len(held), len(others)])
    similarity = np.concatenate([inside.similarity, beside.similarity])
    return {
        "leaves": len(majority),
        "accuracy": right(inside.rows, data.fine[held]),
        "fitted": right(labels, data.fine[rows]),
        "auc": float(roc_auc_score(is_outside, -similarity)),
        "refused inside": float((~inside.belongs).mean()),
        "refused outside": float((~beside.belongs).mean()),
    }


@dataclass(frozen=True)
class Recommended:
    """The rows of a recommendation, each with the name of its trial and its CPU seconds, and what all of it took."""

    rows: list[dict[str, Any]]
    cpu: float
    seconds: float
    megabytes: float


def recommendation(file: Path) -> Recommended:
    """Compare the strategies on a set."""
    from clustering_platform.semantics.recommending import TRIALS, recommend
    from clustering_platform.semantics.reduction import distinct_rows

    points = distinct_rows(read_set(file).vectors)[0]
    recommend(points[: len(points) : len(points) // _WARM_UP], config=TopicsConfig())
    spent: dict[str, float] = defaultdict(float)

    @contextlib.contextmanager
    def around(trial: str) -> Iterator[None]:
        started = time.process_time()
        yield
        spent[trial] += time.process_time() - started

    with Meter() as meter:
        rows = recommend(points, config=TopicsConfig(), around=around)
    for row, trial in zip(rows, TRIALS, strict=True):
        row |= {"name": trial.name, "cpu": spent[trial.name]}
    return Recommended(rows, meter.cpu, meter.seconds, meter.megabytes)


def _most_frequent(labels: NDArray[np.str_]) -> str:
    names, counts = np.unique(labels, return_counts=True)
    return str(names[counts.argmax()])


def _some(count: int, share: float, seed: int) -> NDArray[np.int64]:
    """Return an ascending random part of the rows 0, 1, ..."""
    chosen = np.random.default_rng(seed).permutation(count)[: round(count * share)]
    return np.sort(chosen)
