"""What follows when a table changes: the tables that depend on it are made anew, and nothing else.

The jobs and the other sensors cover what happens day by day. This is for everything beside them: an asset that somebody
materialized alone, with another model or by force.
"""

from typing import Any

import dagster as dg

from clustering_platform.orchestration.jobs import COMPLETE, MAKES_TAG
from clustering_platform.tables import TABLES, Table

FOLLOWING = ("topics", "opinions")
"""The rooms whose tables follow others."""
TABLES_SENSOR = "changed_tables"
_INTERVAL_SECONDS = 60
_NOT_FOLLOWED = (MAKES_TAG, "dagster/backfill")
"""Tags of runs that make all that follows from what they make, or of which somebody chose what they make."""


def condition_of(table: Table) -> dg.AutomationCondition[Any]:
    """Return when a table is to be made anew: when a table that it depends on has other content than before.

    Content counts, not materialization: a run that found nothing new is followed by nothing. A run that makes both
    tables is not followed by another one, nor is one of our jobs or a backfill. Tables follow tables of their scope
    only: that votes were read anew would else make all days at once.

    Only a request settles a change, and none that came after it: neither that the table was made meanwhile by a run
    that may have begun before the change (Dagster's `since_last_handled`), nor the request of the look before (its
    `since` alone). What is made during a look counts at the next one. Dagster tells of changes until now, but of runs
    until the look began: a run under way would look like one that made a table alone.
    """
    followed = [one.name for one in TABLES.values() if one.scope == table.scope]
    condition = dg.AutomationCondition
    made_before_the_look = condition.any_new_update_has_run_tags()
    changed = condition.data_version_changed() & made_before_the_look & ~condition.executed_with_root_target()
    for tag in _NOT_FOLLOWED:
        changed &= ~condition.all_new_updates_have_run_tags(tag_keys={tag})
    is_out_of_date = condition.any_deps_match(changed | condition.will_be_requested()).allow(
        dg.AssetSelection.assets(*followed)
    )
    is_settled = condition.newly_requested() & ~is_out_of_date
    is_free = ~condition.in_progress() & ~condition.any_deps_in_progress()
    since_asked = is_out_of_date.since(is_settled | condition.initial_evaluation())
    return (since_asked & is_free).with_label("a table that it depends on has changed")


def build_automation_sensor() -> dg.SensorDefinition:
    """Return the sensor that looks at these conditions."""
    return dg.AutomationConditionSensorDefinition(
        TABLES_SENSOR,
        target=dg.AssetSelection.groups(*FOLLOWING),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_INTERVAL_SECONDS,
        run_tags=COMPLETE,
        description="Makes the tables anew that depend on one that was materialized alone and has other content.",
    )
