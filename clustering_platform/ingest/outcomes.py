"""Outcomes: from a results file, or from further columns of the items, to the table of outcomes.

What topics have to do with them belongs in ``semantics``.
"""

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.dataset_config import OutcomesConfig
from clustering_platform.datasets import Dataset, input_files
from clustering_platform.ingest.arrays import chosen, successive, take_text
from clustering_platform.ingest.columns import ALIASES, is_personal, list_names, looks_like_header, normalise, shown
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.found import Source
from clustering_platform.ingest.ids import Ids, sift_ids, unusable
from clustering_platform.ingest.items import ItemLog
from clustering_platform.ingest.quarantine import Quarantine, Sieve
from clustering_platform.ingest.readers import open_reader
from clustering_platform.tables import TABLES, conform

WRONG = ("wrong", "incorrect", "false", "0", "0.0", "error")
RIGHT = ("right", "correct", "true", "1", "1.0")
"""Words that say of a label, by default, whether it is an error; a label beside one of `WRONG` is none."""
_ID_NAMES = (*ALIASES["items"]["item_id"], *ALIASES["votes"]["item_id"])
_LABEL_NAMES = ("label", "outcome")
_NONE, _UNKNOWN = -1, -2


@dataclass(frozen=True)
class Outcomes:
    """The outcomes of items, at most one of each, in the order of the source.

    Attributes
    ----------
    items : int32[outcomes]
        Numbers of the item ids.
    paired : int32[outcomes]
        Numbers of the items that they are paired with, -1 for none.
    labels : StringArray[outcomes]
    accepted, superseded : int32[rows]
        For each row of a results file that counts, or that a later one replaced, the position of the file.
    """

    items: NDArray[np.int32]
    paired: NDArray[np.int32]
    labels: pa.Array
    accepted: NDArray[np.int32]
    superseded: NDArray[np.int32]

    def table(self, item_ids: pa.Array, config: OutcomesConfig) -> pa.Table:
        """Return the table `outcomes`, given what to call the items of each number."""
        places = pa.array(self.paired, mask=self.paired < 0)
        table = {
            "item_id": take_text(item_ids, self.items),
            "label": self.labels,
            "is_error": find_errors(self.labels, config.wrong),
            "paired_item_id": item_ids.take(places).cast(pa.string()),
        }
        return conform(pa.table(table), TABLES["outcomes"])


_NOTHING = np.zeros(0, np.int32)
NO_OUTCOMES = Outcomes(_NOTHING, _NOTHING, pa.array([], pa.string()), _NOTHING, _NOTHING)


def find_errors(labels: pa.Array, wrong: Sequence[str] | None) -> pa.Array:
    """Return which labels are errors: BooleanArray[labels], all null where the labels are categories.

    Case makes no difference.

    Parameters
    ----------
    wrong
        Labels that are errors, all others being none. None: those in `WRONG`, if any of them occurs, or none of them
        if all labels are in `RIGHT`; else the labels are categories.
    """
    words = pc.utf8_lower(labels)
    known = [word.strip().lower() for word in (WRONG if wrong is None else wrong)]
    is_error = pc.is_in(words, value_set=pa.array(known, pa.string()))
    is_all_right = pc.all(pc.is_in(words, value_set=pa.array(RIGHT)), min_count=1).as_py()
    if wrong is None and not is_all_right and not pc.any(is_error).as_py():
        return pa.nulls(len(labels), pa.bool_())
    return is_error


def find_results(dataset: Dataset) -> Source | None:
    """Return the results file that the settings name, None where they name none.

    Raises
    ------
    IngestError
        It is not there, cannot be understood, or lacks a column.
    """
    config = dataset.config.outcomes
    if config.file is None:
        return None
    paths = {path.relative_to(dataset.folder).as_posix(): path for path in input_files(dataset.folder)}
    if config.file not in paths:
        raise IngestError(f"outcomes.file: there is no file {config.file!r}{_hint(config.file, list(paths))}")
    reader = open_reader(
        paths[config.file],
        config.file,
        dataset.config.source,
        recognises=lambda names: _resolve(names, config).keys() >= {"item_id", "label"},
    )
    columns = _resolve(reader.columns, config)
    _check_columns(config, columns, reader.columns)
    source = Source(config.file, reader, "outcomes", columns)
    for note in reader.notes:
        source.note(note)
    return source


def read_results(source: Source, *, file: int, items: Ids, quarantine: Quarantine) -> Outcomes:
    """Read a results file; what cannot be accepted goes to `quarantine`. Of several rows of an item the last counts.

    Parameters
    ----------
    file
        Position of the file among the sources.
    items
        Ids of all items; others are refused.
    """
    names = source.columns
    rows: list[tuple[NDArray[np.int32], NDArray[np.int32], pa.Array]] = []
    for records in source.records(quarantine):
        absent = pa.nulls(len(records.lines), pa.string())
        ids, label, truth = (records.columns.get(names.get(ours, ""), absent) for ours in ("item_id", "label", "truth"))
        label, item, paired = pc.utf8_trim_whitespace(label), items.find(ids), _find_paired(truth, items)
        sieve = Sieve(quarantine, source.name, records.lines)
        sift_ids(sieve, ids, "item", column=names["item_id"], is_personal=False)
        for column, reason, values, is_bad in (
            ("item_id", "item_unknown", ids, item < 0),
            ("label", "label_missing", label, _is_blank(label)),
            ("label", "label_unusable", label, unusable(label)),
            ("truth", "truth_unknown", truth, paired == _UNKNOWN),
            ("truth", "truth_is_itself", truth, paired == item),
        ):
            sieve.refuse(is_bad, reason, column=names.get(column, ""), values=values)
        rows.append((item[sieve.kept], paired[sieve.kept], label.filter(pa.array(sieve.kept))))
    numbers, paired = (np.concatenate([_NOTHING, *(row[column] for row in rows)]) for column in (0, 1))
    labels = pa.concat_arrays([NO_OUTCOMES.labels, *(row[2] for row in rows)])
    earlier, later = successive(numbers.astype(np.int64))
    is_replaced = chosen(len(numbers), earlier)
    changed = pc.sum(pc.not_equal(labels.take(pa.array(earlier)), labels.take(pa.array(later)))).as_py() or 0
    source.note_count(changed, "outcomes that come again later with another label, which was taken")
    kept = ~is_replaced
    return Outcomes(
        numbers[kept],
        paired[kept],
        labels.filter(pa.array(kept)),
        np.full(int(kept.sum()), file, np.int32),
        np.full(len(earlier), file, np.int32),
    )


