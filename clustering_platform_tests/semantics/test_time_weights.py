"""What a piece counts by its age."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from clustering_platform.semantics.time_weights import time_weights
from clustering_platform.topics_config import TopicsConfig

NEWEST = datetime(2026, 3, 31, tzinfo=UTC)


def weights_of(
    ages: list[float | None], *, decay_days: float = 7
) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """Return the weights of two pieces of each item (in another order than the items), by the age of items in days."""
    ids = [f"i{row}" for row in range(len(ages))]
    times = pa.array([None if age is None else NEWEST - timedelta(days=age) for age in ages], pa.timestamp("us", "UTC"))
    pieces = [f"{name}#{number}" for number in (1, 2) for name in reversed(ids)]
    chunks = pa.table({"item_id": pieces, "document_id": [piece.split("#")[0] for piece in pieces]})
    items = pa.table({"item_id": ids, "created_at": times})
    found = time_weights(pa.table({"item_id": sorted(pieces)}), chunks, items, decay_days=decay_days)
    return None if found is None else found[::2]


def test_an_item_counts_1_when_newest_and_1_over_e_after_so_many_days() -> None:
    assert weights_of([0, 7, 14, 3.5]) == pytest.approx(np.exp([0, -1, -2, -0.5]))


def test_age_is_counted_from_the_newest_item_and_without_a_time_it_is_that_of_the_oldest() -> None:
    assert weights_of([10, None, 17]) == pytest.approx(np.exp([0, -1, -1]))


def test_nothing_is_weighed_where_no_item_has_a_time() -> None:
    assert weights_of([None, None]) is None


def test_what_is_very_old_still_counts_something() -> None:
    found = weights_of([0, 10_000])
    assert found is not None
    assert found[1].astype(np.float32) > 0


def test_only_the_strategy_flat_weighs_items() -> None:
    flat = {"algorithm": "kmeans", "decay_days": 7}
    assert TopicsConfig.model_validate({"strategy": "flat", "flat": flat}).decay_days == 7
    assert TopicsConfig.model_validate({"flat": flat}).decay_days is None
