"""How sure the groups of a day are."""

import pyarrow as pa

from clustering_platform.orchestration.table_assets import CONFIG_ASSET, Run, Tables, table_asset


@table_asset(
    "group_stability", "voter_stability", "grouping_stability", kinds=("numpy", "parquet"), deps=(CONFIG_ASSET,)
)
def stability(
    run: Run,
    vote_matrix: pa.Table,
    voted_items: pa.Table,
    base_clusters: pa.Table,
    groupings: pa.Table,
    voter_groups: pa.Table,
) -> Tables:
    """Draw voters anew many times, form groups again and see how much of the groups is found again."""
    from clustering_platform.opinions.stability import build_stability

    return build_stability(vote_matrix, voted_items, base_clusters, groupings, voter_groups, config=run.config.opinions)


STABILITY_ASSETS = [stability]
