"""Consensus items: what most voters agree or disagree with, whatever their group. Source: Polis, ``consensus``."""

import numpy as np
import pyarrow as pa

from clustering_platform.opinions.statistics import SIGNIFICANT, proportion, proportion_test
from clustering_platform.tables import TABLES, conform

LONGEST_LIST = 5
SIDES = ("agree", "disagree")


def build_consensus_items(voted_items: pa.Table) -> pa.Table:
    """Return the table `consensus_items`: at most five items for each side, moderated ones left out.

    All voters count, grouped or not. Listed are items on which significantly more than half take the side, with the
    largest product of proportion and z score first. Polis asks for a proportion above one half besides, which follows.
    """
    return conform(pa.concat_tables([_side(voted_items, side) for side in SIDES]), TABLES["consensus_items"])


def _side(voted_items: pa.Table, side: str) -> pa.Table:
    successes, trials = voted_items[side].to_numpy().astype(np.int64), voted_items["seen"].to_numpy().astype(np.int64)
    p_success, p_test = proportion(successes, trials), proportion_test(successes, trials)
    is_open = ~voted_items["is_moderated_out"].to_numpy()
    found = np.flatnonzero(is_open & (p_test > SIGNIFICANT))
    chosen = found[np.argsort(-(p_success * p_test)[found], kind="stable")][:LONGEST_LIST]
    return pa.table(
        {
            "side": pa.repeat(side, chosen.size),
            "rank": np.arange(chosen.size) + 1,
            "item_id": voted_items["item_id"].take(chosen),
            "n_success": successes[chosen],
            "n_trials": trials[chosen],
            "p_success": p_success[chosen],
            "p_test": p_test[chosen],
        }
    )
