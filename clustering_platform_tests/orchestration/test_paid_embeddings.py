"""Datasets whose texts are embedded by a service: what is told, what is kept, what is made anew."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clustering_platform.orchestration.embedders import Embedders
from clustering_platform.orchestration.progress import Standing, watched
from clustering_platform.orchestration.runs import faults_of
from clustering_platform_tests.calls.server import status
from clustering_platform_tests.orchestration.platform import Platform, materialized, new_platform, write_conversation
from clustering_platform_tests.orchestration.test_publication import INGEST, PIECES, keys_of
from clustering_platform_tests.semantics.embedders.server import EmbeddingServer

KEY = "sk-canary-0123456789"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    monkeypatch.setenv("CLUSTERING_OPENAI_API_KEY", KEY)
    with EmbeddingServer(dimension=32) as running:
        yield running


@pytest.fixture
def paying(tmp_path: Path, server: EmbeddingServer) -> Iterator[Platform]:
    """A platform whose dataset is embedded by the server."""
    with new_platform(tmp_path, embedders=Embedders()) as platform:
        write_conversation(platform.dataset().folder)
        configure(platform, server)
        yield platform


def configure(platform: Platform, server: EmbeddingServer, more: str = "") -> None:
    embedding = f"provider: openai, base_url: '{server.base_url}', batch_size: 6, attempts: 1, {more}"
    (platform.dataset().folder / "dataset.yaml").write_text(f"topics: {{embedding: {{{embedding}}}}}")


def written(platform: Platform, run_id: str) -> list[str]:
    """Return everything that a run left in the event log."""
    return [entry.to_json() for entry in platform.instance.all_logs(run_id)]


def test_estimate_and_bill_are_in_log_and_metadata_and_the_key_is_not(
    paying: Platform, server: EmbeddingServer
) -> None:
    configure(paying, server, "price_per_million_tokens: 10")
    seen: list[Standing] = []
    with watched(seen.append):
        result = paying.run("topics", "talk")
    assert result.success
    shown = materialized(result, "embeddings")
    assert (shown["texts to embed"], shown["requests"], shown["retries"]) == (24, 4, 0)
    assert shown["tokens (billed)"] == 24 * 8
    assert shown["cost (USD)"] == pytest.approx((24 * 8) / 1e5)
    log = "\n".join(written(paying, result.run_id))
    assert "24 texts of about " in log
    assert "tokens (billed): 192" in log
    assert "24 of 24 (100%)" in log
    assert (seen[0].done, seen[-1].done) == (0, 24)
    assert "canary" not in log


def test_a_failed_run_keeps_what_was_paid_and_shows_no_key(paying: Platform, server: EmbeddingServer) -> None:
    server.faults = [lambda reply: None, status(401, f"wrong key {KEY}")]
    configure(paying, server, "concurrency: 1")
    failed = paying.run("topics", "talk")
    assert [fault.message for fault in faults_of(failed)] == [
        f"text-embedding-3-large@{server.base_url[7:]}: HTTP 401: wrong key ***"
    ]
    log = "\n".join(written(paying, failed.run_id))
    assert "tokens (billed)" in log
    assert "canary" not in log
    assert paying.run("topics", "talk").success
    lines = (paying.dataset().folder / "items.csv").read_text().splitlines()[1:]
    assert {server.paid[line.partition(",")[2]] for line in lines} == {1}


def test_a_run_that_would_cost_too_much_sends_nothing(paying: Platform, server: EmbeddingServer) -> None:
    configure(paying, server, "price_per_million_tokens: 1000, max_cost: 0.001")
    result = paying.run("topics", "talk")
    assert not result.success
    assert any("topics.embedding.max_cost: 24 texts of about" in fault.message for fault in faults_of(result))
    assert server.requests == []


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, EmbeddingServer]]:
    """To be copied only: a platform on which what the server embedded is published."""
    with (
        pytest.MonkeyPatch.context() as environment,
        EmbeddingServer(dimension=32) as server,
        new_platform(tmp_path_factory.mktemp("paid"), embedders=Embedders()) as platform,
    ):
        environment.setenv("CLUSTERING_OPENAI_API_KEY", KEY)
        write_conversation(platform.dataset().folder)
        configure(platform, server)
        assert platform.run("topics", "talk").success
        yield platform, server


@pytest.mark.parametrize(
    ("more", "is_made_anew"),
    [
        ("price_per_million_tokens: 1, max_cost: 9, timeout_seconds: 9, concurrency: 1, tokens_per_minute: 1e9", False),
        ("requests_per_minute: 1e6, api_key_variable: OTHER_API_KEY, template: '{text}', max_tokens: 8192", False),
        ("template: '{item_id} {text}'", True),
        ("dimensions: 16", True),
        ("max_tokens: 16", True),
        ("model: other", True),
    ],
)
def test_only_what_changes_vectors_makes_them_anew(
    paid: tuple[Platform, EmbeddingServer], tmp_path: Path, more: str, is_made_anew: bool
) -> None:
    published, server = paid
    with published.copied(tmp_path) as platform:
        configure(platform, server, more)
        result = platform.run("topics", "talk", asset_selection=keys_of(INGEST, *PIECES))
    assert result.success
    assert ("unchanged since commit" not in materialized(result, "embeddings")) == is_made_anew


def test_items_without_text_are_embedded_and_named_by_what_the_template_makes_of_them(
    paying: Platform, server: EmbeddingServer
) -> None:
    folder = paying.dataset().folder
    rows = [f"s{row},,{'old buses' if row % 2 else 'new parks'} {row}" for row in range(24)]
    (folder / "items.csv").write_text("\n".join(["id,text,title", *rows]))
    configure(paying, server, "template: 'Title: {metadata[title]}'")
    result = paying.run("topics", "talk")
    assert result.success
    assert {text for text in server.paid if text.startswith("Title: ")} == {
        f"Title: {'old buses' if row % 2 else 'new parks'} {row}" for row in range(24)
    }
