"""What a dataset comes from, as Dagster sees it: its files and its settings.

Both are observed, not made: their data versions are what lets the UI say that a table is out of date.
"""

import hashlib

import dagster as dg

from clustering_platform.datasets import CONFIG_FILE, Dataset
from clustering_platform.orchestration.partitions import DATASETS
from clustering_platform.orchestration.table_assets import CONFIG_ASSET, FILES_ASSET

DATA_VERSION_TAG = "dagster/data_version"

SOURCE_SPECS = [
    dg.AssetSpec(
        FILES_ASSET,
        description="The files in the dataset's folder of the inbox, but for its settings.",
        group_name="ingest",
        kinds={"file"},
        partitions_def=DATASETS,
    ),
    dg.AssetSpec(
        CONFIG_ASSET,
        description="The settings in the dataset's `dataset.yaml`.",
        group_name="ingest",
        kinds={"yaml"},
        partitions_def=DATASETS,
    ),
]


def observe(dataset: Dataset) -> list[dg.AssetObservation]:
    """Return observations of a dataset's files and settings as they are now."""
    config = dataset.folder / CONFIG_FILE
    settings = hashlib.sha256(config.read_bytes() if config.is_file() else b"").hexdigest()[:32]
    return [
        dg.AssetObservation(asset_key=key, partition=dataset.name, tags={DATA_VERSION_TAG: version})
        for key, version in ((FILES_ASSET, dataset.fingerprint(settings=False)), (CONFIG_ASSET, settings))
    ]
