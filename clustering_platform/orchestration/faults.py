"""What went wrong in a run, as people need to know it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from clustering_platform.orchestration.failures import PERMANENT

INTERRUPTED = "interrupted; what was published before stands"
_INTERRUPTED_QUERY = "Query interrupted"  # what DuckDB makes of a signal


@dataclass(frozen=True)
class Fault:
    """Something that went wrong in a run: the step or table where it did, and what."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def faults_of(result: dg.ExecuteInProcessResult) -> Iterator[Fault]:
    """Yield a fault for each failed check and each failed step of a run."""
    return faults_in(result.all_events)


def faults_in(events: Sequence[dg.DagsterEvent]) -> Iterator[Fault]:
    """Yield what `faults_of` does, for the events of a run."""
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            evaluation = event.asset_check_evaluation_data
            if not evaluation.passed:
                yield Fault(evaluation.asset_key.to_user_string(), f"{evaluation.check_name}: {evaluation.description}")
    failures = [event for event in events if event.is_step_failure]
    for event in failures:
        if not _is_refusal(event.step_failure_data.error):
            yield Fault(event.step_key or "run", _cause(event.step_failure_data.error))
    if not failures:
        for event in events:
            if event.is_job_failure:
                error = getattr(event.event_specific_data, "error", None)  # whoever found it dead has only a message
                yield Fault("run", _cause(error, event.message or "failed"))


def _is_refusal(error: SerializableErrorInfo | None) -> bool:
    """Tell whether a step only repeats what its failed checks have said."""
    return bool(error and error.cls_name in ("Failure", "DagsterAssetCheckFailedError"))


def _cause(error: SerializableErrorInfo | None, otherwise: str = "failed") -> str:
    """Return the message of the error below Dagster's own wrapping."""
    while error and error.cause and (error.cls_name or "").startswith(("Dagster", "RetryRequested")):
        error = error.cause
    message = error.message.strip() if error else otherwise
    if (error and error.cls_name == "DagsterExecutionInterruptedError") or message.endswith(_INTERRUPTED_QUERY):
        return INTERRUPTED
    if message.startswith(("clustering_platform.", "dagster.")):
        message = message.partition(": ")[2]
    return message.removeprefix(PERMANENT)
