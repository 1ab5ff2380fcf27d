"""Fixtures that more than one room needs."""

from pathlib import Path

import hypothesis
import pytest

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"

WAITING = ("test_dagster_dev.py", "test_recovery.py", "test_services.py")
"""Files whose tests wait for real processes most of the time: they come first, so that others use it."""

hypothesis.settings.register_profile("suite", max_examples=30, deadline=None, derandomize=True)
hypothesis.settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in WAITING)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", action="store_true", help="Tell the stories of e2e on PostgreSQL instead of SQLite.")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; tests that need it are skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real data not found at {SHARED_DATA}")
    return SHARED_DATA
