"""The embedder for OpenAI and compatible services, on a real HTTP server."""

import logging
import math
from collections.abc import Iterator

import numpy as np
import pytest

from clustering_platform.calls.errors import CallError
from clustering_platform.semantics.embedders import openai as module
from clustering_platform.semantics.embedders.openai import OpenAIEmbedder
from clustering_platform.semantics.embedders.protocol import EmbedsInParts, Metered
from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.item_embeddings import embed_items, vector_matrix
from clustering_platform.topics_config import EmbeddingConfig
from clustering_platform_tests.calls.clocks import FakeClock
from clustering_platform_tests.calls.server import Fault, body_is, cut_off, slow, status
from clustering_platform_tests.semantics.embedders.making import TEXTS, embedder_of, expected
from clustering_platform_tests.semantics.embedders.server import (
    EmbeddingServer,
    first_is,
    http_date,
    renumbered,
    short,
    shuffled,
    without_usage,
)
from clustering_platform_tests.semantics.fakes import items_of

KEY = "sk-canary-0123456789"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTERING_OPENAI_API_KEY", KEY)


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    with EmbeddingServer() as running:
        yield running


def test_vectors_come_in_order_with_length_one(server: EmbeddingServer) -> None:
    with embedder_of(server, concurrency=4) as embedder:
        vectors = embedder.embed(TEXTS)
    np.testing.assert_allclose(vectors, expected(TEXTS), atol=1e-6)
    assert vectors.dtype == np.float32
    assert isinstance(embedder, EmbedsInParts)
    assert isinstance(embedder, Metered)
    assert sorted(len(texts) for texts in server.asked) == [5] * 4


def test_a_request_says_model_dimensions_and_key(server: EmbeddingServer) -> None:
    with embedder_of(server, model="some-model", dimensions=6) as embedder:
        assert embedder.embed(TEXTS[:1]).shape == (1, 6)
    request = {"input": TEXTS[:1], "model": "some-model", "dimensions": 6, "encoding_format": "float"}
    assert server.requests == [request]
    assert server.keys == [f"Bearer {KEY}"]


def test_nothing_is_read_or_sent_before_there_is_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLUSTERING_OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    embedder = OpenAIEmbedder(EmbeddingConfig(provider="openai"))
    assert embedder.model == "text-embedding-3-large@api.openai.com/v1"
    assert len(embedder.embed([])) == 0
    assert embedder.figures() == {}
    with pytest.raises(ValueError, match="no API key for text-embedding-3-large: set the environment variable CLUST"):
        embedder.embed(["text"])


def test_the_name_says_all_that_changes_a_vector() -> None:
    def name(**settings: object) -> str:
        return OpenAIEmbedder(EmbeddingConfig(provider="openai", **settings)).model

    assert name(dimensions=256, max_tokens=512) == (
        "text-embedding-3-large@api.openai.com/v1, 256 dimensions, 512 tokens"
    )
    assert name(model="m", base_url="http://localhost:8000/v1/") == "m@localhost:8000/v1"
    assert name(concurrency=9, attempts=2, batch_size=9, max_cost=1, max_tokens=8192) == name()


RECOVERED = {
    "429": status(429),
    "429 with seconds": status(429, retry_after="3"),
    "429 with a date": status(429, retry_after=http_date(40)),
    "408": status(408),
    "409": status(409),
    "500": status(500),
    "503": status(503, retry_after="1"),
    "html instead of an error": body_is(b"<html>busy</html>"),
    "an empty answer": body_is(b""),
    "an answer without data": body_is(b'{"object": "list"}'),
    "a list as answer": body_is(b"[]"),
    "fewer vectors": short,
    "one index twice": renumbered,
    "nan": first_is([math.nan] * 8),
    "null": first_is([None] * 8),
    "infinite": first_is([1e300] * 8),
    "zero": first_is([0.0] * 8),
    "words": first_is(["a"] * 8),
    "a number": first_is(3),
    "no numbers": first_is([]),
    "dropped in the middle": cut_off,
}


