"""Which group of a day goes on as which group of the next, by the voters they have in common.

Source: the transitions of M. Spiliopoulou and others, "MONIC: Modeling and Monitoring Cluster Transitions", KDD 2006,
with one half as their threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Change = Literal["continued", "split", "merged", "new"]
NOWHERE = -1


@dataclass(frozen=True)
class Transition:
    """From the groups of a day to those of the next, each by its place.

    Attributes
    ----------
    keeps : int64[later groups]
        The earlier group that it keeps the letter of, `NOWHERE` for none.
    changes
        What became of each later group.
    sources
        The earlier groups that each later group goes on from, ascending.
    targets : int64[earlier groups]
        The later group with more than half of its voters, `NOWHERE` for none.
    """

    keeps: NDArray[np.int64]
    changes: tuple[Change, ...]
    sources: tuple[tuple[int, ...], ...]
    targets: NDArray[np.int64]

    @property
    def gone(self) -> NDArray[np.int64]:
        """The earlier groups whose letters nobody keeps."""
        return np.setdiff1d(np.arange(self.targets.size), self.keeps)


def match_groups(overlap: NDArray[np.integer]) -> Transition:
    """Return what became of groups.

    The target of an earlier group holds more than half of its voters, the source of a later one had more than half of
    them. A later group that is the target of several has `merged`; else, if its source is the source of others too,
    that one has `split`; else it has `continued` if it keeps a letter, and is `new` if not. Letters are kept one to one
    where groups are source or target of each other, so that as many voters as possible keep theirs.

    Parameters
    ----------
    overlap : int[earlier groups, later groups]
        Voters in both groups; those who are in a group on one of the days only do not count.
    """
    n_earlier, n_later = overlap.shape
    targets, sources = _majority(overlap), _majority(overlap.T)
    is_related = np.zeros(overlap.shape, dtype=bool)
    is_related[np.flatnonzero(targets != NOWHERE), targets[targets != NOWHERE]] = True
    is_related[sources[sources != NOWHERE], np.flatnonzero(sources != NOWHERE)] = True
    keeps = np.full(n_later, NOWHERE, np.int64)
    rows, columns = linear_sum_assignment(np.where(is_related, overlap, 0), maximize=True)
    kept = is_related[rows, columns]
    keeps[columns[kept]] = rows[kept]
    parts = np.bincount(sources[sources != NOWHERE], minlength=n_earlier)
    merging = [tuple(np.flatnonzero(targets == later).tolist()) for later in range(n_later)]
    changes = tuple(_change(merging[later], sources[later], parts, keeps[later]) for later in range(n_later))
    origins = tuple(
        tuple(sorted({*merging[later], *_known(sources[later]), *_known(keeps[later])})) for later in range(n_later)
    )
    return Transition(keeps, changes, origins, targets)


def _majority(overlap: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return for each row the column with more than half of it, `NOWHERE` for none."""
    most = overlap.argmax(axis=1) if overlap.shape[1] else np.zeros(len(overlap), np.int64)
    largest = overlap.max(axis=1, initial=0)
    return np.where(2 * largest > overlap.sum(axis=1), most, NOWHERE).astype(np.int64)


def _change(merging: Sequence[int], source: int, parts: NDArray[np.int64], keeps: int) -> Change:
    if len(merging) > 1:
        return "merged"
    if source != NOWHERE and parts[source] > 1:
        return "split"
    return "new" if keeps == NOWHERE else "continued"


def _known(place: int) -> tuple[int, ...]:
    return () if place == NOWHERE else (int(place),)
