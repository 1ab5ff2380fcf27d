"""What happens when something changes: datasets in the inbox, votes and days in the warehouse."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from clustering_platform.datasets import Dataset, DatasetError, input_files, live_datasets
from clustering_platform.orchestration.assets.sources import observe
from clustering_platform.orchestration.jobs import DRIFT_JOB, OPINIONS_JOB, TOPICS_JOB, run_tags
from clustering_platform.orchestration.partitions import DATASETS, DATASETS_NAME, Slice, slice_of, today
from clustering_platform.orchestration.run_history import build_run_history
from clustering_platform.settings import Settings
from clustering_platform.store.commits import Commits
from clustering_platform.store.files import Files

SETTLE_SECONDS = 5.0
_INTERVAL_SECONDS = 15
_DRIFT_INTERVAL_SECONDS = 30
_EVENTS_A_TICK = 50
_ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
_NOT_ENDED = [status for status in dg.DagsterRunStatus if status not in _ENDED]


@dataclass(frozen=True)
class Seen:
    """What the inbox sensor remembers of a dataset: a cheap signature of its files and the hash of their content."""

    signature: str
    fingerprint: str


def build_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """Return the sensors."""

    @dg.sensor(
        job_name=TOPICS_JOB,
        minimum_interval_seconds=_INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Looks for new and changed datasets in the inbox and runs them.",
    )
    def inbox(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        return look_into_inbox(context, settings.inbox)

    @dg.sensor(
        job_name=OPINIONS_JOB,
        minimum_interval_seconds=_INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Makes today's opinion snapshot when the votes of a dataset were read anew.",
    )
    def new_votes(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return look_for_votes(context)

    @dg.sensor(
        job_name=DRIFT_JOB,
        minimum_interval_seconds=_DRIFT_INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Makes drift anew when days were published, and once at the end when they are backfilled.",
    )
    def changed_days(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return look_for_days(context, Commits(Files(settings.warehouse)))

    return [inbox, new_votes, changed_days, build_run_history(settings)]


def look_into_inbox(context: dg.SensorEvaluationContext, inbox: Path) -> dg.SensorResult | dg.SkipReason:
    """Request a run for every dataset whose content is not the one that was last requested."""
    before = {name: Seen(**seen) for name, seen in json.loads(context.cursor or "{}").items()}
    after: dict[str, Seen] = {}
    changed: list[Dataset] = []
    gone = departed(context.instance, inbox)
    for dataset in live_datasets(inbox):
        try:
            seen = examine(dataset, before.get(dataset.name))
        except (DatasetError, OSError) as error:
            context.log.error(f"dataset {dataset.name!r}: {error}")
            seen = before.get(dataset.name)
        if seen:
            after[dataset.name] = seen
            if before.get(dataset.name, Seen("", "")).fingerprint != seen.fingerprint:
                changed.append(dataset)
    cursor = json.dumps({name: vars(seen) for name, seen in sorted(after.items())})
    leaving = [DATASETS.build_delete_request(gone)] if gone else []
    if not changed:
        return dg.SensorResult(
            skip_reason=f"archived or gone: {', '.join(gone)}" if gone else "nothing new in the inbox",
            dynamic_partitions_requests=leaving,
            cursor=cursor,
        )
    known = set(context.instance.get_dynamic_partitions(DATASETS_NAME))
    new = [dataset.name for dataset in changed if dataset.name not in known]
    return dg.SensorResult(
        run_requests=[_request(dataset, after[dataset.name]) for dataset in changed],
        dynamic_partitions_requests=[*leaving, *([DATASETS.build_add_request(new)] if new else [])],
        asset_events=[event for item in changed for event in observe(item)],
        cursor=cursor,
    )


def departed(instance: dg.DagsterInstance, inbox: Path) -> list[str]:
    """Return the known datasets that are archived or not in the inbox any more, and of which no run is under way.

    A run would lose its partition. Where there is no inbox at all, it is taken to be out of reach, not empty.
    """
    if not inbox.is_dir():
        return []
    live = {dataset.name for dataset in live_datasets(inbox)}
    gone = set(instance.get_dynamic_partitions(DATASETS_NAME)) - live
    if not gone:
        return []
    return sorted(gone - {part.dataset for part in _under_way(instance)})


def _under_way(instance: dg.DagsterInstance) -> set[Slice]:
    """Return the slices that runs are making, or wait to make."""
    runs = instance.get_runs(dg.RunsFilter(statuses=_NOT_ENDED))
    return {part for run in runs if (part := slice_of(run))}


def examine(dataset: Dataset, before: Seen | None, *, now: float | None = None) -> Seen | None:
    """Return what a dataset holds now; `before` while its files are still being written, None for an empty folder.

    Files are hashed only when their names, sizes or times have changed.
    """
    files = [(path, path.stat()) for path in input_files(dataset.folder)]
    if not files:
        return None
    signature = ";".join(
        f"{path.relative_to(dataset.folder)}:{stat.st_size}:{stat.st_mtime_ns}" for path, stat in files
    )
    if before and before.signature == signature:
        return before
    if max(stat.st_mtime for _, stat in files) > (time.time() if now is None else now) - SETTLE_SECONDS:
        return before
    return Seen(signature, dataset.fingerprint())


def _request(dataset: Dataset, seen: Seen) -> dg.RunRequest:
    """Return the run of a dataset; its key names the state of the files, times included, so that A, B, A are three."""
    part, state = Slice(dataset.name), hashlib.sha256(seen.signature.encode()).hexdigest()[:16]
    return dg.RunRequest(run_key=f"{part.key}:{seen.fingerprint}:{state}", partition_key=part.key, tags=run_tags(part))


def look_for_votes(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Request today's snapshot for every dataset whose votes were materialized since the last look.

    The first look of all requests nothing: what was there before was published by who made it.
    """
    records, cursor = materialized_since(context.instance, "votes", context.cursor)
    if context.cursor is None:
        return dg.SensorResult(skip_reason="first look; from now on", cursor=cursor)
    requests = [request for record in records if (request := _snapshot_request(record))]
    if not requests:
        return dg.SensorResult(skip_reason="no new votes", cursor=cursor)
    return dg.SensorResult(run_requests=requests, cursor=cursor)


