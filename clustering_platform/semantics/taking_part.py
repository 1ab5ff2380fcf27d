"""Which items take part in topics: by moderation, by their metadata, by when they were written.

Which of these have something that can be embedded belongs in ``pieces``.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.config_section import SettingError
from clustering_platform.semantics.templates import as_text
from clustering_platform.topics_config import OnlyConfig, TopicsConfig


def topic_items(items: pa.Table, config: TopicsConfig) -> pa.Table:
    """Return the items that take part in topics.

    Parameters
    ----------
    items
        The `items` table; of it `moderation` is read, and `metadata` and `created_at` where the settings name them.

    Raises
    ------
    ValueError
        No item has a key of the metadata that the settings name.
    """
    if not config.include_rejected:
        items = items.filter(pc.not_equal(items["moderation"], -1))
    items = _within(items, config.only)
    return items.filter(pa.array(_matches(items, config.only.metadata))) if config.only.metadata else items


def _within(items: pa.Table, only: OnlyConfig) -> pa.Table:
    """Return the items from the first to the last day, both included; those without a time only where none is set."""
    if only.since:
        items = items.filter(pc.fill_null(pc.greater_equal(items["created_at"], _start_of(only.since)), False))
    if only.until:
        end = _start_of(only.until + timedelta(days=1))
        items = items.filter(pc.fill_null(pc.less(items["created_at"], end), False))
    return items


def _matches(items: pa.Table, wanted: Mapping[str, Sequence[object]]) -> NDArray[np.bool_]:
    """Return which items have one of the wanted values under every key: bool[items]; of a list one entry is enough."""
    rows = [json.loads(text) if text else {} for text in items["metadata"].to_pylist()]
    _check_keys(wanted, rows)
    values = {key: {as_text(value) for value in allowed} for key, allowed in wanted.items()}
    found = (all(not allowed.isdisjoint(_texts(row.get(key))) for key, allowed in values.items()) for row in rows)
    return np.fromiter(found, np.bool_, len(rows))


def _texts(value: Any) -> list[str]:
    """Return a value of the metadata as texts: several for a list, none for null."""
    if value is None:
        return []
    return [as_text(entry) for entry in value] if isinstance(value, list) else [as_text(value)]


def _check_keys(wanted: Mapping[str, Sequence[object]], rows: Sequence[Mapping[str, Any]]) -> None:
    known = sorted({key for row in rows for key in row})
    for key in wanted:
        if rows and key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known[:20]) or 'none'}"
            raise SettingError(f"topics.only.metadata: no item has {key!r} in its metadata; {hint}")


def _start_of(day: date) -> pa.Scalar:
    return pa.scalar(datetime.combine(day, time(), UTC), pa.timestamp("us", "UTC"))
