"""Fixtures of this room."""

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from clustering_platform_tests.e2e.postgres import postgres_server


@pytest.fixture(scope="session", autouse=True)
def _interrupts() -> None:
    """Have processes begin with the usual signals: a shell that starts the tests in the background ignores SIGINT.

    Dagster's servers then ignore SIGTERM, too.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def instance(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """What puts the state of Dagster where the story is to be told: SQLite, or PostgreSQL by `--postgres`."""
    if not request.config.getoption("--postgres"):
        yield {}
        return
    with tempfile.TemporaryDirectory() as folder, postgres_server(Path(folder)) as url:
        yield {"CLUSTERING_POSTGRES_URL": url}