@pytest.mark.parametrize("fault", RECOVERED.values(), ids=RECOVERED)
def test_a_fault_is_tried_again_and_no_text_is_paid_twice(server: EmbeddingServer, fault: Fault) -> None:
    server.faults = [fault]
    told: list[str] = []
    with embedder_of(server) as embedder:
        embedder.announce = told.append
        np.testing.assert_allclose(embedder.embed(TEXTS), expected(TEXTS), atol=1e-6)
    assert len(server.requests) == 5
    assert set(server.paid) == set(TEXTS)
    assert set(server.paid.values()) == {1}
    assert embedder.figures()["retries"] == 1
    assert len([line for line in told if "try 2 of 6 in" in line]) == 1


def test_an_answer_that_does_not_come_in_time_is_asked_for_again(server: EmbeddingServer) -> None:
    server.faults = [slow(2)]
    with embedder_of(server, timeout_seconds=0.3) as embedder:
        np.testing.assert_allclose(embedder.embed(TEXTS[:3]), expected(TEXTS[:3]), atol=1e-6)
    assert len(server.requests) == 2


def test_vectors_in_another_order_are_put_in_order(server: EmbeddingServer) -> None:
    server.always = shuffled
    with embedder_of(server) as embedder:
        np.testing.assert_allclose(embedder.embed(TEXTS), expected(TEXTS), atol=1e-6)
    assert len(server.requests) == 4


def test_another_dimension_than_before_is_tried_again(server: EmbeddingServer) -> None:
    server.faults = [lambda reply: None, first_is([1.0] * 9)]
    with embedder_of(server) as embedder:
        np.testing.assert_allclose(embedder.embed(TEXTS), expected(TEXTS), atol=1e-6)
    assert set(server.paid.values()) == {1}


def test_vectors_of_two_dimensions_in_the_first_answer_are_not_told_apart(server: EmbeddingServer) -> None:
    server.always = first_is([1.0] * 9)
    with embedder_of(server) as embedder, pytest.raises(CallError, match=r"different dimensions \[8, 9\]"):
        embedder.embed(TEXTS)


def test_only_the_faulty_vectors_of_an_answer_are_asked_for_again(server: EmbeddingServer) -> None:
    server.faults = [first_is([math.nan] * 8)]
    with embedder_of(server) as embedder:
        embedder.embed(TEXTS[:5])
    assert server.asked == [TEXTS[:5], TEXTS[:1]]


LASTING = {
    "nan": (first_is([math.nan] * 8), r"the vector of {item} is not finite \(after 6 tries\)"),
    "zero": (first_is([0.0] * 8), "the vector of {item} is zero"),
    "dimension": (first_is([1.0] * 9), "the vector of {item} has dimension 9, expected 8"),
    "short": (short, "malformed answer: 4 vectors for 5 texts"),
    "twice": (renumbered, "its indexes are not those from 0 to 4"),
    "429": (status(429), r"HTTP 429: .*refused.* \(after 6 tries\)"),
    "500": (status(500), r"HTTP 500: .*refused.* \(after 6 tries\)"),
    "dropped": (cut_off, "connection failed: "),
    "401": (status(401), "HTTP 401: .*refused"),
    "403": (status(403), "HTTP 403: .*refused"),
    "404": (status(404), "HTTP 404: .*refused"),
    "400": (status(400), "HTTP 400: .*refused.*; sent was the text of {item} and 4 others"),
}


@pytest.mark.parametrize(("fault", "message"), LASTING.values(), ids=LASTING)
def test_a_lasting_fault_is_told_and_what_was_paid_is_kept(
    server: EmbeddingServer, cache: EmbeddingCache, fault: Fault, message: str
) -> None:
    server.faults, server.always = [lambda reply: None], fault
    longest_first = sorted(TEXTS, key=lambda text: (-len(text), text))
    item = f"item 'i{TEXTS.index(longest_first[5])}'"
    with embedder_of(server) as embedder, pytest.raises(CallError, match=message.replace("{item}", item)):
        embed_items(items_of(TEXTS), embedder, cache, batch_size=5)
    server.always = None
    with embedder_of(server) as embedder:
        table = embed_items(items_of(TEXTS), embedder, cache, batch_size=5)
    np.testing.assert_allclose(vector_matrix(table["vector"]), expected(TEXTS), atol=1e-6)
    assert set(server.paid.values()) == {1}


@pytest.mark.parametrize("code", [401, 403, 404, 400])
def test_what_cannot_succeed_is_sent_once(server: EmbeddingServer, code: int) -> None:
    server.always = status(code)
    with embedder_of(server) as embedder, pytest.raises(CallError):
        embedder.embed(TEXTS)
    assert len(server.requests) == 1


