"""Fixtures of this room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clustering_platform.orchestration.partitions import Slice
from clustering_platform_tests.orchestration.platform import DAY, Platform, new_platform, write_conversation


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """A platform with one dataset, `talk`, in its inbox; nothing has run yet."""
    with new_platform(tmp_path) as made:
        write_conversation(made.dataset().folder)
        yield made


@pytest.fixture(scope="session")
def after_topics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """To be copied only: the topics of `talk` are published."""
    with new_platform(tmp_path_factory.mktemp("topics")) as made:
        write_conversation(made.dataset().folder)
        assert made.run("topics", "talk").success
        yield made


@pytest.fixture(scope="session")
def after_both(after_topics: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """To be copied only: the topics of `talk` are published, and one day."""
    with after_topics.copied(tmp_path_factory.mktemp("both")) as made:
        assert made.run("opinions", Slice("talk", DAY).key).success
        yield made


@pytest.fixture
def with_topics(after_topics: Platform, tmp_path: Path) -> Iterator[Platform]:
    """A platform on which the topics of `talk` were published."""
    with after_topics.copied(tmp_path) as copy:
        yield copy


@pytest.fixture
def published(after_both: Platform, tmp_path: Path) -> Iterator[Platform]:
    """A platform on which both jobs of `talk` were run."""
    with after_both.copied(tmp_path) as copy:
        yield copy
