"""Representative items: what tells each group, and each subgroup, from the others. Source: Polis, ``repness``."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.opinions.patterns import read_group_counts
from clustering_platform.opinions.statistics import (
    SIGNIFICANT,
    Counts,
    Floats,
    proportion,
    proportion_test,
    two_proportions_test,
)
from clustering_platform.tables import TABLES, conform

LONGEST_LIST = 5


class Side(NamedTuple):
    """How strongly groups take one side of items: arrays [groups, items], or [items] for one group."""

    n_success: Counts
    n_trials: Counts
    p_success: Floats
    p_test: Floats
    repness: Floats
    repness_test: Floats

    @property
    def is_representative(self) -> NDArray[np.bool_]:
        """Whether the side is significantly that of the group, and more so than of the others."""
        return (self.p_test > SIGNIFICANT) & (self.repness_test > SIGNIFICANT)

    @property
    def probability(self) -> Floats:
        """How much the group takes the side, whatever the others do."""
        return self.p_success * self.p_test

    @property
    def strength(self) -> Floats:
        """How much the group takes the side, and more so than the others."""
        return self.repness * self.repness_test * self.p_success * self.p_test

    def of(self, group: int) -> "Side":
        """Return the arrays of one group."""
        return Side(*(array[group] for array in self))


def build_representative_items(voted_items: pa.Table, voting_patterns: pa.Table) -> pa.Table:
    """Return the table `representative_items`: at most five items for each group, moderated ones left out.

    An item stands for the side on which its group differs more from all other groups together. Listed are the items
    whose side is significant in itself and against the others, strongest first, behind the one that the group agrees
    with most. Where none is significant, that one is listed alone or, failing it, the nearest to significant. Agreeing
    sides come before disagreeing ones.
    """
    contract = TABLES["representative_items"]
    ids, counts = read_group_counts(voting_patterns, voted_items)
    lists = [
        conform(pa.table({"group_id": ids[rows], **columns}), contract) for rows, columns in _lists(counts, voted_items)
    ]
    return pa.concat_tables([contract.empty(), *lists])


def build_representative_subgroup_items(
    voted_items: pa.Table, voting_patterns: pa.Table, subgroups: pa.Table
) -> pa.Table:
    """Return the table `representative_subgroup_items`: at most five items for each subgroup, moderated ones left out.

    The rules are those for groups, with the other subgroups of the same group in place of the other groups.
    """
    contract = TABLES["representative_subgroup_items"]
    ids, counts = read_group_counts(voting_patterns, voted_items, level="subgroup")
    parents = subgroups["parent_id"].to_numpy()[np.searchsorted(subgroups["subgroup_id"].to_numpy(), ids)]
    lists = [contract.empty()]
    for parent in np.unique(parents):
        siblings = np.flatnonzero(parents == parent)
        for rows, columns in _lists(counts[siblings], voted_items):
            own = {"parent_id": np.full(rows.size, parent), "subgroup_id": ids[siblings][rows]}
            lists.append(conform(pa.table({**own, **columns}), contract))
    return pa.concat_tables(lists)


def _lists(counts: Counts, voted_items: pa.Table) -> Iterator[tuple[NDArray[np.intp], dict[str, Any]]]:
    """Yield for each cluster its items: the cluster's row in `counts` and the other columns of the table."""
    is_open = ~voted_items["is_moderated_out"].to_numpy()
    item_ids = voted_items["item_id"].filter(is_open)
    agree, disagree = (score_side(counts[:, is_open], vote=vote) for vote in (2, 0))
    for cluster in range(len(counts)):
        columns = _list(agree.of(cluster), disagree.of(cluster), item_ids)
        yield np.full(len(columns["item_id"]), cluster), columns


def _list(agree: Side, disagree: Side, item_ids: pa.ChunkedArray) -> dict[str, Any]:
    chosen, best = representative(agree, disagree)
    is_agree = agree.repness_test > disagree.repness_test
    stands_for = Side(*(np.where(is_agree, *sides)[chosen] for sides in zip(agree, disagree, strict=True)))
    return {
        "rank": np.arange(chosen.size) + 1,
        "item_id": item_ids.take(chosen),
        "side": pa.array(["disagree", "agree"]).take(is_agree[chosen].astype(np.int64)),
        **stands_for._asdict(),
        "is_best_agree": chosen == best,
        "n_agree": pa.array(agree.n_success[chosen], mask=chosen != best),
    }


def score_side(counts: Counts, *, vote: int) -> Side:
    """Compare each group with all other groups together.

    Parameters
    ----------
    counts : int64[groups, items, 3]
        Votes: disagree, pass, agree.
    vote
        Which of the three is the side.
    """
    successes, trials = counts[..., vote], counts.sum(axis=-1)
    other_successes, other_trials = successes.sum(axis=0) - successes, trials.sum(axis=0) - trials
    p_success = proportion(successes, trials)
    return Side(
        n_success=successes,
        n_trials=trials,
        p_success=p_success,
        p_test=proportion_test(successes, trials),
        repness=p_success / proportion(other_successes, other_trials),
        repness_test=two_proportions_test(successes, trials, other_successes, other_trials),
    )


def representative(agree: Side, disagree: Side) -> tuple[NDArray[np.intp], int | None]:
    """Choose the items that stand for one group: their positions in order of rank, and the best agreed one."""
    is_agree = agree.repness_test > disagree.repness_test
    best = best_agreed(agree, has_opinion=agree.n_success + disagree.n_success > 0)
    found = np.flatnonzero(agree.is_representative | disagree.is_representative)
    head = [] if best is None else [best]
    if found.size == 0 and best is None and is_agree.size > 0:
        head = [int(np.maximum(agree.repness_test, disagree.repness_test).argmax())]
    strength = np.where(is_agree, agree.strength, disagree.strength)[found]
    ranked = found[np.argsort(-strength, kind="stable")]
    chosen = np.append(np.array(head, np.intp), ranked[ranked != best])[:LONGEST_LIST]
    return chosen[np.argsort(~is_agree[chosen], kind="stable")], best


def best_agreed(agree: Side, *, has_opinion: NDArray[np.bool_]) -> int | None:
    """Return the position of the item that a group agrees with most; None where it agrees with none.

    The items are gone through in order. The first one accepted has a significant agreement, or more agreement than
    the others and than one half. A later one replaces it by a larger `strength` where the one held is agreed with more
    than by the others, else by a larger `probability`.
    """
    strength, probability = agree.strength, agree.probability
    is_acceptable = (agree.p_test > SIGNIFICANT) | ((agree.repness > 1) & (agree.p_success > 0.5))
    best: int | None = None
    for item in np.flatnonzero(has_opinion).tolist():
        if best is None:
            best = item if is_acceptable[item] else None
            continue
        measure = strength if agree.repness[best] > 1 else probability
        best = item if measure[item] > measure[best] else best
    return best
