"""Files of a dataset beside tables of rows: vectors, and files that are one item each.

Which tables there are is decided in ``sources``, which looks here for the rest.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from clustering_platform.dataset_config import SourceConfig
from clustering_platform.images import IMAGE_SUFFIXES
from clustering_platform.ingest.columns import normalise, resolve
from clustering_platform.ingest.documents import DOCUMENT_SUFFIXES, DocumentFile
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.found import Source
from clustering_platform.ingest.pictures import PictureFile
from clustering_platform.ingest.readers import CSV_SUFFIXES, JSONL_SUFFIXES, PARQUET_SUFFIXES
from clustering_platform.ingest.vector_files import INDEX_SUFFIXES, ITEM_ID, has_vectors, open_metadata, open_vectors

OF_ROWS = CSV_SUFFIXES + JSONL_SUFFIXES + PARQUET_SUFFIXES
WHY_NOT = {
    **dict.fromkeys((".pkl", ".pickle", ".joblib", ".pt", ".pth", ".npz"), "may run code when opened"),
    **dict.fromkeys((".npy", *INDEX_SUFFIXES), "holds vectors; name it as source.vectors.file, with their ids"),
    **dict.fromkeys((".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst", ".7z"), "is an archive; unpack it"),
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "is a spreadsheet; save it as CSV"),
    ".json": "is JSON; write one object a line as .jsonl",
}
"""Endings of files of data that are not read by themselves, and why."""


def why_not(suffix: str) -> str:
    """Return why a file whose name ends so is not read, going on from "it"."""
    if suffix in IMAGE_SUFFIXES:
        return "is a picture; set source.format to images in dataset.yaml to make pictures items"
    return WHY_NOT.get(suffix, "is neither CSV, JSONL nor Parquet")


def find_documents(sources: Sequence[Source], paths: Mapping[str, Path], config: SourceConfig) -> list[Source]:
    """Return the documents among the files: where the settings say so, or where no file may hold data of another form.

    Parameters
    ----------
    sources
        What was found so far.
    paths
        Files of the dataset by name.

    Raises
    ------
    IngestError
        The settings promise documents and there are none.
    """
    has_data = bool(sources) or _has_ending(paths, (*OF_ROWS, *WHY_NOT))
    if config.format != "documents" and (config.format != "auto" or has_data):
        return []
    known = {source.name for source in sources} | {config.vectors.ids}
    names = [name for name in paths if name not in known and _has_ending([name], DOCUMENT_SUFFIXES)]
    if config.format == "documents" and not names:
        raise IngestError(f"source.format is documents, but no file ends in {' or '.join(DOCUMENT_SUFFIXES)}")
    encoding = config.encoding
    return [Source(name, DocumentFile(paths[name], name, encoding=encoding), "documents", {}) for name in names]


def find_pictures(sources: Sequence[Source], paths: Mapping[str, Path], config: SourceConfig) -> list[Source]:
    """Return the pictures among the files: where the settings say so, or where no file holds data but their captions.

    Tables of items then give captions, see `caption_columns`.

    Raises
    ------
    IngestError
        The settings promise pictures and there are none.
    """
    names = [name for name in paths if _has_ending([name], IMAGE_SUFFIXES)]
    if config.format == "images" and not names:
        raise IngestError(f"source.format is images, but no file ends in {', '.join(IMAGE_SUFFIXES)}")
    others = [name for name in paths if _has_ending([name], (*OF_ROWS, *WHY_NOT))]
    captions = [source.name for source in sources if source.content == "items" and "file" in source.columns]
    has_data = set(others) != set(captions) or len(sources) > len(captions)
    if config.format != "images" and (config.format != "auto" or has_data):
        return []
    return [Source(name, PictureFile(paths[name], name), "images", {}) for name in names]


def may_have_pictures(paths: Mapping[str, Path], config: SourceConfig) -> bool:
    """Tell whether there may be pictures to read, and tables that give them captions."""
    return config.format == "images" or (config.format == "auto" and _has_ending(paths, IMAGE_SUFFIXES))


def caption_columns(names: Sequence[str], config: SourceConfig) -> dict[str, str] | None:
    """Return which columns are which in a table that gives captions, None where it does not.

    Parameters
    ----------
    names
        Columns of the table. It gives captions if there is a column ``file`` and one of texts; the file stands for the
        id of an item that has none. Where the settings do not say that there are pictures, only a table whose items
        have no ids is taken for one of captions.
    """
    columns = resolve(names, "items", config.columns)
    file = columns.get("file") or next((name for name in names if normalise(name) == "file"), None)
    if file is None or "text" not in columns or (ITEM_ID in columns and config.format != "images"):
        return None
    return {ITEM_ID: file, **columns, "file": file}


def find_vectors(sources: Sequence[Source], paths: Mapping[str, Path], config: SourceConfig) -> list[Source]:
    """Return the file that ``source.vectors.file`` names, and its metadata where nothing else has items.

    Parameters
    ----------
    sources
        The tables that were found.
    paths
        Files of the dataset by name.

    Raises
    ------
    IngestError
        They are not there or not usable, or no file has the column of vectors.
    """
    vectors = config.vectors
    found = []
    if vectors.file and vectors.file not in [source.name for source in sources]:
        found.append(Source.of(vectors.file, open_vectors(paths, config), "vectors", {ITEM_ID: ITEM_ID}))
        if vectors.metadata and not any(source.content == "items" for source in sources):
            metadata = open_metadata(paths, config)
            columns = resolve(metadata.columns, "items", config.columns)
            found.append(Source.of(vectors.metadata, metadata, "items", columns))
    elif vectors.column and not any(source.content == "vectors" or has_vectors(source.reader) for source in sources):
        raise IngestError(f"source.vectors.column: no Parquet file has a column {vectors.column!r}")
    elif not vectors.is_given and (vectors.ids or vectors.metadata):
        raise IngestError("source.vectors.file: name the file of vectors")
    return found


def _has_ending(names: Sequence[str] | Mapping[str, Path], endings: tuple[str, ...]) -> bool:
    return any(name.lower().endswith(endings) for name in names)
