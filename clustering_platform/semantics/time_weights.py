"""What each piece counts where newer items count more."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_DAY = 86_400_000_000  # microseconds
_LEAST = 1e-30  # k-means counts in single precision


def time_weights(
    embeddings: pa.Table, chunks: pa.Table, items: pa.Table, *, decay_days: float
) -> NDArray[np.float64] | None:
    """Return exp(-age / decay_days) of each row of `embeddings`: float64[pieces], above 0 and up to 1.

    The age is counted from the newest of these items. Those without a time count as the oldest; None where none of
    them has one.

    Parameters
    ----------
    embeddings, chunks
        Their ids are read, of `chunks` also `document_id`.
    items
        The table `items`; of it `item_id` and `created_at` are read.
    """
    pieces = pc.index_in(embeddings["item_id"], chunks["item_id"].combine_chunks())
    owners = chunks["document_id"].take(pieces)
    written = items["created_at"].take(pc.index_in(owners, items["item_id"].combine_chunks()))
    if written.null_count == len(written):
        return None
    newest, oldest = pc.max(written), pc.min(written)
    age = pc.subtract(newest, pc.fill_null(written, oldest)).cast(pa.int64()).to_numpy().astype(np.float64) / _DAY
    weights: NDArray[np.float64] = np.maximum(np.exp(-age / decay_days), _LEAST)
    return weights
