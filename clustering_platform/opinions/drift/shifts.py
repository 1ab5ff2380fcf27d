"""How the opinion of a group on an item shifts from one day to the next: the table `opinion_shifts`."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from clustering_platform.opinions.drift.days import Day
from clustering_platform.opinions.drift.lettering import Badge
from clustering_platform.opinions.drift.matching import NOWHERE, Transition
from clustering_platform.opinions.statistics import Counts, proportion
from clustering_platform.tables import TABLES, conform

_AGREE = 2


def build_shifts(earlier: Day, later: Day, transition: Transition, badges: Sequence[Badge]) -> pa.Table:
    """Return the rows of `opinion_shifts` of a day: of all grouped voters together, then of groups that keep a letter.

    Items on which nothing changed, and those on which nobody voted on one of the days, are left out.

    Parameters
    ----------
    badges
        Of the later groups.
    """
    here, there = later.items_of(earlier)
    now, before = later.counts[:, here], earlier.counts[:, there]
    ids = later.voted_items["item_id"].combine_chunks().take(pa.array(here))
    parts = [
        _rows(letter, ids, before_votes, votes, later, earlier)
        for letter, before_votes, votes in _pairs(before, now, transition, badges)
    ]
    return conform(pa.concat_tables(parts), TABLES["opinion_shifts"])


def _pairs(
    before: Counts, now: Counts, transition: Transition, badges: Sequence[Badge]
) -> Iterator[tuple[str | None, Counts, Counts]]:
    """Yield a letter with its votes before and now, int64[items, 3] each; None for all together."""
    yield None, before.sum(axis=0), now.sum(axis=0)
    for place, badge in enumerate(badges):
        if (source := transition.keeps[place]) != NOWHERE:
            yield badge.letter, before[source], now[place]


def _rows(letter: str | None, ids: pa.Array, before: Counts, now: Counts, later: Day, earlier: Day) -> pa.Table:
    seen_before, seen = before.sum(axis=1), now.sum(axis=1)
    changed = np.flatnonzero((before != now).any(axis=1) & (seen_before > 0) & (seen > 0))
    agreed_before, agreed = before[changed, _AGREE], now[changed, _AGREE]
    seen_before, seen = seen_before[changed], seen[changed]
    return pa.table(
        {
            "day": pa.repeat(pa.scalar(later.day), changed.size),
            "compared_with": pa.repeat(pa.scalar(earlier.day), changed.size),
            "letter": pa.repeat(pa.scalar(letter, pa.string()), changed.size),
            "item_id": ids.take(pa.array(changed)),
            "agree_before": agreed_before,
            "seen_before": seen_before,
            "agree": agreed,
            "seen": seen,
            "shift": proportion(agreed, seen) - proportion(agreed_before, seen_before),
        }
    )
