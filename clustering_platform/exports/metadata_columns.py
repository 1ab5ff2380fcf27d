"""The further columns of items, which are held as one JSON object each, as columns again."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pyarrow as pa

MOST_COLUMNS = 100
REST = "metadata"


def frequent_keys(batches: Iterable[pa.Array]) -> tuple[list[str], bool]:
    """Return the keys of JSON objects in the order in which they come, and whether these are all.

    Of more than `MOST_COLUMNS`, those that are there most often.
    """
    counts: Counter[str] = Counter()
    for batch in batches:
        for text in batch.drop_null().to_pylist():
            counts.update(json.loads(text).keys())
    kept = {key for key, _ in counts.most_common(MOST_COLUMNS)}
    return [key for key in counts if key in kept], len(kept) == len(counts)


def column_names(keys: Sequence[str], taken: Collection[str]) -> list[str]:
    """Return names for the columns of keys: the keys, unless a column of that name is there in whatever case."""
    seen = {name.lower() for name in taken}
    names = []
    for key in keys:
        name = key
        while name.lower() in seen:
            name = f"{REST}.{name}"
        seen.add(name.lower())
        names.append(name)
    return names


def split_objects(objects: pa.Array, keys: Sequence[str]) -> tuple[list[pa.Array], pa.Array]:
    """Return the values of each key as text, and what is left of each object as JSON; null where there is nothing.

    Numbers, true and false, and nested values are written as JSON.
    """
    rows = [json.loads(text) if text else {} for text in objects.to_pylist()]
    columns = [pa.array([_text(row.pop(key, None)) for row in rows], pa.string()) for key in keys]
    rest = [json.dumps(row, ensure_ascii=False) if row else None for row in rows]
    return columns, pa.array(rest, pa.string())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
