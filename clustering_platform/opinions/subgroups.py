"""Subgroups: each group divided again, by the procedure that made the groups.

A group's base clusters are tried at two subgroups and more, with the group's own number of base clusters as the limit
and its own silhouette as the judge. A group that has fewer than two distinct base clusters has no subgroups. Cold,
their number is not smoothed over days: which group of another day would be the same is not known. Warm, groups keep
their ids, and each has a smoother of its own. Source: Polis, ``subgroup-clusters``.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.groups import Division, build_groups, cluster_columns, divide, groupings_table
from clustering_platform.opinions.warm import EarlierLevels, last_division
from clustering_platform.tables import TABLES, conform


def build_levels(
    base_clusters: pa.Table,
    *,
    config: OpinionsConfig,
    earlier: Sequence[int] = (),
    previous: EarlierLevels | None = None,
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return the tables `groups`, `groupings` and `subgroups`; see `groups.build_groups` for what it takes."""
    groups, groupings = build_groups(base_clusters, config=config, earlier=earlier, previous=previous)
    subgroups, divisions = build_subgroups(base_clusters, groups, config=config, previous=previous)
    return groups, pa.concat_tables([groupings, divisions]).combine_chunks(), subgroups


def build_subgroups(
    base_clusters: pa.Table, groups: pa.Table, *, config: OpinionsConfig, previous: EarlierLevels | None = None
) -> tuple[pa.Table, pa.Table]:
    """Return the table `subgroups` and the rows of `groupings` that tell how each group was divided."""
    tables, groupings = [TABLES["subgroups"].empty()], [TABLES["groupings"].empty()]
    first_id = 0
    for group in groups.select(["group_id", "letter", "base_cluster_ids"]).to_pylist():
        is_member = pc.is_in(base_clusters["base_cluster_id"], pa.array(group["base_cluster_ids"], pa.int32()))
        members = base_clusters.filter(is_member)
        last = last_division(previous, members["base_cluster_id"], parent_id=group["group_id"])
        division = divide(members, config=config, last=last)
        if division:
            tables.append(_subgroups(members, division, group["group_id"], group["letter"], first_id))
            groupings.append(
                groupings_table(division, parent_id=group["group_id"], is_member=is_member.to_numpy().astype(np.bool_))
            )
            first_id += division.chosen.number
    return pa.concat_tables(tables).combine_chunks(), pa.concat_tables(groupings).combine_chunks()


def _subgroups(members: pa.Table, division: Division, parent_id: int, letter: str, first_id: int) -> pa.Table:
    columns = cluster_columns(members, division.chosen)
    ids = columns.pop("cluster_id")
    table = pa.table(
        {
            "subgroup_id": np.arange(ids.size) + first_id,
            "parent_id": np.full(ids.size, parent_id),
            "letter": [f"{letter}{number + 1}" for number in ids.tolist()],
            **columns,
        }
    )
    return conform(table, TABLES["subgroups"])
