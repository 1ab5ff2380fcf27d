"""All opinion tables of a day in one call."""

from datetime import date

import pyarrow as pa

from clustering_platform.datasets import OpinionsConfig
from clustering_platform.opinions.base_clusters import build_base_clusters
from clustering_platform.opinions.bridges import build_bridge_items, build_bridge_voters
from clustering_platform.opinions.cluster_measures import build_cluster_measures
from clustering_platform.opinions.consensus import build_consensus_items
from clustering_platform.opinions.groups import build_groups, build_voter_groups
from clustering_platform.opinions.item_statistics import build_item_statistics
from clustering_platform.opinions.matrix import build_vote_matrix
from clustering_platform.opinions.patterns import build_voting_patterns
from clustering_platform.opinions.representative import build_representative_items
from clustering_platform.opinions.snapshot import build_opinion_snapshot
from clustering_platform.opinions.space import build_opinion_space
from clustering_platform.opinions.stability import STABILITY_TABLES, build_stability
from clustering_platform.opinions.voter_measures import build_voter_measures


def compute_opinions(votes: pa.Table, items: pa.Table, *, day: date, config: OpinionsConfig) -> dict[str, pa.Table]:
    """Return every opinion table as of the end of `day`, by name, from the log of votes and the items."""
    matrix, voted = build_vote_matrix(votes, items, day=day, config=config)
    space = build_opinion_space(matrix, voted)
    base = build_base_clusters(matrix, space, config=config)
    groups, groupings = build_groups(base, config=config)
    voters = build_voter_groups(matrix, space, base, groups)
    patterns = build_voting_patterns(matrix, voted, voters)
    cluster_measures = build_cluster_measures(voters, patterns)
    voter_measures = build_voter_measures(matrix, voted, voters, patterns)
    stability = build_stability(matrix, voted, base, groupings, voters, config=config)
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
        "cluster_measures": cluster_measures,
        "voter_measures": voter_measures,
        "bridge_voters": build_bridge_voters(voters, voter_measures, cluster_measures),
        "bridge_items": build_bridge_items(voted, patterns),
        **dict(zip(STABILITY_TABLES, stability, strict=True)),
        "opinion_snapshot": build_opinion_snapshot(matrix, voted, space, base, groupings, config=config),
    }
