"""All opinion tables of a day in one call."""

from datetime import date

import pyarrow as pa

from clustering_platform.datasets import OpinionsConfig
from clustering_platform.opinions.base_clusters import build_base_clusters
from clustering_platform.opinions.consensus import build_consensus_items
from clustering_platform.opinions.groups import build_groups, build_voter_groups
from clustering_platform.opinions.item_statistics import build_item_statistics
from clustering_platform.opinions.log import Log, as_log
from clustering_platform.opinions.matrix import build_vote_matrix
from clustering_platform.opinions.patterns import build_voting_patterns
from clustering_platform.opinions.representative import build_representative_items
from clustering_platform.opinions.snapshot import build_opinion_snapshot
from clustering_platform.opinions.space import build_opinion_space


def compute_opinions(
    votes: pa.Table | Log, voters: pa.Table, items: pa.Table, *, day: date, config: OpinionsConfig
) -> dict[str, pa.Table]:
    """Return every opinion table as of the end of `day`, by name, from the log of votes, its voters and its items."""
    log = as_log(votes)
    matrix, voted = build_vote_matrix(log, voters, items, day=day, config=config)
    space = build_opinion_space(matrix, voted)
    base = build_base_clusters(matrix, space, config=config)
    groups, groupings = build_groups(base, config=config)
    voters = build_voter_groups(matrix, space, base, groups)
    patterns = build_voting_patterns(matrix, voted, voters)
    return {
        "vote_matrix": matrix,
        "voted_items": voted,
        "opinion_space": space,
        "base_clusters": base,
        "groups": groups,
        "groupings": groupings,
        "voter_groups": voters,
        "voting_patterns": patterns,
        "representative_items": build_representative_items(voted, patterns),
        "consensus_items": build_consensus_items(voted),
        "item_statistics": build_item_statistics(voted, space, patterns),
        "opinion_snapshot": build_opinion_snapshot(log, matrix, voted, space, base, groupings, day=day, config=config),
    }
