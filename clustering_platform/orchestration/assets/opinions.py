"""Votes to groups, for one day of one dataset."""

import pyarrow as pa

from clustering_platform.orchestration.assets.measures import MEASURES
from clustering_platform.orchestration.continuity import EarlierDays, earlier_levels, earlier_table
from clustering_platform.orchestration.stored_matrices import make_vote_matrix
from clustering_platform.orchestration.table_assets import CONFIG_ASSET, Run, Tables, table_asset
from clustering_platform.store.reading import StoredTable

_NUMPY = ("numpy", "parquet")


@table_asset("vote_matrix", "voted_items", kinds=_NUMPY, deps=(CONFIG_ASSET,))
def vote_matrix(run: Run, votes: StoredTable, voters: StoredTable, items: StoredTable) -> Tables:
    """Take the last vote of every voter on every item, up to the end of the day."""
    from clustering_platform.opinions.warm import keep_grouped

    matrix, voted = make_vote_matrix(run, votes, voters, items)
    return keep_grouped(matrix, earlier_table(run, "vote_matrix", "voter_id", "is_grouped")), voted


@table_asset("opinion_space", kinds=_NUMPY)
def opinion_space(run: Run, vote_matrix: pa.Table, voted_items: pa.Table) -> pa.Table:
    """Lay voters and items out on the two principal components of the votes."""
    from clustering_platform.opinions.space import build_opinion_space
    from clustering_platform.opinions.warm import align

    return align(build_opinion_space(vote_matrix, voted_items), earlier_table(run, "opinion_space"))


@table_asset("base_clusters", kinds=_NUMPY, deps=(CONFIG_ASSET,))
def base_clusters(run: Run, vote_matrix: StoredTable, opinion_space: pa.Table) -> pa.Table:
    """Gather voters who lie close together into base clusters."""
    from clustering_platform.opinions.base_clusters import build_base_clusters

    votes_cast = vote_matrix.read("votes_cast", "is_grouped")
    previous = earlier_table(run, "voter_groups", "voter_id", "base_cluster_id")
    return build_base_clusters(votes_cast, opinion_space, config=run.config.opinions, previous=previous)


@table_asset("earlier_groupings", kinds=_NUMPY, deps=("votes", "voters", "items", CONFIG_ASSET))
def earlier_groupings(run: Run, base_clusters: pa.Table) -> pa.Table:
    """Look up how many groups were best on the days before, or work it out from their votes."""
    from clustering_platform.opinions.compute import best_number
    from clustering_platform.opinions.smoothing import build_earlier_groupings

    days = EarlierDays(run)
    today = best_number(base_clusters, config=run.config.opinions)
    return build_earlier_groupings(
        today, day=run.day, config=run.config.opinions, changed=days.changed, find=days.best_number
    )


@table_asset("groups", "groupings", "subgroups", kinds=_NUMPY, deps=(CONFIG_ASSET,))
def groups(run: Run, base_clusters: pa.Table, earlier_groupings: pa.Table) -> Tables:
    """Gather base clusters into groups and subgroups; how many is chosen by silhouette and smoothed over days."""
    from clustering_platform.opinions.subgroups import build_levels

    return build_levels(
        base_clusters,
        config=run.config.opinions,
        earlier=earlier_groupings["groups"].to_pylist(),
        previous=earlier_levels(run),
    )


@table_asset("voter_groups", kinds=_NUMPY)
def voter_groups(
    run: Run,
    vote_matrix: StoredTable,
    opinion_space: pa.Table,
    base_clusters: pa.Table,
    groups: pa.Table,
    subgroups: pa.Table,
) -> pa.Table:
    """Say of every voter where they stand and which group and subgroup they are in."""
    from clustering_platform.opinions.groups import build_voter_groups

    return build_voter_groups(vote_matrix.read("votes_cast"), opinion_space, base_clusters, groups, subgroups)


@table_asset("voting_patterns", kinds=_NUMPY)
def voting_patterns(run: Run, vote_matrix: pa.Table, voted_items: pa.Table, voter_groups: pa.Table) -> pa.Table:
    """Count how every cluster voted on every item."""
    from clustering_platform.opinions.patterns import build_voting_patterns

    return build_voting_patterns(vote_matrix, voted_items, voter_groups)


