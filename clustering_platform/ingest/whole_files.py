"""Items that are a file each: from their rows to the log of items.

Reading such a file belongs in ``documents`` and ``pictures``.
"""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from clustering_platform.ingest.found import Source
from clustering_platform.ingest.ids import Ids, unusable
from clustering_platform.ingest.items import SCHEMA, ItemLog
from clustering_platform.ingest.quarantine import Quarantine
from clustering_platform.ingest.records import Malformed

_DEFAULTS = {"moderation": 0, "is_meta": False, "is_seed": False, "line": 1}


def read_whole_files(sources: Mapping[int, Source], *, items: Ids, quarantine: Quarantine) -> ItemLog:
    """Read files that are one item each; those that cannot be used go to `quarantine`.

    Parameters
    ----------
    sources
        The files by their position among the sources.
    items
        Ids met so far; new ones are added.
    """
    is_bad = unusable(pa.array([source.name for source in sources.values()], pa.string()))
    files: list[int] = []
    columns: dict[str, list[str | None]] = defaultdict(list, item_id=[])
    for (file, source), has_bad_name in zip(sources.items(), is_bad, strict=True):
        if has_bad_name:
            source.read += 1
            quarantine.add_malformed(source.name, [Malformed(1, "item_id_unusable")])
            continue
        for records in source.records(quarantine):
            files += [file] * len(records.lines)
            columns["metadata"] += records.rest
            for name, values in records.columns.items():
                columns[name] += values.to_pylist()
    numbers = items.number(pa.array(columns.pop("item_id"), pa.string()))
    return ItemLog(numbers, np.array(files, np.int32), _table(columns, len(files)))


def _table(columns: Mapping[str, list[str | None]], rows: int) -> pa.Table:
    """Return the table of an `ItemLog`; what is not given is as where a source says nothing."""
    arrays = [
        pa.array(columns[field.name], field.type)
        if field.name in columns
        else pa.repeat(pa.scalar(_DEFAULTS.get(field.name), field.type), rows)
        for field in SCHEMA
    ]
    return pa.table(arrays, schema=SCHEMA)
