"""Sources: which files of a dataset are read, as what, and what was noticed about them.

Reading a file belongs in ``csv_files``, ``jsonl_files`` and ``parquet_files``; what its rows mean in ``votes`` and
``items``.
"""

import difflib
import fnmatch
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from clustering_platform.dataset_config import SourceConfig
from clustering_platform.datasets import CONFIG_FILE, Dataset, input_files
from clustering_platform.ingest.columns import (
    REQUIRED,
    Content,
    check_configured,
    describe_missing,
    describe_unknown,
    list_names,
    normalise,
    recognise,
    resolve,
)
from clustering_platform.ingest.csv_files import CsvFile
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.jsonl_files import JsonlFile
from clustering_platform.ingest.parquet_files import ParquetFile
from clustering_platform.ingest.quarantine import Quarantine
from clustering_platform.ingest.records import Reader, Records
from clustering_platform.ingest.text_files import Stamp, TextFile, describe_magic, open_regular
from clustering_platform.ingest.vector_files import (
    INDEX_SUFFIXES,
    ITEM_ID,
    has_vectors,
    open_metadata,
    open_vectors,
    vectors_of_column,
)

CSV_SUFFIXES = (".csv", ".tsv", ".tab")
JSONL_SUFFIXES = (".jsonl", ".ndjson")
PARQUET_SUFFIXES = (".parquet", ".pq")
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
COUNTS = ("agrees", "disagrees")
_WHY_NOT = {
    **dict.fromkeys((".pkl", ".pickle", ".joblib", ".pt", ".pth", ".npz"), "may run code when opened"),
    **dict.fromkeys((".npy", *INDEX_SUFFIXES), "holds vectors; name it as source.vectors.file, with their ids"),
    **dict.fromkeys((".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst", ".7z"), "is an archive; unpack it"),
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "is a spreadsheet; save it as CSV"),
    ".json": "is JSON; write one object a line as .jsonl",
}


