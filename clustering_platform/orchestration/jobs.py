"""Jobs: one for each shape of partition."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

import dagster as dg

from clustering_platform.orchestration.partitions import DATASET_TAG, DATASETS, Slice, dataset_days
from clustering_platform.orchestration.recipes import NAMES_TAG

TOPICS_JOB = "topics"
OPINIONS_JOB = "opinions"
EXPORT_JOB = "export"
EXPORT_TOPICS_JOB = "export_topics"
RECOMMEND_JOB = "recommend_topics"
NAMES_JOB = "name_topics"
GROUP_NAMES_JOB = "name_groups"
DRIFT_JOB = "drift"
MAKES_TAG = "clustering/makes"
COMPLETE = {MAKES_TAG: "all that follows"}
"""What runs carry that make all that follows from what they make, however they were launched."""


def build_jobs(start_day: date) -> list[Any]:
    """Return the jobs; every run carries its dataset as a tag, by which the queue holds runs of one dataset apart."""
    days = dataset_days(start_day)
    job = partial(dg.define_asset_job, tags=COMPLETE)
    return [
        job(
            TOPICS_JOB,
            selection=dg.AssetSelection.groups("ingest", "topics") - dg.AssetSelection.assets("topic_recommendation"),
            config=_tagging(DATASETS),
            description="Read a dataset's files, find its topics, name them and publish the dataset's tables.",
        ),
        job(
            NAMES_JOB,
            selection=dg.AssetSelection.assets("written_names", "topic_names", "curation"),
            config=_tagging(DATASETS, {NAMES_TAG: "true"}),
            description="Ask a language model what the topics of a dataset are called and publish its names.",
        ),
        job(
            GROUP_NAMES_JOB,
            selection=dg.AssetSelection.assets("group_names", "opinion_snapshot"),
            config=_tagging(days, {NAMES_TAG: "true"}),
            description="Ask a language model what the groups of a day are called and publish its names.",
        ),
        job(
            OPINIONS_JOB,
            selection=dg.AssetSelection.groups("opinions"),
            config=_tagging(days),
            description="Find the opinion groups of a dataset as of the end of a day and publish the snapshot.",
        ),
        job(
            DRIFT_JOB,
            selection=dg.AssetSelection.groups("drift"),
            config=_tagging(DATASETS),
            description="Compare each published day of a dataset with the one before and publish what changed.",
        ),
        job(
            EXPORT_JOB,
            selection=dg.AssetSelection.assets("polis_export"),
            config=_tagging(days),
            description="Write the published snapshot of a day as the files that Polis gives out.",
        ),
        job(
            EXPORT_TOPICS_JOB,
            selection=dg.AssetSelection.assets("topic_export"),
            config=_tagging(DATASETS),
            description="Write the published topics of a dataset as files for visualisers.",
        ),
        job(
            RECOMMEND_JOB,
            selection=dg.AssetSelection.assets("topic_recommendation"),
            config=_tagging(DATASETS),
            description="Compare strategies of topics on parts of a dataset and recommend one.",
        ),
    ]


def run_tags(part: Slice) -> dict[str, str]:
    """Return the tags of a run on a slice."""
    return {DATASET_TAG: part.dataset}


def _tagging(partitions: dg.PartitionsDefinition[str], also: Mapping[str, str] | None = None) -> dg.PartitionedConfig:
    return dg.PartitionedConfig(
        partitions_def=partitions,
        run_config_for_partition_key_fn=lambda _: {},
        tags_for_partition_key_fn=lambda key: run_tags(Slice.from_key(key)) | dict(also or {}),
    )