def outcomes_of_items(listed: ItemLog, sources: Sequence[Source], *, items: Ids, config: OutcomesConfig) -> Outcomes:
    """Return the outcomes that stand in further columns of item files; what cannot be used is noted and left out.

    Parameters
    ----------
    listed
        The items of all item files.
    sources
        All sources; notes go to those of items.

    Raises
    ------
    IngestError
        No item file has such a column.
    """
    if config.label is None:
        return NO_OUTCOMES
    item_files = [source for source in sources if source.content == "items"]
    given = listed.table["metadata"].to_pylist()
    columns = [config.label, *([config.truth] if config.truth else [])]
    values = _further(given, columns)
    for name, key in zip(columns, ("label", "truth"), strict=False):
        if not values[name].count(None) < len(given):
            _check_further(name, key, item_files)
    label = pc.utf8_trim_whitespace(pa.array(values[config.label], pa.string()))
    truth = pa.array(values[config.truth], pa.string()) if config.truth else pa.nulls(len(label), pa.string())
    paired = _find_paired(truth, items)
    is_missing, is_unusable = _is_blank(label), unusable(label)
    is_lost = (paired == _UNKNOWN) | (paired == listed.items)
    for what, is_bad in (
        ("items without an outcome", is_missing),
        ("outcomes that cannot be read, left out", is_unusable & ~is_missing),
        ("pairs with an item that is not there or is the same, left out", is_lost),
    ):
        for file, source in enumerate(sources):
            source.note_count(int((is_bad & (listed.files == file)).sum()), what)
    kept = ~is_missing & ~is_unusable
    paired = np.where(is_lost, _NONE, paired).astype(np.int32)
    return Outcomes(listed.items[kept], paired[kept], label.filter(pa.array(kept)), _NOTHING, _NOTHING)


def _resolve(names: Sequence[str], config: OutcomesConfig) -> dict[str, str]:
    """Return which column of a results file is which of ours."""
    by_name = {normalise(name): name for name in reversed(names) if name}
    found: dict[str, str] = {}
    wanted = (("label", config.label, _LABEL_NAMES), ("truth", config.truth, ()), ("item_id", config.id, _ID_NAMES))
    for ours, configured, usual in wanted:
        if configured is not None:
            found |= {ours: configured} if configured in names else {}
            continue
        free = (by_name[key] for name in usual if (key := normalise(name)) in by_name)
        match = next((name for name in free if name not in found.values()), None)
        found |= {ours: match} if match else {}
    return found


def _check_columns(config: OutcomesConfig, columns: dict[str, str], names: Sequence[str]) -> None:
    wanted = {"item_id": config.id or "item_id", "label": config.label or "label"}
    wanted |= {"truth": config.truth} if config.truth else {}
    for ours, name in wanted.items():
        if ours not in columns:
            key = "id" if ours == "item_id" else ours
            has = f"; found {list_names(names)}" if names and looks_like_header([*names, *wanted.values()]) else ""
            raise IngestError(
                f"{config.file}: outcomes.{key}: there is no column {name!r}{has}{_hint(name, names)}; "
                f"name the column under outcomes.{key} in dataset.yaml"
            )
        if is_personal(columns[ours]):
            raise IngestError(f"{config.file}: column {shown(columns[ours])!r} holds ids of people, not a {ours}")
    if len(set(columns.values())) < len(columns):
        raise IngestError(f"{config.file}: outcomes.id, label and truth name the same column; they are three things")


def _check_further(name: str, key: str, item_files: Sequence[Source]) -> None:
    """Raise `IngestError` if no item file has a further column of this name."""
    for source in item_files:
        ours = {theirs: ours for ours, theirs in source.columns.items()}
        if name in ours:
            raise IngestError(f"outcomes.{key}: column {name!r} of {source.name} is read as {ours[name]}")
    if is_personal(name):
        raise IngestError(f"outcomes.{key}: column {name!r} holds ids of people and is not read")
    names = [column for source in item_files for column in source.reader.columns]
    if name not in names:
        raise IngestError(f"outcomes.{key}: no item file has a column {name!r}{_hint(name, names)}")


def _further(given: Sequence[str | None], columns: Sequence[str]) -> dict[str, list[str | None]]:
    """Return the values of some further columns of the items, from their JSON objects."""
    parsed = [json.loads(text) if text else {} for text in given]
    return {name: [row.get(name) for row in parsed] for name in columns}


def _find_paired(truth: pa.Array, items: Ids) -> NDArray[np.int32]:
    """Return the numbers of paired items, -1 where none is named and -2 where it is unknown: int32[rows]."""
    found = items.find(truth)
    return np.where(_is_blank(truth), _NONE, np.where(found < 0, _UNKNOWN, found)).astype(np.int32)


def _is_blank(values: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(pc.equal(pc.utf8_trim_whitespace(values), ""), True), np.bool_)


def _hint(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {shown(near[0])!r}?" if near else ""
