"""Fixtures of this room."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from clustering_platform_tests.orchestration.platform import Platform, write_conversation


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """A platform with one dataset, `talk`, in its inbox; nothing has run yet."""
    with dg.DagsterInstance.ephemeral() as instance:
        made = Platform(tmp_path, instance)
        write_conversation(made.dataset().folder)
        yield made
