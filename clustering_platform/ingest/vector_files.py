"""Files of vectors and of their ids: NumPy arrays, Parquet columns and FAISS indexes.

Nothing in them is ever unpickled. Which vectors can be used belongs in ``vector_rows``, whose they are in ``vectors``.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from clustering_platform.dataset_config import SourceConfig
from clustering_platform.ingest.columns import list_names, resolve
from clustering_platform.ingest.csv_files import CsvFile
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.faiss_files import read_index
from clustering_platform.ingest.json_files import JsonFile
from clustering_platform.ingest.parquet_files import ParquetFile
from clustering_platform.ingest.records import Reader, Records
from clustering_platform.ingest.text_files import Stamp, TextFile, open_regular, unchanged
from clustering_platform.ingest.vector_rows import LARGEST_VECTORS, VectorRows, as_float32

ITEM_ID = "item_id"
INDEX_SUFFIXES = (".faiss", ".index")
_PARQUET_SUFFIXES = (".parquet", ".pq")
_PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".npz")
_NUMBERS = "fiu"


class VectorFile:
    """A file of vectors and the id of each; its only column is ``item_id``.

    Attributes
    ----------
    rows
        The vectors.
    """

    columns: tuple[str, ...] = (ITEM_ID,)

    def __init__(self, path: Path, ids: pa.Array, rows: VectorRows, notes: tuple[str, ...] = ()) -> None:
        self.path, self.rows, self.notes, self._ids = path, rows, notes, ids

    def records(self, wanted: Sequence[str], *, without: frozenset[str] | None = None) -> Iterator[Records]:
        """Yield all rows, numbered from 1; see `Reader.records`."""
        yield Records(np.arange(1, len(self.rows) + 1), dict.fromkeys(wanted, self._ids), [], [])


def open_vectors(paths: Mapping[str, Path], config: SourceConfig) -> VectorFile:
    """Open the file that ``source.vectors.file`` names, and that of its ids.

    Parameters
    ----------
    paths
        Files of the dataset by name.

    Raises
    ------
    IngestError
        A file is not there, is not what it should be, or there is not one id for each vector.
    """
    vectors = config.vectors
    name = vectors.file or ""
    path = _named(paths, name, "file")
    suffix = path.suffix.lower()
    if suffix in _PARQUET_SUFFIXES:
        return vectors_of_column(ParquetFile(path, name, vectors=vectors.column), name, config)
    if vectors.column:
        raise IngestError(f"source.vectors.column: {name} is no Parquet file and has no columns")
    if suffix == ".npy":
        rows = VectorRows.of_matrix(_read_matrix(path, name))
        ids = _open_ids(paths, config)
    elif suffix in INDEX_SUFFIXES:
        matrix, numbers = read_index(path, name, largest=LARGEST_VECTORS)
        rows, ids = VectorRows.of_matrix(matrix), _ids_of_index(paths, numbers, config)
    else:
        raise refusal(name, "source.vectors.file takes .npy, Parquet, and .faiss or .index")
    ids_name = vectors.ids or vectors.metadata
    if len(ids) != len(rows):
        raise IngestError(f"{name}: has {len(rows):,} vectors, but {ids_name} has {len(ids):,} ids; which is whose?")
    return VectorFile(path, ids, rows, (f"ids are those of {ids_name}, in its order",))


def has_vectors(reader: Reader) -> bool:
    """Tell whether a file of rows has the column of vectors."""
    return isinstance(reader, ParquetFile) and reader.has_vectors


def vectors_of_column(reader: Reader, name: str, config: SourceConfig) -> VectorFile:
    """Return the vectors in a column of a Parquet file, with the ids in another.

    Raises
    ------
    IngestError
        It has no such column, or none of ids.
    """
    if not isinstance(reader, ParquetFile):
        raise IngestError(f"{name}: is no Parquet file and has no column of vectors")
    return VectorFile(reader.path, _read_ids(reader, name, config), reader.vectors())


def open_metadata(paths: Mapping[str, Path], config: SourceConfig) -> JsonFile:
    """Open the file that ``source.vectors.metadata`` names."""
    name = config.vectors.metadata or ""
    path = _named(paths, name, "metadata")
    if path.suffix.lower() != ".json":
        raise refusal(name, "source.vectors.metadata takes .json")
    return JsonFile(path, name, encoding=config.encoding)


def refusal(name: str, otherwise: str) -> IngestError:
    """Return the error to raise where a file is of a kind that is not taken."""
    if Path(name).suffix.lower() in _PICKLES:
        return IngestError(
            f"{name}: is a pickle or holds pickles, which can run code when opened, and is never read; "
            "write the ids and texts as JSON, and vectors as .npy or Parquet"
        )
    return IngestError(f"{name}: {otherwise}")


def _named(paths: Mapping[str, Path], name: str, key: str) -> Path:
    if name not in paths:
        raise IngestError(f"source.vectors.{key}: there is no file {name!r}; there are: {list_names(list(paths))}")
    return paths[name]


def _read_matrix(path: Path, name: str) -> NDArray[np.float32]:
    array = _mapped(path, name)
    if array.ndim != 2 or array.dtype.kind not in _NUMBERS or 0 in array.shape[1:]:
        raise IngestError(f"{name}: is an array of {array.dtype} of shape {array.shape}; vectors are rows of numbers")
    if 4 * array.size > LARGEST_VECTORS:
        raise IngestError(f"{name}: is larger than {LARGEST_VECTORS / 2**30:.0f} GiB; split the dataset")
    with unchanged(path, name, Stamp.of(path)):
        return np.array(as_float32(array))


def _mapped(path: Path, name: str) -> NDArray[np.generic]:
    """Return the array of a ``.npy`` file, read where it is used; object arrays are refused."""
    with open_regular(path, name):
        pass
    try:
        return open_memmap(path, mode="r")
    except Exception as error:  # the parser of its header raises many kinds
        what = "an array of objects, which is a pickle" if "object" in str(error).lower() else "incomplete or damaged"
        raise IngestError(f"{name}: is {what}; write it with numpy.save, as an array of numbers") from None


def _open_ids(paths: Mapping[str, Path], config: SourceConfig) -> pa.Array:
    """Return the ids in a file of its own: StringArray[rows], null where a row has none."""
    name = config.vectors.ids
    if name is None:
        return _read_ids(open_metadata(paths, config), config.vectors.metadata or "", config)
    path = _named(paths, name, "ids")
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return _ids_of_array(_mapped(path, name), name)
    if suffix == ".json":
        return _read_ids(JsonFile(path, name, encoding=config.encoding), name, config)
    text = TextFile(path, name, encoding=config.encoding)
    if suffix in (".csv", ".tsv"):
        reader = CsvFile(text, recognises=lambda names: ITEM_ID in resolve(names, "items", config.columns))
        return _read_ids(reader, name, config)
    if suffix == ".txt":
        text.scan()
        with text.lines() as lines:
            return pa.array([line.rstrip("\n") for line in lines], pa.string())
    raise refusal(name, "source.vectors.ids takes .txt, .csv, .json and .npy")


def _ids_of_array(array: NDArray[np.generic], name: str) -> pa.Array:
    if array.ndim != 1 or array.dtype.kind not in "iuU":
        raise IngestError(f"{name}: is an array of {array.dtype} of shape {array.shape}; ids are one row of text")
    return pa.array([str(value) for value in array.tolist()], pa.string())


def _ids_of_index(paths: Mapping[str, Path], numbers: NDArray[np.int64] | None, config: SourceConfig) -> pa.Array:
    """Return the ids of the vectors of an index: by their numbers in it, where it and its metadata have such."""
    if config.vectors.ids or not config.vectors.metadata:
        if config.vectors.ids is None:
            raise IngestError("source.vectors.metadata: name the JSON file with the id of each vector of the index")
        return _open_ids(paths, config)
    metadata = open_metadata(paths, config)
    ids = _read_ids(metadata, config.vectors.metadata, config)
    if metadata.keys is None or len(metadata) != len(numbers if numbers is not None else metadata):
        return ids
    keys = [str(number) for number in (numbers.tolist() if numbers is not None else range(len(metadata)))]
    places = {key: place for place, key in enumerate(metadata.keys)}
    missing = [key for key in keys if key not in places]
    if missing:
        raise IngestError(f"{config.vectors.metadata}: has no key {missing[0]!r}, which a vector of the index has")
    return ids.take(pa.array([places[key] for key in keys], pa.int64()))


def _read_ids(reader: Reader, name: str, config: SourceConfig) -> pa.Array:
    """Return the ids of all rows in order: StringArray[rows], null for rows that cannot be read."""
    column = resolve(reader.columns, "items", config.columns).get(ITEM_ID)
    if column is None:
        raise IngestError(f"{name}: has no column of item ids; found {list_names(reader.columns)}")
    lines: list[int] = []
    ids: list[str | None] = []
    for records in reader.records([column]):
        lines += [*records.lines.tolist(), *(row.line for row in records.malformed)]
        ids += [*records.columns[column].to_pylist(), *([None] * len(records.malformed))]
    return pa.array([ids[place] for place in np.argsort(lines, kind="stable")], pa.string())
