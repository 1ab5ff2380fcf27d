"""Measures of the clusters, voters and bridges of one day of one dataset."""

import pyarrow as pa

from clustering_platform.orchestration.table_assets import Run, table_asset

_NUMPY = ("numpy", "parquet")


@table_asset("cluster_measures", kinds=_NUMPY)
def cluster_measures(run: Run, voter_groups: pa.Table, voting_patterns: pa.Table) -> pa.Table:
    """Measure how large, wide, united and separate every cluster is."""
    from clustering_platform.opinions.cluster_measures import build_cluster_measures

    return build_cluster_measures(voter_groups, voting_patterns)


@table_asset("voter_measures", kinds=_NUMPY)
def voter_measures(
    run: Run, vote_matrix: pa.Table, voted_items: pa.Table, voter_groups: pa.Table, voting_patterns: pa.Table
) -> pa.Table:
    """Measure how typical every voter is of the own group, and how near to the others."""
    from clustering_platform.opinions.voter_measures import build_voter_measures

    return build_voter_measures(vote_matrix, voted_items, voter_groups, voting_patterns)


@table_asset("bridge_voters", kinds=_NUMPY)
def bridge_voters(run: Run, voter_groups: pa.Table, voter_measures: pa.Table, cluster_measures: pa.Table) -> pa.Table:
    """Find the voters who sit between two groups."""
    from clustering_platform.opinions.bridges import build_bridge_voters

    return build_bridge_voters(voter_groups, voter_measures, cluster_measures)


@table_asset("bridge_items", kinds=_NUMPY)
def bridge_items(run: Run, voted_items: pa.Table, voting_patterns: pa.Table) -> pa.Table:
    """Find the items on which two groups take the same side."""
    from clustering_platform.opinions.bridges import build_bridge_items

    return build_bridge_items(voted_items, voting_patterns)


MEASURE_ASSETS = [cluster_measures, voter_measures, bridge_voters, bridge_items]
MEASURES = tuple(name for asset in MEASURE_ASSETS for name in asset.tables)
"""The tables of these assets, all of which the snapshot waits for."""
