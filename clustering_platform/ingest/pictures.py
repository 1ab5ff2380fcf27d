"""Pictures: files that are one item each, and the captions that tables may give them.

Opening a picture belongs in ``images``, embedding it in ``semantics``.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.images import LARGEST_FILE, ImageError, image_hash, open_image
from clustering_platform.ingest.documents import single_record
from clustering_platform.ingest.items import SCHEMA, ItemLog
from clustering_platform.ingest.records import Malformed, Records
from clustering_platform.ingest.text_files import open_regular

_ENOUGH = 128


class PictureFile:
    """A picture as a single row: its name within the dataset as ``item_id`` and ``file``, and the hash of its bytes.

    It is opened when the row is read, and one that cannot be used is a row that is refused.
    """

    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __init__(self, path: Path, name: str) -> None:
        self.path, self._name = path, name

    def records(self, wanted: Sequence[str], *, without: frozenset[str] | None = None) -> Iterator[Records]:
        """Yield the row, with the size of the file as its metadata."""
        with open_regular(self.path, self._name) as file:
            content = file.read(LARGEST_FILE + 1)
        try:
            if not content:
                raise ImageError("file_empty", "")
            open_image(content, at_least=_ENOUGH)
        except ImageError as error:
            yield Records(np.zeros(0, np.int64), {}, [], [Malformed(1, error.reason, str(error) or None)])
        else:
            values = {"item_id": self._name, "text": "", "file": self._name, "file_hash": image_hash(content)}
            yield single_record(values, {"bytes": len(content)})


def with_captions(listed: ItemLog, pictures: ItemLog) -> tuple[ItemLog, NDArray[np.int32]]:
    """Give the items of tables the pictures that they name, and make the others items of their own.

    Parameters
    ----------
    listed
        Rows of tables; their column ``file`` names pictures.
    pictures
        Pictures as items.

    Returns
    -------
    log
        The rows of tables, with the hash of their picture and without names of pictures that are not there, and then
        the pictures that none of them names.
    named : int32[pictures]
        Files of the pictures that were named.
    """
    places = pc.index_in(listed.table["file"], pictures.table["file"].combine_chunks()).combine_chunks()
    table = listed.table
    for name in ("file", "file_hash"):
        column = pictures.table[name].take(places)
        table = table.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), column)
    is_named = np.zeros(len(pictures.items), np.bool_)
    is_named[places.drop_null().to_numpy()] = True
    joined = ItemLog.join([ItemLog(listed.items, listed.files, table), pictures.take(~is_named)])
    return joined, pictures.files[is_named]
