"""What follows when a table changes: the tables that depend on it are made anew, and nothing else.

The jobs cover what happens day by day. This is for everything beside them: an asset that somebody materialized alone,
with another model or by force; and drift, which follows the published days.
"""

from typing import Any

import dagster as dg

from clustering_platform.orchestration.partitions import DATASET_TAG
from clustering_platform.tables import TABLES, Scope, Table

TABLES_SENSOR = "changed_tables"
DAYS_SENSOR = "changed_days"
_TABLES_SECONDS, _DAYS_SECONDS = 60, 30
_MAKES_ALL = (DATASET_TAG, "dagster/backfill", "dagster/from_automation_condition")
"""Tags of runs that make all that follows from what they make, or of which somebody chose what they make."""


def condition_of(table: Table) -> dg.AutomationCondition[Any]:
    """Return when a table is to be made anew: when a table that it depends on has other content than before.

    Content counts, not materialization: a run that found nothing new is followed by nothing. A run that makes both
    tables is not followed by another one, nor is one of our jobs or a backfill. Tables of a day follow tables of their
    day only: that votes were read anew would else make all days at once. Only a request settles a change, not that the
    table was made meanwhile by another run (Dagster's `since_last_handled`): that run may have begun before the change.
    """
    scopes: dict[Scope, set[Scope]] = {"dataset": {"dataset"}, "day": {"day"}, "days": {"day"}}
    followed = [one.name for one in TABLES.values() if one.scope in scopes[table.scope]]
    condition = dg.AutomationCondition
    changed = condition.data_version_changed() & ~condition.executed_with_root_target()
    if table.scope != "days":
        for tag in _MAKES_ALL:
            changed &= ~condition.all_new_updates_have_run_tags(tag_keys={tag})
    is_out_of_date = condition.any_deps_match(changed | condition.will_be_requested()).allow(
        dg.AssetSelection.assets(*followed)
    )
    is_free = ~condition.in_progress() & ~condition.any_deps_in_progress()
    since_asked = is_out_of_date.since(condition.newly_requested() | condition.initial_evaluation())
    return (since_asked & is_free).with_label("a table that it depends on has changed")


def build_automation_sensors() -> list[dg.SensorDefinition]:
    """Return the sensors that look at these conditions."""
    return [
        dg.AutomationConditionSensorDefinition(
            TABLES_SENSOR,
            target=dg.AssetSelection.groups("topics", "opinions"),
            default_status=dg.DefaultSensorStatus.RUNNING,
            minimum_interval_seconds=_TABLES_SECONDS,
            description="Makes the tables anew that depend on one that was materialized alone and has other content.",
        ),
        dg.AutomationConditionSensorDefinition(
            DAYS_SENSOR,
            target=dg.AssetSelection.groups("drift"),
            default_status=dg.DefaultSensorStatus.RUNNING,
            minimum_interval_seconds=_DAYS_SECONDS,
            description="Makes drift anew when days were published, and once at the end when they are backfilled.",
        ),
    ]
