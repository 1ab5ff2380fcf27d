"""Lasting ids: which topic of a new tree is which topic of the tree before.

What happened to a topic between two trees belongs in ``lineage``, what people did to it in ``merging`` and
``curation``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.semantics.membership import Membership, Overlap, overlap_of, sets_of

ROOT = "t0"
_SAME_KIND = 1e-6
_DEPTH = 1e-9
_ORDER = 1e-13


def lasting_ids(
    found: Membership,
    before: Membership | None,
    *,
    retired: Mapping[str, list[str]] | None = None,
    used: Iterable[str] = (),
) -> dict[str, str]:
    """Return the lasting id of each topic of a tree as found, by its id there.

    A topic gets the id of the earlier topic that it is matched to by `match`. Topics that are left are matched in the
    same way to topics that were retired and are remembered. The root is always ``t0``. All others get numbers above
    the highest ever used, in the order of the tree.

    Parameters
    ----------
    found
        The tree as found; its topics in preorder.
    before
        The tree before, with lasting ids; None where there was none.
    retired
        Items of topics that are in the tree no more and are remembered, by id.
    used
        Further ids that were given before, to whatever topic.
    """
    ids: dict[int, str] = {0: ROOT} if found.topic_ids else {}
    if before and before.topic_ids and ids:
        overlap = overlap_of(before, found)
        pairs = match(overlap, _not_root(before), _not_root(found))
        ids |= {later: before.topic_ids[earlier] for earlier, later in pairs}
    remembered = {key: items for key, items in (retired or {}).items() if key not in ids.values()}
    if remembered and ids:
        sets = sets_of(remembered)
        free = np.ones(len(found.topic_ids), dtype=bool)
        free[list(ids)] = False
        pairs = match(_against_all_items(overlap_of(sets, found)), np.ones(len(sets.topic_ids), dtype=bool), free)
        ids |= {later: sets.topic_ids[earlier] for earlier, later in pairs}
    known = [ROOT, *used, *(retired or ()), *(before.topic_ids if before else ())]
    number = 1 + max(map(number_of, known))
    for row in range(len(found.topic_ids)):
        if row not in ids:
            ids[row] = f"t{number}"
            number += 1
    return {found.topic_ids[row]: ids[row] for row in range(len(found.topic_ids))}


def match(overlap: Overlap, free_before: NDArray[np.bool_], free_after: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Match earlier to later topics one to one, so that their Jaccard indices add up to the most.

    Only pairs of at least .5 on the items common to both trees count; half of the two sets together is then shared.
    Topics of different depth may match. At ties leaves go with leaves, then topics with those of the same depth, then
    the first with the first.

    The assignment is the sparse one of Jonker and Volgenant (`scipy.sparse.csgraph`), over the pairs that count and,
    for each earlier topic, one that leaves it alone.

    Parameters
    ----------
    free_before, free_after
        Which earlier and which later topics may be matched, shape (t,) each.

    Returns
    -------
    Pairs of places, earlier and later.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    rows, columns, shared = overlap.rows, overlap.columns, overlap.counts
    either = overlap.before_sizes[rows] + overlap.after_sizes[columns] - shared
    counts = (2 * shared >= either) & free_before[rows] & free_after[columns]
    if not counts.any():
        return []
    rows, columns, gain = rows[counts], columns[counts], shared[counts] / either[counts]
    before, after = overlap.before, overlap.after
    gain += _SAME_KIND * (before.is_leaf[rows] == after.is_leaf[columns])
    gain -= _DEPTH * (before.depths[rows] - after.depths[columns]) ** 2 + _ORDER * columns
    earlier, row_of = np.unique(rows, return_inverse=True)
    width = len(after.topic_ids)
    alone = np.arange(len(earlier))
    costs = csr_array(
        (
            np.concatenate([2 - gain, np.full(len(earlier), 2.0)]),
            (np.concatenate([row_of, alone]), np.concatenate([columns, width + alone])),
        ),
        shape=(len(earlier), width + len(earlier)),
    )
    chosen_rows, chosen = min_weight_full_bipartite_matching(costs)
    return [(int(earlier[row]), int(column)) for row, column in zip(chosen_rows, chosen, strict=True) if column < width]


def relabel(table: pa.Table, ids: Mapping[str, str]) -> pa.Table:
    """Return a table of topics with other ids in its columns `topic_id`, `parent_id` and `path`."""
    old, new = pa.array(list(ids), pa.string()), pa.array(list(ids.values()), pa.string())

    def renamed(values: pa.Array) -> pa.Array:
        return new.take(pc.index_in(values, value_set=old))

    for position, name in enumerate(table.column_names):
        if name in ("topic_id", "parent_id"):
            table = table.set_column(position, table.schema.field(name), renamed(table[name].combine_chunks()))
        elif name == "path":
            paths = table[name].combine_chunks()
            lengths = paths.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
            offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
            lists = pa.ListArray.from_arrays(offsets, renamed(paths.flatten()), type=paths.type)
            table = table.set_column(position, table.schema.field(name), lists)
    return table


def number_of(topic_id: str) -> int:
    """Return the number in a topic id."""
    return int(topic_id[1:])


def topic_order(topic_ids: Sequence[str]) -> list[str]:
    """Return topic ids in the order of their numbers."""
    return sorted(topic_ids, key=number_of)


def _not_root(tree: Membership) -> NDArray[np.bool_]:
    return np.asarray(tree.parents >= 0)


def _against_all_items(overlap: Overlap) -> Overlap:
    """Return the overlap counting all items of later topics, also those that no remembered topic had."""
    return Overlap(
        overlap.before,
        overlap.after,
        overlap.rows,
        overlap.columns,
        overlap.counts,
        overlap.before_sizes,
        overlap.after.sizes,
    )