@dataclass
class Source:
    """A file that is read.

    Attributes
    ----------
    name
        Its path within the dataset.
    columns
        Our column to the file's column.
    counts
        Columns of an item file that count votes: `agrees` and `disagrees` to the file's column.
    findings
        What was noticed, as sentences for people.
    read
        Number of rows read so far.
    """

    name: str
    reader: Reader
    content: Content | Literal["vectors"]
    columns: dict[str, str]
    counts: dict[str, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    read: int = 0

    def note(self, finding: str) -> None:
        """Take down a finding."""
        self.findings.append(finding)

    def note_count(self, count: int, what: str) -> None:
        """Take down how many of something there are, if any."""
        if count:
            self.note(f"{what}: {count:,}")

    def records(self, quarantine: Quarantine) -> Iterator[Records]:
        """Yield the rows of the file; malformed ones go to `quarantine`."""
        without = frozenset(self.columns.values()) if self.content == "items" else None
        for records in self.reader.records([*self.columns.values(), *self.counts.values()], without=without):
            self.read += records.read
            quarantine.add_malformed(self.name, records.malformed)
            yield records


@dataclass(frozen=True)
class Unread:
    """A file that is not read.

    `why` goes on from "it", `details` says what would have to be there.
    """

    path: Path
    name: str
    why: str
    details: str = ""


def find_sources(dataset: Dataset) -> tuple[list[Source], list[Unread]]:
    """Return the files of a dataset that are read, in order of name, and the others.

    Raises
    ------
    IngestError
        A file cannot be understood, needed columns are missing, or there is nothing to read.
    """
    config = dataset.config.source
    check_configured(config.columns)
    files = [path for path in input_files(dataset.folder) if path != dataset.folder / CONFIG_FILE]
    paths = {path.relative_to(dataset.folder).as_posix(): path for path in files}
    _check_patterns(config, list(paths))
    beside = {config.vectors.ids, config.vectors.metadata}
    found = [_find(path, name, config) for name, path in paths.items() if name not in beside]
    sources, unread = (
        [one for one in found if isinstance(one, Source)],
        [one for one in found if isinstance(one, Unread)],
    )
    sources = sorted([*sources, *_vector_sources(sources, paths, config)], key=lambda source: source.name)
    if not sources:
        raise IngestError(_nothing_found(dataset, unread))
    _check_configured_names(sources, config)
    kept, copies = _without_copies(sources)
    return kept, unread + copies


def open_reader(path: Path, name: str, config: SourceConfig) -> Reader:
    """Open a file by the ending of its name, or by its first bytes where that says nothing.

    Raises
    ------
    IngestError
        The file is not what its name says, or cannot be understood.
    """
    with open_regular(path, name) as file:
        head = file.read(64)
    suffix = path.suffix.lower()
    is_parquet = head.startswith((b"PAR1", b"PARE"))
    if suffix in PARQUET_SUFFIXES or (is_parquet and suffix not in CSV_SUFFIXES + JSONL_SUFFIXES):
        if not is_parquet:
            what = describe_magic(head) or ("text" if head else "empty")
            raise IngestError(f"{name}: is called Parquet but is {what}; export it again or rename it")
        return ParquetFile(path, name, vectors=config.vectors.column if config.vectors.file in (None, name) else None)
    text = TextFile(path, name, encoding=config.encoding)
    if suffix in JSONL_SUFFIXES or (suffix not in CSV_SUFFIXES and head.lstrip()[:1] in (b"{", b"[")):
        return JsonlFile(text)
    return CsvFile(text, recognises=lambda names: recognise(names, config.columns) is not None)


def _find(path: Path, name: str, config: SourceConfig) -> Source | Unread | None:
    """Return a file as it is to be read, or why it is not; None for the file of vectors, see `_vector_sources`."""
    content = _named_content(name, config)
    if content is None:
        if name == config.vectors.file and path.suffix.lower() not in PARQUET_SUFFIXES:
            return None
        if config.votes is not None and config.items is not None:
            return Unread(path, name, "is not named in dataset.yaml")
        suffix = path.suffix.lower()
        if config.format != "table" and path.name in POLIS_FILES:
            return Unread(path, name, "is called like a summary of Polis; if it is data, name it in dataset.yaml")
        if suffix not in CSV_SUFFIXES + JSONL_SUFFIXES + PARQUET_SUFFIXES:
            return Unread(path, name, _WHY_NOT.get(suffix, "is neither CSV, JSONL nor Parquet"))
    reader = open_reader(path, name, config)
    content = content or _recognised_content(reader.columns, config)
    if content is None:
        if has_vectors(reader):
            return _source(name, vectors_of_column(reader, name, config), "vectors", {ITEM_ID: ITEM_ID})
        details = describe_unknown(reader.columns, config.columns)
        return Unread(path, name, "holds neither votes nor items", details)
    columns = resolve(reader.columns, content, config.columns)
    if not set(REQUIRED[content]) <= set(columns) | ({"text"} if has_vectors(reader) else set()):
        raise IngestError(f"{name}: {describe_missing(reader.columns, content, config.columns)}")
    return _source(name, reader, content, columns)


def _vector_sources(sources: Sequence[Source], paths: Mapping[str, Path], config: SourceConfig) -> list[Source]:
    """Return the file that ``source.vectors.file`` names, and its metadata where nothing else has items.

    Raises
    ------
    IngestError
        They are not there or not usable, or no file has the column of vectors.
    """
    vectors = config.vectors
    found = []
    if vectors.file and vectors.file not in [source.name for source in sources]:
        found.append(_source(vectors.file, open_vectors(paths, config), "vectors", {ITEM_ID: ITEM_ID}))
        if vectors.metadata and not any(source.content == "items" for source in sources):
            metadata = open_metadata(paths, config)
            columns = resolve(metadata.columns, "items", config.columns)
            found.append(_source(vectors.metadata, metadata, "items", columns))
    elif vectors.column and not any(source.content == "vectors" or has_vectors(source.reader) for source in sources):
        raise IngestError(f"source.vectors.column: no Parquet file has a column {vectors.column!r}")
    elif not vectors.is_given and (vectors.ids or vectors.metadata):
        raise IngestError("source.vectors.file: name the file of vectors")
    return found


def _source(name: str, reader: Reader, content: Content | Literal["vectors"], columns: dict[str, str]) -> Source:
    counts = {}
    if content == "items":
        counts = {key: column for column in reader.columns if (key := normalise(column)) in COUNTS}
    source = Source(name, reader, content, columns, counts)
    for note in reader.notes:
        source.note(note)
    unused = [column for column in reader.columns if column and column not in columns.values()]
    if content == "votes" and unused:
        source.note(f"columns that were not used: {list_names(unused)}")
    return source


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
    """Leave out files that have the same bytes as an earlier one."""
    sizes = Counter(Stamp.of(source.reader.path).size for source in sources)
    first: dict[str, Source] = {}
    copies = []
    for source in sources:
        path = source.reader.path
        key = _digest(path, source.name) if sizes[Stamp.of(path).size] > 1 else source.name
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