def materialized_since(
    instance: dg.DagsterInstance, table: str, cursor: str | None
) -> tuple[list[dg.EventLogRecord], str]:
    """Return the newest materialization of each partition of a table after a cursor, and the next cursor.

    None after no cursor: it is then to be looked for from now on.
    """
    key = dg.AssetKey(table)
    if cursor is None:
        newest = instance.fetch_materializations(key, limit=1).records
        return [], str(newest[0].storage_id if newest else 0)
    since = dg.AssetRecordsFilter(asset_key=key, after_storage_id=int(cursor))
    records = instance.fetch_materializations(since, limit=_EVENTS_A_TICK, ascending=True).records
    newest_of = {record.partition_key: record for record in records}
    return list(newest_of.values()), str(records[-1].storage_id) if records else cursor


def _snapshot_request(record: dg.EventLogRecord) -> dg.RunRequest | None:
    event = record.asset_materialization
    if not event or not event.partition or not event.metadata["dagster/row_count"].value:
        return None
    part = Slice(event.partition, today())
    return dg.RunRequest(run_key=f"{part.key}:{record.storage_id}", partition_key=part.key, tags=run_tags(part))


def look_for_days(context: dg.SensorEvaluationContext, commits: Commits) -> dg.SensorResult:
    """Request drift for every dataset of which a day was published after it and none is being made.

    Commits are looked at, not events: whoever published a day and whenever, it is neither missed nor counted twice.
    """
    before: dict[str, int] = json.loads(context.cursor or "{}")
    after: dict[str, int] = {}
    waiting: list[str] = []
    requests: list[dg.RunRequest] = []
    being_made = {part.dataset for part in _under_way(context.instance) if part.day}
    for name in sorted(context.instance.get_dynamic_partitions(DATASETS_NAME)):
        try:
            last = commits.last_sequence(name)
            published = _day_without_drift(commits, name) if last != before.get(name) else None
        except (OSError, ValueError) as error:
            context.log.error(f"dataset {name!r}: {error}")
            continue
        if published and name in being_made:
            waiting.append(name)
            continue
        after[name] = last
        if published:
            part = Slice(name)
            requests.append(
                dg.RunRequest(run_key=f"{part.key}:{published}", partition_key=part.key, tags=run_tags(part))
            )
    reason = f"days of it are being made: {', '.join(waiting)}" if waiting else "no new days"
    return dg.SensorResult(run_requests=requests, skip_reason=None if requests else reason, cursor=json.dumps(after))


def _day_without_drift(commits: Commits, dataset: str) -> int | None:
    """Return the number of the newest commit of a day, if drift was not published after it."""
    newest = next((commit for commit in commits.log(dataset) if commit.scope != "dataset"), None)
    return newest.sequence if newest and newest.scope == "day" else None
