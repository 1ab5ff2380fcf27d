"""Questions to a language model, on a real HTTP server."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from clustering_platform.calls.errors import CallError
from clustering_platform.naming.answer_cache import AnswerCache
from clustering_platform.naming.budget import CeilingReachedError
from clustering_platform.naming.chat import UnusableAnswerError
from clustering_platform.naming.prompts import read_prompt
from clustering_platform.naming.questions import Named, Question
from clustering_platform_tests.calls.server import Fault, body_is, cut_off, slow, status
from clustering_platform_tests.naming.server import (
    ChatServer,
    changed,
    filtered,
    refused,
    says,
    truncated,
    without_usage,
)
from clustering_platform_tests.naming.trees import chat_with

KEY = "sk-canary-0123456789"
DATA = {"items": [{"id": "i1", "text": "More parking spaces downtown"}]}
QUESTION = Question(read_prompt("topic"), DATA, Named, "t1")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTERING_OPENAI_API_KEY", KEY)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


def test_a_question_carries_prompt_data_form_and_key(server: ChatServer) -> None:
    with chat_with(server, model="some-model") as chat:
        answer = chat.ask(QUESTION)
    assert answer.evidence == ["i1"]
    (request,) = server.requests
    assert request["model"] == "some-model"
    assert request["temperature"] == 0
    assert [message["role"] for message in request["messages"]] == ["system", "user"]
    assert json.loads(request["messages"][1]["content"]) == DATA
    form = request["response_format"]["json_schema"]
    assert form["strict"] is True
    assert form["schema"]["additionalProperties"] is False
    assert set(form["schema"]["required"]) == set(Named.model_fields)
    assert server.keys == [f"Bearer {KEY}"]


RECOVERED = {
    "429": status(429),
    "429 with seconds": status(429, retry_after="3"),
    "500": status(500),
    "503": status(503, retry_after="1"),
    "dropped in the middle": cut_off,
    "html": body_is(b"<html>busy</html>"),
    "nothing": body_is(b""),
    "a list": body_is(b"[]"),
    "no choices": body_is(b'{"choices": []}'),
    "no json in it": says("The name is Parking."),
    "a field too few": changed(name=None),
    "a field too many": changed(comment="well"),
    "a number for a name": changed(name=3),
}


@pytest.mark.parametrize("fault", RECOVERED.values(), ids=RECOVERED)
def test_a_fault_is_tried_again(server: ChatServer, fault: Fault) -> None:
    server.faults = [fault]
    with chat_with(server) as chat:
        assert chat.ask(QUESTION).name
    assert len(server.requests) == 2
    assert chat.retries == 1
    assert chat.budget.calls == 2


FINAL = {
    "refusal": (refused, "the model refused to answer"),
    "filter": (filtered, "the model refused to answer"),
    "cut off": (truncated, "the answer was cut off"),
}


@pytest.mark.parametrize(("fault", "reason"), FINAL.values(), ids=FINAL)
def test_what_will_not_get_better_is_asked_once(server: ChatServer, fault: Fault, reason: str) -> None:
    server.always = fault
    with chat_with(server) as chat, pytest.raises(UnusableAnswerError, match=reason):
        chat.ask(QUESTION)
    assert len(server.requests) == 1


def test_an_answer_of_another_form_is_asked_for_twice_only(server: ChatServer) -> None:
    server.always = changed(evidence="i1")
    with (
        chat_with(server) as chat,
        pytest.raises(UnusableAnswerError, match="malformed answer: evidence: Input"),
    ):
        chat.ask(QUESTION)
    assert len(server.requests) == 2


@pytest.mark.parametrize(("code", "ends"), [(401, True), (403, True), (404, True), (400, False)])
def test_a_refused_call_says_why_without_the_key(server: ChatServer, code: int, ends: bool) -> None:
    server.always = status(code, f"no, {KEY} is not good")
    with chat_with(server) as chat, pytest.raises(CallError) as caught:
        chat.ask(QUESTION)
    assert caught.value.ends_the_run is ends
    assert KEY not in str(caught.value)
    assert "***" in str(caught.value)


def test_no_key_is_told_before_anything_is_sent(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLUSTERING_OPENAI_API_KEY")
    with chat_with(server, api_key_variable="OTHER_API_KEY") as chat, pytest.raises(ValueError, match="OTHER_API_KEY"):
        chat.ask(QUESTION)
    assert server.requests == []


def test_tokens_are_billed_as_the_service_says(server: ChatServer) -> None:
    with chat_with(server, price_sent=1.0, price_received=10.0) as chat:
        chat.ask(QUESTION)
    sent = sum(len(message["content"].split()) for message in server.requests[0]["messages"])
    assert chat.budget.sent == sent
    assert chat.budget.cost == pytest.approx((sent + 10 * chat.budget.received) / 1e6)
    at_most = chat.estimate(QUESTION)
    assert at_most[0] >= sent
    assert at_most[1] >= chat.budget.received


@pytest.mark.parametrize("fault", [without_usage, cut_off, body_is(b"[]")])
def test_what_the_service_does_not_say_was_billed_is_estimated(server: ChatServer, fault: Fault) -> None:
    server.faults = [fault]
    with chat_with(server, max_calls=1) as chat, contextlib.suppress(CeilingReachedError):
        chat.ask(QUESTION)
    assert chat.budget.sent == chat.estimate(QUESTION)[0]
    assert 0 < chat.budget.received <= chat.estimate(QUESTION)[1]


@pytest.mark.parametrize("fault", [status(400), status(429), status(500)])
def test_what_the_service_refused_costs_nothing(server: ChatServer, fault: Fault) -> None:
    server.always = fault
    with chat_with(server, attempts=2) as chat, pytest.raises(CallError):
        chat.ask(QUESTION)
    assert (chat.budget.sent, chat.budget.received) == (0, 0)


def test_a_service_that_is_not_there_costs_nothing() -> None:
    with ChatServer() as gone:
        pass
    with chat_with(gone, attempts=1) as chat, pytest.raises(CallError, match="connection failed"):
        chat.ask(QUESTION)
    assert (chat.budget.calls, chat.budget.sent) == (1, 0)


def test_no_answer_in_time_is_told_and_counts_as_billed(server: ChatServer) -> None:
    server.faults = [slow(0.6), slow(0.6)]
    with (
        chat_with(server, timeout_seconds=0.3, attempts=2) as chat,
        pytest.raises(CallError, match="no answer in time"),
    ):
        chat.ask(QUESTION)
    assert chat.budget.sent == 2 * chat.estimate(QUESTION)[0]


def test_a_call_that_could_pass_a_ceiling_is_not_made(server: ChatServer) -> None:
    with chat_with(server, max_calls=1) as chat:
        chat.ask(QUESTION)
        with pytest.raises(CeilingReachedError, match=r"names.max_calls: 1 calls were made"):
            chat.ask(QUESTION)
    with chat_with(server, max_tokens=100) as chat, pytest.raises(CeilingReachedError, match=r"names.max_tokens"):
        chat.ask(QUESTION)
    with (
        chat_with(server, max_cost=1e-6, price_sent=1.0, price_received=1.0) as chat,
        pytest.raises(CeilingReachedError, match=r"names.max_cost"),
    ):
        chat.ask(QUESTION)
    assert len(server.requests) == 1


def test_calls_made_again_count_against_the_ceiling(server: ChatServer) -> None:
    server.always = status(500)
    with chat_with(server, max_calls=3) as chat, pytest.raises(CeilingReachedError):
        chat.ask(QUESTION)
    assert len(server.requests) == 3


def test_an_answer_is_known_by_model_prompt_and_data_and_by_nothing_else(tmp_path: Path, server: ChatServer) -> None:
    cache = AnswerCache(tmp_path / "cache" / "answers.sqlite")
    with chat_with(server) as chat:
        answer = chat.ask(QUESTION)
    assert cache.get(QUESTION, "m") is None
    cache.put(QUESTION, "m", answer)
    same = Question(read_prompt("topic"), dict(DATA), Named, "another subject")
    other = Question(read_prompt("topic"), {"items": []}, Named, "t1")
    told_otherwise = Question(read_prompt("group"), DATA, Named, "t1")
    assert cache.get(same, "m") == answer
    assert [cache.get(one, "m") for one in (other, told_otherwise)] == [None, None]
    assert cache.get(QUESTION, "other model") is None


def test_answers_that_nobody_used_for_long_are_removed(tmp_path: Path, server: ChatServer) -> None:
    cache = AnswerCache(tmp_path / "answers.sqlite")
    with chat_with(server) as chat:
        cache.put(QUESTION, "m", chat.ask(QUESTION))
    assert cache.prune(days=1) == 0
    assert cache.prune(days=-1) == 1
    assert len(cache) == 0
