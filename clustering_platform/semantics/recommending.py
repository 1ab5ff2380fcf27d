"""Which strategy suits a corpus: the one that finds the same topics again in other parts of it.

Nothing is known of right topics; what can be known without them is how far topics of two subsamples agree. How each
strategy works belongs in ``strategies``.
"""

import itertools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.semantics.consensus import usual_resolution
from clustering_platform.semantics.item_embeddings import vector_matrix
from clustering_platform.semantics.reduction import Floats, Labels, distinct_rows
from clustering_platform.semantics.silhouettes import mean_silhouette
from clustering_platform.semantics.strategies import grow_tree
from clustering_platform.semantics.tree import FEWEST_ITEMS, Space, Tree
from clustering_platform.tables.contract import conform
from clustering_platform.tables.topic_recommendation import TOPIC_RECOMMENDATION
from clustering_platform.topics_config import AutoConfig, FlatConfig, TopicsConfig

MOST_POINTS = 5000
_SHARE = 0.8
_SUBSAMPLES = 2
_EQUAL = 0.02

Around = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Trial:
    """A strategy to try; `factor` times the usual resolution is that of `auto`, None where it chooses itself."""

    strategy: str
    algorithm: str | None = None
    factor: float | None = None

    @property
    def name(self) -> str:
        """What to call it."""
        more = self.algorithm or (f"resolution x {self.factor:g}" if self.factor else "")
        return f"{self.strategy}, {more}" if more else self.strategy

    def resolution(self, points: int) -> float | None:
        """Return the resolution of `auto` for a number of points."""
        return None if self.factor is None else round(self.factor * usual_resolution(points), 3)

    def config(self, base: TopicsConfig, points: int) -> TopicsConfig:
        """Return the settings with which to grow the tree of some points; smallest topics are those of their number."""
        chosen: dict[str, Any] = {"strategy": self.strategy, "min_topic_size": None}
        if self.strategy == "auto":
            chosen["auto"] = AutoConfig(resolution=self.resolution(points))
        if self.algorithm:
            chosen["flat"] = FlatConfig.model_validate({"algorithm": self.algorithm})
        return base.model_copy(update=chosen)


TRIALS = (
    Trial("auto"),
    Trial("auto", factor=0.5),
    Trial("auto", factor=1.0),
    Trial("auto", factor=2.0),
    Trial("recursive"),
    Trial("levels"),
    Trial("flat", "hdbscan"),
    Trial("flat", "kmeans"),
)


def build_topic_recommendation(
    embeddings: pa.Table, *, config: TopicsConfig, around: Around = lambda _: nullcontext()
) -> pa.Table:
    """Return the table `topic_recommendation` for the `embeddings` table; no rows for too few distinct items.

    Parameters
    ----------
    around
        From the name of a trial to a block that each part of it runs in, to tell and to time it.
    """
    points = distinct_rows(vector_matrix(embeddings["vector"]))[0]
    rows = recommend(points, config=config, trials=TRIALS, around=around)
    table = pa.Table.from_pylist(rows, schema=TOPIC_RECOMMENDATION.schema())
    return conform(table, TOPIC_RECOMMENDATION)


def recommend(
    points: Floats,
    *,
    config: TopicsConfig,
    trials: Sequence[Trial] = TRIALS,
    around: Around = lambda _: nullcontext(),
) -> list[dict[str, Any]]:
    """Return the trials as rows of the table `topic_recommendation`, ranked.

    Each trial divides two random 80 % of the points, or of 5,000 of them. First comes the one whose two divisions
    agree best on the common points (adjusted Rand index); of those within .02 of it, the one with the largest mean
    silhouette, then the one with the least noise.

    Parameters
    ----------
    points
        Array of shape (n, d): distinct vectors of length one.
    config
        Settings of topics: seed, depth, and what `recursive` is set to.
    """
    if len(points) * _SHARE < FEWEST_ITEMS:
        return []
    random = np.random.default_rng(config.seed)
    sample = np.sort(random.permutation(len(points))[:MOST_POINTS])
    size = round(len(sample) * _SHARE)
    parts = [np.sort(random.permutation(sample)[:size]) for _ in range(_SUBSAMPLES)]
    spaces = [Space(points[part], config.seed) for part in parts]
    rows = []
    for number, trial in enumerate(trials):
        found = []
        for space in spaces:
            with around(trial.name):
                found.append(_Found.of(space, grow_tree(space, trial.config(config, size))))
        rows.append(
            {
                "trial": number + 1,
                "strategy": trial.strategy,
                "algorithm": trial.algorithm,
                "resolution": trial.resolution(len(points)),
                **_measures(parts, found),
            }
        )
    return ranked(rows)


