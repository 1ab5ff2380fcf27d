"""The one module that Dagster loads: all assets, jobs, schedules and sensors, assembled.

`build_defs` makes the same definitions for the app, the command line and the tests; they differ in resources only.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from clustering_platform.orchestration.assets.drift import DRIFT_ASSETS
from clustering_platform.orchestration.assets.exports import build_polis_export, build_topic_export
from clustering_platform.orchestration.assets.ingest import INGEST_ASSETS
from clustering_platform.orchestration.assets.measures import MEASURE_ASSETS
from clustering_platform.orchestration.assets.opinions import OPINION_ASSETS
from clustering_platform.orchestration.assets.outcomes import OUTCOME_ASSETS
from clustering_platform.orchestration.assets.recommendation import build_topic_recommendation_asset
from clustering_platform.orchestration.assets.sources import SOURCE_SPECS
from clustering_platform.orchestration.assets.stability import STABILITY_ASSETS
from clustering_platform.orchestration.assets.topic_opinions import TOPIC_OPINION_ASSETS
from clustering_platform.orchestration.assets.topics import TOPIC_ASSETS
from clustering_platform.orchestration.automation import build_automation_sensor
from clustering_platform.orchestration.embedders import Embedders
from clustering_platform.orchestration.jobs import build_jobs
from clustering_platform.orchestration.naming_sensor import build_naming_sensor
from clustering_platform.orchestration.partitions import DATASETS, dataset_days
from clustering_platform.orchestration.reaping import build_reaper
from clustering_platform.orchestration.schedules import build_schedules
from clustering_platform.orchestration.sensors import build_sensors
from clustering_platform.orchestration.warehouse import Warehouse
from clustering_platform.settings import Settings

DAY_ASSETS = (*OPINION_ASSETS, *MEASURE_ASSETS, *STABILITY_ASSETS, *TOPIC_OPINION_ASSETS)


def build_defs(
    settings: Settings | None = None, *, resource_overrides: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """Return the definitions of the platform.

    Parameters
    ----------
    settings
        Process settings; by default those of the environment.
    resource_overrides
        Resources to put in place of the usual ones, by key.
    """
    settings = settings or Settings()
    days, jobs = dataset_days(settings.start_day), build_jobs(settings.start_day)
    assets: list[Any] = [
        *SOURCE_SPECS,
        *(asset.build(DATASETS) for asset in (*INGEST_ASSETS, *TOPIC_ASSETS, *OUTCOME_ASSETS, *DRIFT_ASSETS)),
        *(asset.build(days) for asset in DAY_ASSETS),
        build_polis_export(days),
        build_topic_export(DATASETS),
        build_topic_recommendation_asset(DATASETS),
    ]
    resources = {"warehouse": Warehouse(data_folder=str(settings.data_folder)), "embedders": Embedders()}
    return dg.Definitions(
        assets=assets,
        jobs=jobs,
        schedules=build_schedules(settings),
        sensors=[
            *build_sensors(settings),
            build_automation_sensor(),
            build_naming_sensor(settings, jobs),
            build_reaper(settings),
        ],
        resources=resources | dict(resource_overrides or {}),
        executor=dg.in_process_executor,
    )


defs = build_defs()