def test_requests_under_way_when_another_fails_are_kept(server: EmbeddingServer, cache: EmbeddingCache) -> None:
    server.pause = 0.2
    server.faults = [status(401)]
    with embedder_of(server, concurrency=4) as embedder, pytest.raises(CallError, match="401"):
        embed_items(items_of(TEXTS), embedder, cache, batch_size=5)
    server.pause = 0
    with embedder_of(server, concurrency=4) as embedder:
        embed_items(items_of(TEXTS), embedder, cache, batch_size=5)
    assert set(server.paid) == set(TEXTS)
    assert set(server.paid.values()) == {1}
    assert len(server.requests) == 5


def test_no_more_requests_are_under_way_than_asked_for(server: EmbeddingServer) -> None:
    server.pause = 0.03
    with embedder_of(server, concurrency=3, batch_size=1) as embedder:
        embedder.embed(TEXTS)
    assert server.most_at_once == 3


def test_an_endpoint_that_cannot_be_reached_is_told() -> None:
    with EmbeddingServer() as gone:
        pass
    with embedder_of(gone, attempts=2) as embedder, pytest.raises(CallError, match=r"connection failed: .*refused"):
        embedder.embed(TEXTS)


def test_texts_that_are_too_long_are_sent_again_by_half_and_no_others(cache: EmbeddingCache) -> None:
    long = [f"{number} " + "word " * 30 for number in range(2)]
    with EmbeddingServer(longest=100) as server, embedder_of(server, batch_size=9) as embedder:
        embed_items(items_of([*TEXTS[:7], *long]), embedder, cache, batch_size=9)
    assert {text for text in server.paid if text not in TEXTS} == {text.strip()[:75].rstrip() for text in long}
    assert set(server.paid.values()) == {1}


def test_a_text_that_is_too_long_even_by_half_is_named(server: EmbeddingServer, cache: EmbeddingCache) -> None:
    server.longest = 100
    texts = [*TEXTS[:3], "word " * 100]
    advice = "sent was the text of item 'i3'; topics.embedding.max_tokens sets where texts are cut"
    with embedder_of(server) as embedder, pytest.raises(CallError, match=advice):
        embed_items(items_of(texts), embedder, cache, batch_size=5)


def test_texts_are_cut_where_the_settings_say(server: EmbeddingServer) -> None:
    with embedder_of(server, max_tokens=16) as embedder:
        embedder.embed(["word " * 40, "short"])
    assert server.asked == [[("word " * 16).strip(), "short"]]
    assert embedder.model.endswith("/v1, 16 tokens")


