"""`clustering cache`: what it shows, and what it removes."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from clustering_platform.cli.main import app
from clustering_platform.cli.sizes import parse_size, size_text
from clustering_platform.semantics.embedding_cache import EmbeddingCache, utc_today
from clustering_platform.settings import Settings

Command = Callable[..., Result]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("CLUSTERING_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "numba"))
    monkeypatch.setenv("COLUMNS", "200")
    return Settings()


@pytest.fixture
def clustering(settings: Settings) -> Command:
    """Run `clustering cache` on a data folder of its own."""
    return lambda *arguments: CliRunner().invoke(app, ["cache", *map(str, arguments)])


def fill(settings: Settings, model: str, days_ago: int, count: int = 100, *, ended: bool = True) -> None:
    """Store vectors, and use them once, some days ago."""
    cache = EmbeddingCache(settings.embedding_cache, today=lambda: utc_today() - timedelta(days_ago))
    vectors = {f"{model}-{days_ago}-{place}": np.ones(384, dtype=np.float32) for place in range(count)}
    cache.put_many(model, vectors)
    if ended:
        cache.settle(model, vectors)


def counts(settings: Settings) -> dict[str, int]:
    return {one.model: one.vectors for one in EmbeddingCache(settings.embedding_cache).contents()}


def test_an_empty_cache_is_shown_and_not_made(clustering: Command, settings: Settings) -> None:
    result = clustering()
    assert result.exit_code == 0, result.output
    assert "no embeddings yet" in result.output
    assert not settings.cache.exists()
    assert "removed 0 vectors" in clustering("prune").output


def test_models_are_shown_with_ages_and_the_limits(clustering: Command, settings: Settings) -> None:
    fill(settings, "one@1", 20)
    fill(settings, "one@1", 3, 20, ended=False)
    fill(settings, "two@2", 1)
    lines = clustering().output.splitlines()
    days = [str(utc_today() - timedelta(days)) for days in (20, 3, 3)]
    assert lines[0].split() == ["model", "vectors", "size", "oldest", "newest", "last", "used", "partial"]
    assert lines[1].split() == ["one@1", "120", "184.3", "kB", *days, "20"]
    assert lines[2].split()[:2] == ["two@2", "100"]
    assert "of 10.0 GB; unused vectors stay for 180 days, partial ones for 7" in lines[3]


def test_other_caches_are_shown(clustering: Command, settings: Settings, tmp_path: Path) -> None:
    (settings.cache / "names").mkdir(parents=True)
    (settings.cache / "names" / "a.json").write_bytes(b"x" * 2000)
    (tmp_path / "numba" / "module").mkdir(parents=True)
    (tmp_path / "numba" / "module" / "kernel.nbi").write_bytes(b"x" * 3000)
    (tmp_path / "numba" / "module" / "kernel.1.nbc").write_bytes(b"x" * 4000)
    output = clustering().output
    today = str(utc_today())
    assert ["names", "1", "2.0", "kB", today, today] in [line.split() for line in output.splitlines()]
    assert f"code compiled by numba, in {tmp_path / 'numba'}" in output
    assert "7.0 kB" in output


def test_the_limits_of_the_settings_hold_unless_others_are_given(
    clustering: Command, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(settings, "m", 200)
    fill(settings, "m", 50)
    fill(settings, "m", 10, ended=False)
    assert "removed 200 vectors" in clustering("prune").output
    assert "removed 100 vectors" in clustering("prune", "--older-than-days", 30).output
    fill(settings, "m", 50)
    monkeypatch.setenv("CLUSTERING_CACHE_MAX_AGE_DAYS", "40")
    assert "removed 100 vectors" in clustering("prune").output
    fill(settings, "m", 1, 1000)
    monkeypatch.setenv("CLUSTERING_CACHE_MAX_BYTES", "1MB")
    assert clustering("prune").exit_code == 0
    assert EmbeddingCache(settings.embedding_cache).file.stat().st_size <= 1_000_000
    clustering("prune", "--max-bytes", "0.5MB")
    assert EmbeddingCache(settings.embedding_cache).file.stat().st_size <= 500_000


def test_partial_vectors_are_not_older_than_is_asked_for(clustering: Command, settings: Settings) -> None:
    fill(settings, "m", 3, ended=False)
    assert "removed 0 vectors" in clustering("prune", "--older-than-days", 30).output
    assert "removed 100 vectors" in clustering("prune", "--older-than-days", 2).output


def test_one_model_may_be_emptied(clustering: Command, settings: Settings) -> None:
    fill(settings, "one@1", 0)
    fill(settings, "two@2", 0)
    result = clustering("prune", "--model", "one@1", "--older-than-days", 0, "--dry-run")
    assert "would remove 100 vectors" in result.output
    assert counts(settings) == {"one@1": 100, "two@2": 100}
    clustering("prune", "--model", "one@1", "--older-than-days", 0)
    assert counts(settings) == {"two@2": 100}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "one"), "there are some of: one@1"),
        (("--max-bytes", "much"), "write 500MB or 2GB"),
        (("--max-bytes", "-5"), "write 500MB or 2GB"),
        (("--older-than-days", "-1"), "older-than-days"),
    ],
)
def test_what_cannot_be_meant_is_told_and_nothing_is_removed(
    clustering: Command, settings: Settings, arguments: tuple[str, ...], said: str
) -> None:
    fill(settings, "one@1", 400)
    result = clustering("prune", *arguments)
    assert result.exit_code != 0
    assert said in result.output
    assert counts(settings) == {"one@1": 100}


@pytest.mark.parametrize(("text", "size"), [("500", 500), ("2MB", 2_000_000), ("1.5GB", 1_500_000_000)])
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(("size", "text"), [(0, "0.0 kB"), (170_000_000, "170.0 MB"), (12_300_000_000, "12.3 GB")])
def test_sizes_are_written_as_people_read_them(size: int, text: str) -> None:
    assert size_text(size) == text
