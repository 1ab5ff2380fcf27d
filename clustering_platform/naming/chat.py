"""A language model behind OpenAI's ``/v1/chat/completions``, or any service that speaks it.

What is tried again belongs in ``clustering_platform.calls``, what an answer may say in ``checks``.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from clustering_platform.calls.clock import Clock, SystemClock
from clustering_platform.calls.errors import MalformedAnswerError, costs_nothing
from clustering_platform.calls.limits import Gate, RateLimits
from clustering_platform.calls.retrying import Calls, RetryPolicy
from clustering_platform.calls.tokens import count_tokens
from clustering_platform.names_config import NamesConfig
from clustering_platform.naming.budget import Budget, Ceilings
from clustering_platform.naming.questions import A, Question
from clustering_platform.service_config import address_of, open_client

if TYPE_CHECKING:
    from openai import OpenAI

_MALFORMED = 2


class UnusableAnswerError(RuntimeError):
    """The model answered for good, but with nothing that can be used: it refused, or cannot keep to the form."""


class Chat:
    """Asks questions; safe to use from threads.

    No key is read and no connection made before the first question. Tokens and calls are counted in `budget`: as billed
    and, where the service does not say or its answer never came, as estimated.

    Parameters
    ----------
    config
        The section ``names``.
    tell
        Called with a line for each failure that is followed by another try.
    clock, draw
        Time and chance, for tests.
    """

    def __init__(
        self,
        config: NamesConfig,
        *,
        tell: Callable[[str], None] = lambda line: None,
        clock: Clock | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._config = config
        self.budget = Budget(Ceilings(config.max_calls, config.max_tokens, config.max_cost), config.prices)
        clock = clock or SystemClock()
        self._calls = Calls(
            service=self.model,
            policy=RetryPolicy(attempts=config.attempts),
            limits=RateLimits(
                clock, requests_per_minute=config.requests_per_minute, tokens_per_minute=config.tokens_per_minute
            ),
            gate=Gate(config.concurrency),
            clock=clock,
            draw=draw,
            tell=tell,
        )
        self._client: OpenAI | None = None
        self._opening = threading.Lock()

    @property
    def model(self) -> str:
        """Name of the model and its endpoint."""
        return f"{self._config.model}@{address_of(self._config)}"

    @property
    def retries(self) -> int:
        """Number of calls that were made again."""
        return self._calls.retries

    def estimate(self, question: Question[Any]) -> tuple[int, int]:
        """Return how many tokens a question may cost at most: sent and received."""
        told = [message["content"] for message in question.messages]
        return sum(map(count_tokens, [*told, json.dumps(question.schema)])), question.longest

    def ask(self, question: Question[A]) -> A:
        """Return the answer to a question.

        Raises
        ------
        CeilingReachedError
            The budget does not allow it; nothing was sent.
        UnusableAnswerError
            The model refused, or its answer has another form, twice.
        CallError
            The service failed for good, or refused all that comes.
        """
        self._open()
        reserved = self.estimate(question)
        malformed = 0

        def call() -> A:
            nonlocal malformed
            self.budget.reserve(*reserved)
            spent = reserved
            try:
                content = self._send(question)
                spent = tokens_billed(content) or (reserved[0], count_tokens(json.dumps(content)))
                return read_answer(content, question)
            except MalformedAnswerError as error:
                malformed += 1
                if malformed < _MALFORMED:
                    raise
                reason = str(error)
            except Exception as error:
                if costs_nothing(error):
                    spent = (0, 0)
                raise
            finally:
                self.budget.settle(reserved, spent)
            raise UnusableAnswerError(f"malformed answer: {reason}")

        return self._calls.run(call, tokens=sum(reserved))

    def stop(self) -> None:
        """Let nothing more be sent, and end the pauses between tries."""
        self._calls.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._calls.stop()
        if self._client:
            self._client.close()
            self._client = None

    def _send(self, question: Question[Any]) -> dict[str, Any]:
        if self._client is None:
            raise RuntimeError("the client was not opened")
        limit = "max_completion_tokens" if self._config.base_url is None else "max_tokens"
        form = {"name": question.form.__name__, "strict": True, "schema": question.schema}
        asked: dict[str, Any] = {
            "model": self._config.model,
            "messages": question.messages,
            "response_format": {"type": "json_schema", "json_schema": form},
            "temperature": 0,
            limit: question.longest,
        }
        response = self._client.chat.completions.with_raw_response.create(**asked)
        try:
            content = json.loads(response.http_response.content)
        except ValueError:
            raise MalformedAnswerError("is not JSON") from None
        if not isinstance(content, dict):
            raise MalformedAnswerError("is not a JSON object")
        return content

    def _open(self) -> None:
        """Read the key and make the client, unless there is one."""
        with self._opening:
            if self._client:
                return
            self._client, self._calls.secrets = open_client(self._config)


def tokens_billed(content: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the tokens that an answer says were billed, sent and received; None where it does not say."""
    usage = content.get("usage")
    if not isinstance(usage, dict):
        return None
    match usage.get("prompt_tokens"), usage.get("completion_tokens"):
        case int(sent), int(received) if sent >= 0 and received >= 0:
            return sent, received
    return None


def read_answer(content: Mapping[str, Any], question: Question[A]) -> A:
    """Return the answer in the body of a response.

    Raises
    ------
    MalformedAnswerError
        It has another form; the model may keep to it the next time.
    UnusableAnswerError
        The model refused, or did not come to an end.
    """
    choices = content.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise MalformedAnswerError("has no message")
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        raise UnusableAnswerError("the model refused to answer")
    if choice.get("finish_reason") == "length":
        raise UnusableAnswerError("the answer was cut off")
    text = message.get("content")
    if not isinstance(text, str):
        raise MalformedAnswerError("has no text")
    try:
        return question.form.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise MalformedAnswerError(f"{place}: {first['msg']}" if place else first["msg"]) from None
