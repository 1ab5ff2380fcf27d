"""What Dagster loads, and what loading it costs."""

import subprocess
import sys

import dagster as dg

from clustering_platform.definitions import build_defs, defs
from clustering_platform.orchestration.partitions import Slice
from clustering_platform.settings import Settings
from clustering_platform.tables import TABLES

HEAVY = {
    "duckdb",
    "hdbscan",
    "matplotlib",
    "numba",
    "openai",
    "sentence_transformers",
    "sklearn",
    "torch",
    "transformers",
    "umap",
}


def test_loading_the_definitions_imports_no_heavy_library() -> None:
    code = "import sys, clustering_platform.definitions; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert HEAVY.isdisjoint(loaded)


def test_every_table_of_the_contract_is_an_asset_with_its_columns_and_check() -> None:
    graph = defs.resolve_asset_graph()
    for table in TABLES.values():
        node = graph.get(dg.AssetKey(table.name))
        assert node.group_name == table.room
        schema = node.metadata["dagster/column_schema"]
        assert [column.name for column in schema.columns] == [column.name for column in table.stored_columns]
        assert node.code_version
        assert node.kinds
    checks = {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys}
    assert checks >= {(name, "contract") for name in TABLES}


def test_the_definitions_are_loadable_as_a_user_would_load_them() -> None:
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-m", "clustering_platform.definitions"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_what_costs_nothing_runs_from_the_start_and_all_of_it_is_described() -> None:
    repository = defs.get_repository_def()
    assert {sensor.name: sensor.default_status.value for sensor in repository.sensor_defs} == {
        "inbox": "RUNNING",
        "new_votes": "RUNNING",
        "changed_tables": "RUNNING",
        "changed_days": "RUNNING",
        "run_history": "RUNNING",
        "reaper": "RUNNING",
        "new_names": "STOPPED",
    }
    assert all(one.description for one in [*repository.sensor_defs, *repository.schedule_defs])
    assert {schedule.name: schedule.cron_schedule for schedule in repository.schedule_defs} == {
        "daily_snapshots": "0 3 * * *"
    }


def test_the_day_axis_starts_where_the_settings_say_and_includes_today() -> None:
    from datetime import date

    from clustering_platform.orchestration.partitions import today

    made = build_defs(Settings(start_day=date(2026, 11, 1)))
    partitions = made.resolve_job_def("opinions").partitions_def
    assert isinstance(partitions, dg.MultiPartitionsDefinition)
    days = partitions.get_partitions_def_for_dimension("day").get_partition_keys()
    assert days[0] == "2026-11-01"
    assert days[-1] == today().isoformat()


def test_a_slice_is_the_partition_key_and_back() -> None:
    for key in ("talk", "talk|2026-03-31"):
        assert Slice.from_key(key).key == key