@table_asset("representative_items", kinds=_NUMPY)
def representative_items(run: Run, voted_items: pa.Table, voting_patterns: pa.Table) -> pa.Table:
    """Find what tells each group from the others."""
    from clustering_platform.opinions.representative import build_representative_items

    return build_representative_items(voted_items, voting_patterns)


@table_asset("representative_subgroup_items", kinds=_NUMPY)
def representative_subgroup_items(
    run: Run, voted_items: pa.Table, voting_patterns: pa.Table, subgroups: pa.Table
) -> pa.Table:
    """Find what tells each subgroup from the others of its group."""
    from clustering_platform.opinions.representative import build_representative_subgroup_items

    return build_representative_subgroup_items(voted_items, voting_patterns, subgroups)


@table_asset("consensus_items", kinds=_NUMPY)
def consensus_items(run: Run, voted_items: pa.Table) -> pa.Table:
    """Find what most people of all groups agree or disagree with."""
    from clustering_platform.opinions.consensus import build_consensus_items

    return build_consensus_items(voted_items)


@table_asset("item_statistics", kinds=_NUMPY)
def item_statistics(run: Run, voted_items: pa.Table, opinion_space: pa.Table, voting_patterns: pa.Table) -> pa.Table:
    """Work out how every item unites, divides and leaves undecided, its extremity and priority."""
    from clustering_platform.opinions.item_statistics import build_item_statistics

    return build_item_statistics(voted_items, opinion_space, voting_patterns)


@table_asset("group_names", kinds=("openai", "parquet"), deps=(CONFIG_ASSET,))
def group_names(run: Run, groups: pa.Table, representative_items: pa.Table, items: StoredTable) -> pa.Table:
    """Name each group by what it stands for; `name_groups` asks a language model."""
    from clustering_platform.naming.groups import write_group_names
    from clustering_platform.opinions.group_names import build_group_names, texts_of

    texts = texts_of(items.read("item_id", "text"))
    offline = build_group_names(groups, representative_items, texts)
    if not run.asks_for_names:
        return offline
    names, figures = write_group_names(
        offline,
        groups,
        representative_items,
        texts,
        config=run.named_by_model(),
        cache=run.answer_cache(),
        about=run.config.description or run.config.title,
        most_words=run.config.topics.name_words,
        tell=run.log.info,
    )
    run.metadata |= figures
    return names


@table_asset(
    "opinion_snapshot",
    kinds=_NUMPY,
    deps=(
        "group_names",
        "representative_items",
        "representative_subgroup_items",
        "consensus_items",
        "item_statistics",
        *MEASURES,
        "group_stability",
        "topic_opinions",
        CONFIG_ASSET,
    ),
    publishes=True,
)
def opinion_snapshot(
    run: Run,
    votes: StoredTable,
    vote_matrix: StoredTable,
    voted_items: pa.Table,
    opinion_space: pa.Table,
    base_clusters: pa.Table,
    groups: pa.Table,
    groupings: pa.Table,
    voter_groups: pa.Table,
) -> pa.Table:
    """Sum the day up and publish all its tables."""
    from clustering_platform.opinions.snapshot import build_opinion_snapshot
    from clustering_platform.orchestration.pictures import opinion_map

    run.metadata["opinion map"] = opinion_map(voter_groups, groups, title=run.dataset.title)
    packed = ["votes"] if any(voted_items["is_moderated_out"].to_pylist()) else []
    return build_opinion_snapshot(
        votes,
        vote_matrix.read("votes_cast", "is_grouped", *packed),
        voted_items,
        opinion_space,
        base_clusters,
        groupings,
        day=run.day,
        config=run.config.opinions,
    )


OPINION_ASSETS = [
    vote_matrix,
    opinion_space,
    base_clusters,
    earlier_groupings,
    groups,
    voter_groups,
    voting_patterns,
    representative_items,
    representative_subgroup_items,
    consensus_items,
    item_statistics,
    group_names,
    opinion_snapshot,
]
