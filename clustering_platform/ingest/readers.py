"""Files of rows, opened by what their names and first bytes say.

The formats belong in ``csv_files``, ``jsonl_files`` and ``parquet_files``; which files are read in ``sources``.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from clustering_platform.dataset_config import SourceConfig
from clustering_platform.ingest.columns import recognise
from clustering_platform.ingest.csv_files import CsvFile
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.jsonl_files import JsonlFile
from clustering_platform.ingest.parquet_files import ParquetFile
from clustering_platform.ingest.records import Reader
from clustering_platform.ingest.text_files import TextFile, describe_magic, open_regular

CSV_SUFFIXES = (".csv", ".tsv", ".tab")
JSONL_SUFFIXES = (".jsonl", ".ndjson")
PARQUET_SUFFIXES = (".parquet", ".pq")


def open_reader(
    path: Path, name: str, config: SourceConfig, *, recognises: Callable[[Sequence[str]], bool] | None = None
) -> Reader:
    """Open a file by the ending of its name, or by its first bytes where that says nothing.

    Parameters
    ----------
    recognises
        Tells whether names of columns are understood. Default: those of votes and items are.

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
    return CsvFile(text, recognises=recognises or (lambda names: recognise(names, config.columns) is not None))