@dataclass(frozen=True)
class _Found:
    """The leaf topic of each point (int64[n]), the share of points that are not noise, the mean silhouette."""

    labels: Labels
    coverage: float
    silhouette: float

    @classmethod
    def of(cls, space: Space, tree: Tree) -> "_Found":
        labels, is_noise = np.zeros(len(space), np.int64), np.zeros(len(space), np.bool_)
        topics = list(tree.root.walk())
        for number, leaf in enumerate(topic for topic in topics if not topic.children):
            labels[leaf.points] = number
        for topic in topics:
            is_noise[topic.left_out] = True
        return cls(labels, 1 - float(is_noise.mean()), mean_silhouette(space.points, labels))

    @property
    def topics(self) -> int:
        return int(self.labels.max()) + 1


def _measures(parts: Sequence[NDArray[np.int64]], found: Sequence[_Found]) -> dict[str, Any]:
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    agreements = []
    for one, other in itertools.combinations(range(len(parts)), 2):
        _, first, second = np.intersect1d(parts[one], parts[other], return_indices=True)
        both = found[one].labels[first], found[other].labels[second]
        agreements.append((adjusted_rand_score(*both), adjusted_mutual_info_score(*both)))
    stability, shared = np.mean(agreements, axis=0)
    is_known = min(each.topics for each in found) > 1
    return {
        "topics": round(np.mean([each.topics for each in found])),
        "stability": float(stability) if is_known else None,
        "shared_information": float(np.clip(shared, -1, 1)) if is_known else None,
        "silhouette": float(np.mean([each.silhouette for each in found])),
        "coverage": float(np.mean([each.coverage for each in found])),
    }


def ranked(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with rank, reason and `is_recommended`, in their order.

    Of what is left, the next is: of those within .02 of the largest stability the one with the largest silhouette,
    then the largest coverage, then the first. Those that find no topics come last.
    """
    left, order = list(rows), []
    while left:
        stable = max(_stability(row) for row in left)
        equal = [row for row in left if _stability(row) >= stable - _EQUAL]
        order.append(max(equal, key=lambda row: (row["silhouette"], row["coverage"], -row["trial"])))
        left.remove(order[-1])
    if not order:
        return []
    best, most = order[0], max(map(_stability, order))
    place = {row["trial"]: rank for rank, row in enumerate(order, start=1)}
    return [
        {
            **row,
            "rank": place[row["trial"]],
            "is_recommended": row is best,
            "reason": _why_best(best, order, most) if row is best else _why_not(row, best, most),
        }
        for row in rows
    ]


def _stability(row: dict[str, Any]) -> float:
    return -np.inf if row["stability"] is None else float(row["stability"])


def _why_best(best: dict[str, Any], order: Sequence[dict[str, Any]], most: float) -> str:
    if best["stability"] is None:
        return "no strategy finds topics in both subsamples"
    agrees = f"its topics agree between subsamples (adjusted Rand index {best['stability']:.2f})"
    equal = sum(_stability(row) >= most - _EQUAL for row in order)
    if equal == 1:
        return f"{agrees} better than any others"
    return f"{agrees} as well as any others, and are told apart best of {equal} so stable"


def _why_not(row: dict[str, Any], best: dict[str, Any], most: float) -> str:
    if row["stability"] is None:
        return "finds no topics in at least one subsample"
    if row["stability"] < most - _EQUAL:
        return f"its topics agree less between subsamples (adjusted Rand index {row['stability']:.2f}, not {most:.2f})"
    if row["silhouette"] < best["silhouette"]:
        return f"as stable, but told apart less (silhouette {row['silhouette']:.3f}, not {best['silhouette']:.3f})"
    return "as stable and as well told apart, but with more noise, or not the first of equals"


def settings_of(row: dict[str, Any]) -> str:
    """Return what to write into ``dataset.yaml`` to have the strategy of a row."""
    lines = ["topics:", f"  strategy: {row['strategy']}"]
    if row["resolution"] is not None:
        lines += ["  auto:", f"    resolution: {row['resolution']:g}"]
    if row["algorithm"] is not None:
        lines += ["  flat:", f"    algorithm: {row['algorithm']}"]
    return "\n".join(lines) + "\n"


def is_set(row: dict[str, Any], config: TopicsConfig) -> bool:
    """Say whether settings are those of a row."""
    resolution = config.auto.resolution if config.strategy == "auto" else None
    algorithm = config.flat.algorithm if config.strategy == "flat" else None
    return (config.strategy, resolution, algorithm) == (row["strategy"], row["resolution"], row["algorithm"])
