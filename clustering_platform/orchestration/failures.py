"""Failures told apart, in Dagster's terms: those that can heal are tried again, those that cannot are named as such.

No ``RetryPolicy`` stands at the assets themselves: it would also try again what is a fault of the program, and what
somebody cancelled.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import dagster as dg
from sqlalchemy.exc import OperationalError

from clustering_platform.calls.errors import CallError
from clustering_platform.config_section import SettingError
from clustering_platform.datasets import DatasetError
from clustering_platform.ingest.errors import IngestError
from clustering_platform.item_template import TemplateError
from clustering_platform.semantics.errors import CurationError
from clustering_platform.store.errors import StoreError

PERMANENT = "permanent, so not tried again: "
RETRIES = dg.RetryPolicy(max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
_PERMANENT = (CallError, CurationError, DatasetError, IngestError, SettingError, StoreError, TemplateError)
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class PermanentFailure(dg.Failure):
    """A failure that no other try mends: somebody has to change the input, a setting or the machine."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{PERMANENT}{error}", allow_retries=False)


@contextlib.contextmanager
def told_apart(log: Any, attempts: int) -> Iterator[None]:
    """Ask Dagster for another try of a step after errors that can heal, and name those that cannot.

    What is neither is a fault of the program: it keeps its traceback and is not tried again.

    Parameters
    ----------
    log
        The run's log in Dagster.
    attempts
        Tries of the step before this one.

    Raises
    ------
    PermanentFailure
        It cannot heal.
    RetryRequested
        It can.
    """
    try:
        yield
    except Exception as error:
        if can_heal(error):
            pause = RETRIES.calculate_delay(attempts + 1)
            if attempts < RETRIES.max_retries:
                told = str(error).partition("\n")[0]
                log.warning(f"{told}; another try in {pause:.0f} s")
            raise dg.RetryRequested(RETRIES.max_retries, pause) from error
        if isinstance(error, _PERMANENT):
            raise PermanentFailure(error) from error
        raise


def can_heal(error: Exception) -> bool:
    """Tell whether an error may be gone some seconds later: a service was not reached, or a database was busy."""
    if isinstance(error, CallError):
        return error.can_heal
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode & 0xFF in _BUSY
    return isinstance(error, OperationalError)
