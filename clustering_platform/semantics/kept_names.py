"""Names that stay: a topic that is still about the same is called as before.

How a topic is found again after a refit belongs in ``identity``; what it is called for the first time in ``naming``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

NAMER = "phrases 3"
"""How names are made without a language model; raised when other phrases become names: then none of before is kept."""


def kept_names(topics: pa.Table, before: pa.Table | None, *, max_drift: float) -> dict[str, dict[str, Any]]:
    """Return the rows of earlier names that still hold, by topic.

    A name holds as long as the centroid of its topic has not moved further than `max_drift` (cosine distance) from
    where it was when the topic got the name: steps that are small each do not add up unseen.

    Parameters
    ----------
    topics
        Table with `topic_id` and `centroid` as they are now.
    before
        Table of names with `topic_id` and `centroid`; None where there was none.
    """
    if before is None:
        return {}
    centroids = dict(zip(topics["topic_id"].to_pylist(), topics["centroid"].to_pylist(), strict=True))
    return {
        row["topic_id"]: row for row in before.to_pylist() if _is_near(centroids.get(row["topic_id"]), row, max_drift)
    }


def keep_proposed(proposed: pa.Table, before: pa.Table | None, *, max_drift: float) -> pa.Table:
    """Return the table `proposed_names` with the earlier names that still hold and were made in the same way."""
    rows = proposed.to_pylist()
    kept: Mapping[str, dict[str, Any]] = kept_names(proposed, before, max_drift=max_drift)
    stays = [kept.get(row["topic_id"], {}).get("namer") == row["namer"] for row in rows]
    chosen = [kept[row["topic_id"]] if stay else row for row, stay in zip(rows, stays, strict=True)]
    return pa.Table.from_pylist(chosen, proposed.schema)


def _is_near(centroid: list[float] | None, row: Mapping[str, Any], max_drift: float) -> bool:
    earlier = row["centroid"]
    if centroid is None or len(centroid) != len(earlier):
        return False
    return 1 - float(np.dot(centroid, earlier)) <= max_drift
