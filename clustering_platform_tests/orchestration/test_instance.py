"""Where Dagster's state lies, and that opening it is safe."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from clustering_platform.orchestration.instance import open_instance, postgres_url
from clustering_platform.settings import Settings
from clustering_platform_tests.e2e.postgres import postgres_server
from clustering_platform_tests.e2e.processes import environment


@pytest.fixture
def postgres() -> Iterator[str]:
    """The URL of an empty PostgreSQL database, in a folder that its server's user can reach."""
    with tempfile.TemporaryDirectory() as folder, postgres_server(Path(folder)) as url:
        yield url


_OPEN = (
    "import sys; from clustering_platform.settings import Settings\n"
    "from clustering_platform.orchestration.instance import open_instance\n"
    "with open_instance(Settings()) as instance:\n"
    "    instance.add_dynamic_partitions('dataset', [sys.argv[1]])\n"
    "    print(*sorted(instance.get_dynamic_partitions('dataset')), instance.telemetry_enabled)\n"
)


def test_a_fresh_instance_may_be_opened_by_several_processes_at_once(tmp_path: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _OPEN, f"d{number}"],
            env=environment(tmp_path / "data"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    endings = [(process.communicate(timeout=120), process.returncode) for process in started]
    assert [code for _, code in endings] == [0] * 3, endings
    last = subprocess.run(
        [sys.executable, "-c", _OPEN, "d3"],
        env=environment(tmp_path / "data"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert last.stdout.split() == ["d0", "d1", "d2", "d3", "False"]


def test_one_variable_puts_the_state_into_postgres(postgres: str, tmp_path: Path) -> None:
    surroundings = environment(tmp_path / "data", CLUSTERING_POSTGRES_URL=postgres)
    for number in range(2):
        last = subprocess.run(
            [sys.executable, "-c", _OPEN, f"d{number}"], env=surroundings, capture_output=True, text=True, check=True
        )
    assert last.stdout.split() == ["d0", "d1", "False"]
    assert not list(tmp_path.rglob("*.db"))


def test_all_state_lies_under_the_data_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    subprocess.run([sys.executable, "-c", _OPEN, "d"], env=environment(data), capture_output=True, check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
    assert sorted(path.name for path in data.iterdir()) == ["dagster"]


def test_a_folder_without_dagster_yaml_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no dagster\.yaml in .*CLUSTERING_HOME"):
        open_instance(Settings(home=tmp_path))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_any_postgres_url_names_the_driver_that_is_installed(scheme: str) -> None:
    assert postgres_url(f"{scheme}://u:p@h/d") == "postgresql+psycopg2://u:p@h/d"
