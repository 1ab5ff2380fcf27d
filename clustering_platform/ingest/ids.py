"""Ids: which can be used, and the numbers that stand for them while a dataset is read.

Their pseudonyms belong in ``pseudonyms``.
"""

import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.ingest.quarantine import Sieve
from clustering_platform.ingest.records import LONGEST_ID

_CONTROL = r"\p{Cc}"


class Ids:
    """Distinct ids, numbered from 0 in the order in which they are met."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def array(self) -> pa.Array:
        """Return the ids in order of their numbers."""
        return pa.array(list(self._numbers), pa.string())

    def number(self, values: pa.Array) -> NDArray[np.int32]:
        """Return the numbers of ids, giving new ones to new ids: int32[rows]."""
        encoded = values.dictionary_encode()
        numbers = self._numbers
        known = [numbers.setdefault(value, len(numbers)) for value in encoded.dictionary.to_pylist()]
        return np.array(known, np.int32)[np.asarray(encoded.indices, np.int32)]

    def find(self, values: pa.Array) -> NDArray[np.int32]:
        """Return the numbers of ids, -1 for unknown ones: int32[rows]."""
        found = pc.index_in(values, value_set=self.array())
        return np.asarray(pc.fill_null(found, -1), np.int32)

    def count_lookalikes(self) -> int:
        """Return how many ids differ from another only in case, surrounding space or Unicode normal form."""
        return len(self._numbers) - len(
            {unicodedata.normalize("NFC", value).strip().casefold() for value in self._numbers}
        )


def sift_ids(sieve: Sieve, values: pa.Array, name: str, *, column: str, is_personal: bool) -> None:
    """Refuse rows without an id, or with one that cannot be used.

    Parameters
    ----------
    values : StringArray[rows]
    name
        ``voter`` or ``item``.
    column
        Name of the column in the file.
    """
    missing = np.asarray(pc.fill_null(pc.equal(pc.utf8_trim_whitespace(values), ""), True))
    sieve.refuse(missing, f"{name}_id_missing", column=column, values=values, is_personal=is_personal)
    sieve.refuse(unusable(values), f"{name}_id_unusable", column=column, values=values, is_personal=is_personal)


def unusable(values: pa.Array) -> NDArray[np.bool_]:
    """Tell which ids are too long or hold control characters: bool[rows], False for null."""
    too_long = pc.greater(pc.binary_length(values), LONGEST_ID)
    has_control = pc.match_substring_regex(values, _CONTROL)
    return np.asarray(pc.fill_null(pc.or_(too_long, has_control), False))
