"""Fixtures of the store's tests."""

from pathlib import Path

import pytest

from clustering_platform.store.commits import Commits
from clustering_platform_tests.store.versions import log_of


@pytest.fixture
def commits(tmp_path: Path) -> Commits:
    """The commits of an empty warehouse."""
    return log_of(tmp_path / "warehouse")
