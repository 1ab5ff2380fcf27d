"""Process settings come from the environment; secrets stay out of sight."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from clustering_platform.settings import Settings, find_home


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CLUSTERING_{name.upper()}", raising=False)


def test_the_home_is_the_nearest_folder_above_with_a_dagster_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster.yaml").touch()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_home(deep) == tmp_path
    monkeypatch.chdir(deep)
    assert Settings().home == tmp_path
    (deep / "dagster.yaml").touch()
    assert find_home(deep) == deep


def test_without_a_dagster_yaml_the_home_is_where_one_starts(tmp_path: Path) -> None:
    assert find_home(tmp_path) == tmp_path


def test_everything_lies_under_the_data_folder_of_the_home(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    folders = (settings.inbox, settings.warehouse, settings.cache, settings.private, settings.dagster, settings.catalog)
    assert {folder.parent for folder in folders} == {tmp_path / "data"}
    assert len(set(folders)) == 6


@pytest.mark.parametrize(("data", "expected"), [("elsewhere", "home/elsewhere"), ("../beside", "beside")])
def test_a_relative_data_folder_is_relative_to_the_home_and_not_to_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLUSTERING_DATA", data)
    assert Settings(home=tmp_path / "home").data_folder == tmp_path / expected


def test_an_absolute_data_folder_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTERING_DATA", str(tmp_path / "far"))
    assert Settings(home=tmp_path / "home").data_folder == tmp_path / "far"


def test_every_setting_comes_from_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "home": str(tmp_path),
        "data": "store",
        "start_day": "2025-02-03",
        "pseudonym_key": "k" * 32,
        "postgres_url": "postgresql://user:pass@host/db",
        "openai_api_key": "sk-key",
        "cache_max_bytes": "2GB",
        "cache_max_age_days": "30",
        "cache_partial_days": "3",
    }
    assert set(values) == set(Settings.model_fields)
    for name, value in values.items():
        monkeypatch.setenv(f"CLUSTERING_{name.upper()}", value)
    settings = Settings()
    assert settings.home == tmp_path
    assert settings.data_folder == tmp_path / "store"
    assert settings.start_day == date(2025, 2, 3)
    assert settings.pseudonym_key
    assert settings.pseudonym_key.get_secret_value() == "k" * 32
    assert settings.postgres_url
    assert settings.postgres_url.get_secret_value() == "postgresql://user:pass@host/db"
    assert settings.openai_api_key
    assert settings.openai_api_key.get_secret_value() == "sk-key"
    assert settings.cache_max_bytes == 2_000_000_000
    assert (settings.cache_max_age_days, settings.cache_partial_days) == (30, 3)


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"PSEUDONYM_KEY": "canary-key", "POSTGRES_URL": "postgresql://user:canary-password@host/db"}
    for name, value in secrets.items():
        monkeypatch.setenv(f"CLUSTERING_{name}", value)
    settings = Settings()
    for shown in (repr(settings), str(settings), settings.model_dump_json(), f"{settings.pseudonym_key}"):
        assert "canary" not in shown


def test_a_value_that_cannot_be_understood_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTERING_START_DAY", "soon")
    with pytest.raises(ValidationError, match="start_day"):
        Settings()


def test_settings_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().start_day = date(2020, 1, 1)


def test_every_setting_is_described() -> None:
    undescribed = [name for name, field in Settings.model_fields.items() if not (field.description or "").endswith(".")]
    assert undescribed == []