def test_requests_keep_within_the_limits_of_the_service(
    server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_INPUTS", 4)
    monkeypatch.setattr(module, "MAX_REQUEST_TOKENS", 40)
    texts = ["word " * 30, "word " * 20, *["one two"] * 9]
    with embedder_of(server, batch_size=100) as embedder:
        assert len(embedder.embed(texts)) == 11
    assert [len(asked) for asked in server.asked] == [1, 4, 4, 2]


def test_no_blank_text_is_ever_sent(server: EmbeddingServer) -> None:
    with embedder_of(server) as embedder, pytest.raises(ValueError, match="text 1 has no text"):
        embedder.embed(["a", " \u200b"])
    assert server.requests == []


def test_waits_follow_what_the_service_asks(server: EmbeddingServer) -> None:
    server.faults = [status(429, retry_after="33")]
    clock = FakeClock()
    with embedder_of(server, clock) as embedder:
        embedder.embed(TEXTS[:5])
    assert clock.waits == [33.5]


def test_requests_and_tokens_keep_to_their_rates(server: EmbeddingServer) -> None:
    clock = FakeClock()
    with embedder_of(server, clock, requests_per_minute=6, batch_size=1) as embedder:
        embedder.embed(TEXTS[:8])
    assert sum(clock.waits) == pytest.approx(60)


def test_cost_is_told_before_and_after(server: EmbeddingServer) -> None:
    told: list[str] = []
    with embedder_of(server, price_per_million_tokens=1000) as embedder:
        embedder.announce = told.append
        embedder.embed(TEXTS)
    figures = embedder.figures()
    estimate = figures["tokens (estimate)"]
    assert told[0] == (
        f"20 texts of about {estimate} tokens go to {embedder.model} in 4 requests: about ${estimate / 1000:.4f}"
    )
    billed = sum(len(text.split()) for text in TEXTS)
    assert figures == {
        "texts to embed": 20,
        "tokens (estimate)": estimate,
        "cost (estimate, USD)": estimate / 1000,
        "tokens (billed)": billed,
        "cost (USD)": billed / 1000,
        "requests": 4,
        "retries": 0,
    }
    assert billed <= estimate <= 2 * billed


def test_answers_that_were_refused_are_billed_too(server: EmbeddingServer) -> None:
    server.faults = [short]
    with embedder_of(server) as embedder:
        embedder.embed(TEXTS[:5])
    assert embedder.figures()["tokens (billed)"] == 2 * sum(len(text.split()) for text in TEXTS[:5])


def test_a_service_that_tells_no_price_and_no_usage_has_none(server: EmbeddingServer) -> None:
    server.always = without_usage
    with embedder_of(server) as embedder:
        embedder.embed(TEXTS)
    assert set(embedder.figures()) == {"texts to embed", "tokens (estimate)", "requests", "retries"}


def test_nothing_is_sent_above_the_allowed_cost(server: EmbeddingServer) -> None:
    message = r"topics.embedding.max_cost: 20 texts of .* about \$0.1\d+; that is above the limit of \$0.0100. Nothing"
    settings = {"price_per_million_tokens": 1000, "max_cost": 0.01}
    with embedder_of(server, **settings) as embedder, pytest.raises(ValueError, match=message):
        embedder.embed(TEXTS)
    assert server.requests == []


def test_what_was_spent_before_counts_against_the_allowed_cost(server: EmbeddingServer) -> None:
    with embedder_of(server, price_per_million_tokens=1000, max_cost=0.03) as embedder:
        embedder.embed(TEXTS[:2])
        with pytest.raises(ValueError, match=r"after \$0.0\d+ before"):
            embedder.embed(TEXTS[2:5])
    assert len(server.requests) == 1


def test_a_limit_of_cost_without_a_price_is_refused(server: EmbeddingServer) -> None:
    with embedder_of(server, max_cost=1) as embedder, pytest.raises(ValueError, match=r"set topics.embedding.price"):
        embedder.embed(TEXTS)
    assert server.requests == []


def test_prices_of_openai_are_known_and_can_be_replaced() -> None:
    def price(**settings: object) -> float | None:
        return OpenAIEmbedder(EmbeddingConfig(provider="openai", **settings))._meter.price

    assert price() == 0.13
    assert price(model="text-embedding-3-small") == 0.02
    assert price(price_per_million_tokens=0) == 0
    assert price(base_url="http://localhost/v1") is None
    assert price(model="unheard-of") is None


@pytest.mark.parametrize("code", [401, 429, 500])
def test_the_key_is_nowhere_to_be_seen(
    server: EmbeddingServer, code: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    server.faults = [lambda reply: None]
    server.always = status(code, f"bad key {KEY}, Bearer {KEY}")
    told: list[str] = []
    with caplog.at_level(logging.DEBUG), embedder_of(server) as embedder:
        embedder.announce = told.append
        with pytest.raises(CallError, match=r"bad key \*\*\*") as error:
            embedder.embed(TEXTS)
    assert error.value.__cause__ is error.value.__context__ is None
    logged = [record.getMessage() for record in caplog.records]
    shown = [str(error.value), repr(embedder), repr(embedder.__dict__), str(embedder.figures()), *told, *logged]
    shown += capfd.readouterr()
    assert not [text for text in shown if "canary" in text]


def test_a_closed_embedder_opens_its_connections_again(server: EmbeddingServer) -> None:
    embedder = embedder_of(server)
    first = embedder.embed(TEXTS[:2])
    embedder.close()
    embedder.close()
    np.testing.assert_array_equal(embedder.embed(TEXTS[:2]), first)
    embedder.close()


def test_who_stops_listening_stops_the_requests(server: EmbeddingServer) -> None:
    with embedder_of(server) as embedder:
        parts = embedder.embed_in_parts(TEXTS, labels=TEXTS, dimension=None)
        next(parts)
        parts.close()  # type: ignore[attr-defined]
        assert len(embedder.embed(TEXTS[:3])) == 3
    assert len(server.requests) <= 3
