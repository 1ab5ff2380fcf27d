"""All opinion tables of a day in one call."""

from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.base_clusters import build_base_clusters
from clustering_platform.opinions.bridges import build_bridge_items, build_bridge_voters
from clustering_platform.opinions.cluster_measures import build_cluster_measures
from clustering_platform.opinions.consensus import build_consensus_items
from clustering_platform.opinions.group_names import build_group_names, texts_of
from clustering_platform.opinions.groups import best_grouping, build_voter_groups, try_groupings
from clustering_platform.opinions.item_statistics import build_item_statistics
from clustering_platform.opinions.log import Log, as_log
from clustering_platform.opinions.matrix import build_vote_matrix
from clustering_platform.opinions.patterns import build_voting_patterns
from clustering_platform.opinions.representative import (
    build_representative_items,
    build_representative_subgroup_items,
)
from clustering_platform.opinions.smoothing import Best, build_earlier_groupings, is_changed
from clustering_platform.opinions.snapshot import build_opinion_snapshot
from clustering_platform.opinions.space import build_opinion_space
from clustering_platform.opinions.stability import STABILITY_TABLES, build_stability
from clustering_platform.opinions.subgroups import build_levels
from clustering_platform.opinions.topic_opinions import build_topic_opinions
from clustering_platform.opinions.voter_measures import build_voter_measures
from clustering_platform.opinions.warm import EarlierLevels, align, keep_grouped


def compute_opinions(
    votes: pa.Table | Log,
    voters: pa.Table,
    items: pa.Table,
    *,
    day: date,
    config: OpinionsConfig,
    previous: Mapping[str, pa.Table] | None = None,
    item_topics: pa.Table | None = None,
) -> dict[str, pa.Table]:
    """Return every opinion table as of the end of `day`, by name, from the log of votes, its voters and its items.

    With ``continuity: warm``, `previous` holds the tables of the day to go on from. `item_topics` are the topics of the
    items, where there are any.
    """
    before = previous if previous and config.continuity == "warm" else {}
    log = as_log(votes)
    matrix, voted = build_vote_matrix(log, voters, items, day=day, config=config)
    matrix = keep_grouped(matrix, before.get("vote_matrix"))
    space = align(build_opinion_space(matrix, voted), before.get("opinion_space"))
    base = build_base_clusters(matrix, space, config=config, previous=before.get("voter_groups"))
    earlier = build_earlier_groupings(
        best_number(base, config=config),
        day=day,
        config=config,
        changed=lambda other: is_changed(log, day=other, config=config),
        find=lambda other: best_number_on(log, voters, items, day=other, config=config),
    )
    groups, groupings, subgroups = build_levels(
        base,
        config=config,
        earlier=earlier["groups"].to_pylist(),
        previous=EarlierLevels(before["base_clusters"], before["groupings"]) if before else None,
    )
    placed = build_voter_groups(matrix, space, base, groups, subgroups)
    patterns = build_voting_patterns(matrix, voted, placed)
    cluster_measures = build_cluster_measures(placed, patterns)
    voter_measures = build_voter_measures(matrix, voted, placed, patterns)
    stability = build_stability(matrix, voted, base, groupings, placed, config=config)
    topic_opinions, topic_divisions = build_topic_opinions(patterns, voted, item_topics)
    representative = build_representative_items(voted, patterns)
    return {
        "vote_matrix": matrix,
        "voted_items": voted,
        "opinion_space": space,
        "base_clusters": base,
        "earlier_groupings": earlier,
        "groups": groups,
        "groupings": groupings,
        "subgroups": subgroups,
        "voter_groups": placed,
        "voting_patterns": patterns,
        "representative_items": representative,
        "group_names": build_group_names(groups, representative, texts_of(items)),
        "representative_subgroup_items": build_representative_subgroup_items(voted, patterns, subgroups),
        "consensus_items": build_consensus_items(voted),
        "item_statistics": build_item_statistics(voted, space, patterns),
        "cluster_measures": cluster_measures,
        "voter_measures": voter_measures,
        "bridge_voters": build_bridge_voters(placed, voter_measures, cluster_measures),
        "bridge_items": build_bridge_items(voted, patterns),
        "topic_opinions": topic_opinions,
        "topic_divisions": topic_divisions,
        **dict(zip(STABILITY_TABLES, stability, strict=True)),
        "opinion_snapshot": build_opinion_snapshot(log, matrix, voted, space, base, groupings, day=day, config=config),
    }


def best_number(base_clusters: pa.Table, *, config: OpinionsConfig) -> Best | None:
    """Return the best number of groups of a day, None where there are no groups."""
    tried = try_groupings(base_clusters, config=config)
    best = best_grouping(tried) if tried else None
    return Best(best.number, best.silhouette) if best else None


def best_number_on(votes: Log, voters: pa.Table, items: pa.Table, *, day: date, config: OpinionsConfig) -> Best | None:
    """Return the best number of groups as of the end of `day`, from the votes alone."""
    matrix, voted = build_vote_matrix(votes, voters, items, day=day, config=config)
    if matrix.num_rows < config.min_voters:
        return None
    space = build_opinion_space(matrix, voted)
    return best_number(build_base_clusters(matrix, space, config=config), config=config)
