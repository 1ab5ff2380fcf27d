"""Which items take part in topics."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from clustering_platform.semantics.taking_part import topic_items
from clustering_platform.topics_config import TopicsConfig

TRAVEL = {"domain": "travel", "tags": ["bus", "night"], "year": 2024, "is_open": True}
ROWS: dict[str, tuple[int, dict[str, Any] | None, datetime | None]] = {
    "bus": (1, TRAVEL, datetime(2026, 3, 1, 23, 59, tzinfo=UTC)),
    "spam": (-1, TRAVEL, datetime(2026, 3, 2, tzinfo=UTC)),
    "loan": (0, {"domain": "banking", "year": "2025"}, datetime(2026, 3, 2, tzinfo=UTC)),
    "none": (0, {"domain": None}, None),
    "bare": (0, None, datetime(2026, 3, 4, tzinfo=UTC)),
}


def chosen(settings: dict[str, Any]) -> list[str]:
    moderation, metadata, times = zip(*ROWS.values(), strict=True)
    items = pa.table(
        {
            "item_id": list(ROWS),
            "moderation": pa.array(moderation, pa.int8()),
            "metadata": [json.dumps(row) if row else None for row in metadata],
            "created_at": pa.array(times, pa.timestamp("us", "UTC")),
        }
    )
    found: list[str] = topic_items(items, TopicsConfig.model_validate(settings))["item_id"].to_pylist()
    return found


def test_all_take_part_but_those_that_moderation_rejected() -> None:
    assert chosen({}) == ["bus", "loan", "none", "bare"]
    assert chosen({"include_rejected": True}) == list(ROWS)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"domain": ["travel"]}, ["bus"]),
        ({"domain": ["banking", "travel"]}, ["bus", "loan"]),
        ({"domain": ["banking", "travel"], "year": ["2024"]}, ["bus"]),
        ({"year": [2025]}, ["loan"]),
        ({"tags": ["night", "day"]}, ["bus"]),
        ({"is_open": [True]}, ["bus"]),
        ({"domain": [""]}, []),
    ],
)
def test_an_item_needs_one_of_the_values_under_every_key(metadata: dict[str, Any], expected: list[str]) -> None:
    assert chosen({"only": {"metadata": metadata}}) == expected


def test_a_key_that_no_item_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"no item has 'domian' in its metadata; did you mean 'domain'\?"):
        chosen({"only": {"metadata": {"domian": ["travel"]}}})


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"since": "2026-03-02"}, ["loan", "bare"]),
        ({"until": "2026-03-01"}, ["bus"]),
        ({"since": date(2026, 3, 1), "until": date(2026, 3, 2)}, ["bus", "loan"]),
        ({"since": "2026-03-02", "metadata": {"domain": ["banking", "travel"]}}, ["loan"]),
    ],
)
def test_a_window_holds_both_its_days_and_no_item_without_a_time(window: dict[str, Any], expected: list[str]) -> None:
    assert chosen({"only": window}) == expected


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="since: 2026-03-02 is after until, 2026-03-01"):
        chosen({"only": {"since": "2026-03-02", "until": "2026-03-01"}})
