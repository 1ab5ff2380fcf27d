"""The generated pages say everything, and the committed ones are those that would be generated now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from clustering_platform.dataset_config import DatasetConfig
from clustering_platform.datasets import read_config
from clustering_platform.docs import COMMAND, DOCS, pages
from clustering_platform.settings import Settings
from clustering_platform.tables import TABLES

every_page = pytest.mark.parametrize("name", ["tables.md", "configuration.md"])


@every_page
def test_the_committed_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], f"run: {COMMAND}"


@every_page
def test_a_page_is_the_same_each_time_and_its_grids_are_regular(name: str) -> None:
    page = pages()[name]
    assert page == pages()[name]
    for grid in re.findall(r"(?:^\|.*\n)+", page, flags=re.MULTILINE):
        assert len({line.count("|") for line in grid.splitlines()}) == 1


def test_every_table_and_column_is_in_its_page() -> None:
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##)", pages()["tables.md"], flags=re.MULTILINE | re.DOTALL))
    assert list(sections) == list(TABLES)
    for name, table in TABLES.items():
        assert re.findall(r"^\| `(\w+)` \|", sections[name], flags=re.MULTILINE) == [
            column.name for column in table.columns
        ]


def test_the_example_names_every_key_and_means_the_defaults(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", pages()["configuration.md"], flags=re.DOTALL)
    (tmp_path / "dataset.yaml").write_text(example)
    config = read_config(tmp_path / "dataset.yaml")
    assert config == DatasetConfig()
    for section in (config, *(value for _, value in config if isinstance(value, BaseModel))):
        assert section.model_fields_set == set(type(section).model_fields)


def test_every_variable_is_in_the_page() -> None:
    for name in Settings.model_fields:
        assert f"| `CLUSTERING_{name.upper()}` |" in pages()["configuration.md"]
