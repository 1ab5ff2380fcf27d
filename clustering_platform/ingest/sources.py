"""Sources: which files of a dataset are read, as what, and what was noticed about them.

Reading a file belongs in ``readers``; what its rows mean in ``votes``, ``items``, ``whole_files`` and ``vectors``.
"""

import difflib
import fnmatch
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from clustering_platform.dataset_config import SourceConfig
from clustering_platform.datasets import CONFIG_FILE, Dataset, input_files
from clustering_platform.ingest.columns import (
    REQUIRED,
    Content,
    check_configured,
    describe_missing,
    describe_unknown,
    recognise,
    resolve,
)
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.found import WHOLE, Source, Unread
from clustering_platform.ingest.other_files import (
    OF_ROWS,
    caption_columns,
    find_documents,
    find_pictures,
    find_vectors,
    may_have_pictures,
    why_not,
)
from clustering_platform.ingest.readers import PARQUET_SUFFIXES, open_reader
from clustering_platform.ingest.text_files import Stamp, open_regular
from clustering_platform.ingest.vector_files import ITEM_ID, has_vectors, vectors_of_column

POLIS_SUMMARY_FILE = "summary.csv"
POLIS_MATRIX_FILES = ("participants-votes.csv", "participant-votes.csv")
POLIS_FILES = (
    POLIS_SUMMARY_FILE,
    *POLIS_MATRIX_FILES,
    "stats-history.csv",
    "comment-groups.csv",
    "comment-clusters.csv",
    "participant-importance.csv",
    "participant-xids.csv",
    "participants-xids.csv",
)
"""Files of a Polis export that hold neither votes nor items."""


def find_sources(dataset: Dataset) -> tuple[list[Source], list[Unread]]:
    """Return the files of a dataset that are read as votes or items, in order of name, and the others.

    The results file, which the settings name, is found by ``outcomes``.

    Raises
    ------
    IngestError
        A file cannot be understood, needed columns are missing, or there is nothing to read.
    """
    config = dataset.config.source
    check_configured(config.columns)
    files = [path for path in input_files(dataset.folder) if path != dataset.folder / CONFIG_FILE]
    paths = {path.relative_to(dataset.folder).as_posix(): path for path in files}
    paths.pop(dataset.config.outcomes.file or "", None)
    _check_patterns(config, list(paths))
    beside = {config.vectors.ids, config.vectors.metadata}
    has_captions = may_have_pictures(paths, config)
    found = [_find(path, name, config, has_captions) for name, path in paths.items() if name not in beside]
    sources, unread = (
        [one for one in found if isinstance(one, Source)],
        [one for one in found if isinstance(one, Unread)],
    )
    sources += find_vectors(sources, paths, config)
    whole = find_pictures(sources, paths, config) or find_documents(sources, paths, config)
    unread = [one for one in unread if one.name not in {source.name for source in whole}]
    sources = sorted([*sources, *whole], key=lambda source: source.name)
    if not sources:
        raise IngestError(_nothing_found(dataset, unread))
    _check_configured_names(sources, config)
    kept, copies = _without_copies(sources)
    return kept, unread + copies


def _find(path: Path, name: str, config: SourceConfig, has_captions: bool) -> Source | Unread | None:
    """Return a file as it is to be read, or why it is not; None for the file of vectors, see `find_vectors`.

    `has_captions` says whether tables may give captions of pictures.
    """
    content = _named_content(name, config)
    if content is None:
        if name == config.vectors.file and path.suffix.lower() not in PARQUET_SUFFIXES:
            return None
        if config.votes is not None and config.items is not None:
            return Unread(path, name, "is not named in dataset.yaml")
        suffix = path.suffix.lower()
        if config.format != "table" and path.name in POLIS_FILES:
            return Unread(path, name, "is called like a summary of Polis; if it is data, name it in dataset.yaml")
        if suffix not in OF_ROWS:
            return Unread(path, name, why_not(suffix))
    reader = open_reader(path, name, config)
    content = content or _recognised_content(reader.columns, config)
    captions = caption_columns(reader.columns, config) if has_captions and content != "votes" else None
    if captions:
        return Source.of(name, reader, "items", captions)
    if content is None:
        if has_vectors(reader):
            return Source.of(name, vectors_of_column(reader, name, config), "vectors", {ITEM_ID: ITEM_ID})
        details = describe_unknown(reader.columns, config.columns)
        return Unread(path, name, "holds neither votes nor items", details)
    columns = resolve(reader.columns, content, config.columns)
    if not set(REQUIRED[content]) <= set(columns) | ({"text"} if has_vectors(reader) else set()):
        raise IngestError(f"{name}: {describe_missing(reader.columns, content, config.columns)}")
    return Source.of(name, reader, content, columns)


def _named_content(name: str, config: SourceConfig) -> Content | None:
    """Return what the settings say that a file holds."""
    named = [content for content, patterns in _patterns(config) if any(_matches(name, one) for one in patterns)]
    if len(named) > 1:
        raise IngestError(f"{name}: is named under source.votes and under source.items; name it under one")
    return named[0] if named else None


def _recognised_content(columns: Sequence[str], config: SourceConfig) -> Content | None:
    """Return what a file holds by its columns, unless the settings name all files of that kind."""
    content = recognise(columns, config.columns)
    return None if content in [named for named, _ in _patterns(config)] else content


def _patterns(config: SourceConfig) -> list[tuple[Content, list[str]]]:
    pairs: tuple[tuple[Content, list[str] | None], ...] = (("votes", config.votes), ("items", config.items))
    return [(content, patterns) for content, patterns in pairs if patterns is not None]


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name.rsplit("/", 1)[-1], pattern)


def _check_patterns(config: SourceConfig, names: Sequence[str]) -> None:
    for content, patterns in _patterns(config):
        for pattern in patterns:
            if not any(_matches(name, pattern) for name in names):
                raise IngestError(
                    f"source.{content}: no file matches {pattern!r}; there are: {', '.join(names) or 'none'}"
                )


def _check_configured_names(sources: Sequence[Source], config: SourceConfig) -> None:
    present = {column for source in sources for column in source.reader.columns}
    for ours, name in config.columns.items():
        if name not in present:
            near = difflib.get_close_matches(name, sorted(present), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise IngestError(f"source.columns.{ours}: no file has a column {name!r}{hint}")


def _without_copies(sources: Sequence[Source]) -> tuple[list[Source], list[Unread]]:
    """Leave out files of rows that have the same bytes as an earlier one; documents and pictures may be equal."""
    sizes = Counter(Stamp.of(source.reader.path).size for source in sources if source.content not in WHOLE)
    first: dict[str, Source] = {}
    copies = []
    for source in sources:
        path = source.reader.path
        may_be_copy = source.content not in WHOLE and sizes[Stamp.of(path).size] > 1
        key = _digest(path, source.name) if may_be_copy else source.name
        if first.setdefault(key, source) is not source:
            copies.append(Unread(path, source.name, f"is a copy of {first[key].name}"))
    return list(first.values()), copies


def _digest(path: Path, name: str) -> str:
    with open_regular(path, name) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _nothing_found(dataset: Dataset, unread: Sequence[Unread]) -> str:
    if not unread:
        return f"no votes and no items found in dataset {dataset.name!r}: there is no file in it"
    looked = "\n".join(f"  {one.name}: {one.why}{one.details and ': ' + one.details}" for one in unread[:20])
    return f"no votes and no items found in dataset {dataset.name!r}; looked at\n{looked}"
