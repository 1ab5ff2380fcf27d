"""The axes along which work is divided: datasets, and datasets by day."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import dagster as dg

from clustering_platform.datasets import validate_name

DATASET_TAG = "clustering/dataset"
PARTITION_TAG = "dagster/partition"
DATASETS_NAME = "dataset"
DATASETS = dg.DynamicPartitionsDefinition(name=DATASETS_NAME)


def dataset_days(start_day: date) -> dg.MultiPartitionsDefinition:
    """Return the axis of opinion snapshots: every dataset, every day from `start_day` up to and including today."""
    days = dg.DailyPartitionsDefinition(start_day.isoformat(), end_offset=1)
    return dg.MultiPartitionsDefinition({"dataset": DATASETS, "day": days})


@dataclass(frozen=True)
class Slice:
    """What one run computes: a dataset as a whole, or one day of it."""

    dataset: str
    day: date | None = None

    @property
    def key(self) -> str:
        """The partition key in Dagster."""
        return f"{self.dataset}|{self.day.isoformat()}" if self.day else self.dataset

    def __str__(self) -> str:
        return f"{self.dataset} on {self.day}" if self.day else self.dataset

    @classmethod
    def from_key(cls, key: str) -> "Slice":
        """Return the slice of a partition key.

        Raises
        ------
        DatasetError
            The key names no dataset that could exist.
        """
        dataset, _, day = key.partition("|")
        return cls(validate_name(dataset), date.fromisoformat(day) if day else None)


def slice_of(run: dg.DagsterRun) -> Slice | None:
    """Return what a run computes; None where its partition is none of ours."""
    try:
        return Slice.from_key(run.tags.get(PARTITION_TAG, ""))
    except ValueError:  # of a name, which is a DatasetError, or of a day
        return None


def today() -> date:
    """Return the current day (UTC)."""
    return datetime.now(UTC).date()
