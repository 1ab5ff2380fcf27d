"""What changes from day to day, over all published days of one dataset."""

from clustering_platform.orchestration.table_assets import Run, Tables, table_asset


@table_asset(
    "drift_days",
    "group_lineage",
    "group_flows",
    "voter_moves",
    "opinion_shifts",
    kinds=("numpy", "parquet"),
    deps=("opinion_snapshot",),
    publishes=True,
)
def drift_over_days(run: Run) -> Tables:
    """Compare each published day with the one before: groups, voters, opinions, the map and polarization."""
    from clustering_platform.opinions.drift.build import build_drift
    from clustering_platform.orchestration.drift_pictures import drift_picture, shown_days

    days = run.published_days
    tables = drift_days, group_lineage, *_ = build_drift(days.read())
    maps = list(days.read(shown_days(drift_days)))
    run.metadata["drift"] = drift_picture(drift_days, group_lineage, maps, title=run.dataset.title)
    run.metadata["days"] = drift_days.num_rows
    return tables


DRIFT_ASSETS = [drift_over_days]
