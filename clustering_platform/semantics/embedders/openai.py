"""Embeddings by OpenAI, or by any service that speaks its ``/v1/embeddings``.

How texts are cut is told in ``tokens``, which answers count as sound in ``answers``, what is tried again in
``clustering_platform.calls``.
"""

import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from clustering_platform.calls.clock import Clock, SystemClock
from clustering_platform.calls.errors import CallError
from clustering_platform.calls.limits import Gate, RateLimits
from clustering_platform.calls.retrying import Calls, RetryPolicy
from clustering_platform.calls.tokens import EstimatedTokenizer, count_tokens, cut_to_tokens, half_of
from clustering_platform.calls.workers import Workers
from clustering_platform.semantics.embedders.answers import Vector, read_answer, read_vectors, sound, tokens_billed
from clustering_platform.semantics.embedders.costs import PRICES, Meter
from clustering_platform.semantics.texts import is_blank
from clustering_platform.service_config import address_of, open_client
from clustering_platform.topics_config import EmbeddingConfig

if TYPE_CHECKING:
    from openai import OpenAI

MAX_TOKENS = 8_192
MAX_INPUTS = 2_048
MAX_REQUEST_TOKENS = 300_000
_DIMENSIONS = {"text-embedding-3-large": 3072, "text-embedding-3-small": 1536, "text-embedding-ada-002": 1536}


@dataclass(frozen=True)
class _Part:
    """The texts of one request, with their positions among all; `is_halved` after the service found it too long."""

    positions: tuple[int, ...]
    texts: tuple[str, ...]
    is_halved: bool = False

    def pick(self, places: Sequence[int]) -> "_Part":
        return _Part(tuple(self.positions[place] for place in places), tuple(self.texts[place] for place in places))

    def halved(self) -> "_Part":
        return _Part(self.positions, tuple(map(half_of, self.texts)), is_halved=True)


@dataclass(frozen=True)
class _Done:
    """What came of a part: vectors by place, for all texts, or for some and the error that kept the others."""

    part: _Part
    vectors: Mapping[int, Vector]
    error: Exception | None

    @property
    def missing(self) -> list[int]:
        return [place for place in range(len(self.part.texts)) if place not in self.vectors]


class OpenAIEmbedder:
    """An embedder on the `openai` client.

    No key is read and no connection made before the first text is embedded. Every sound vector is handed over as soon
    as its answer is there; when one request fails for good no other is started, and those under way are waited for.

    Parameters
    ----------
    config
        The section ``topics.embedding``.
    clock, draw
        Time and chance, for tests.
    """

    def __init__(
        self, config: EmbeddingConfig, *, clock: Clock | None = None, draw: Callable[[], float] = random.random
    ) -> None:
        self.announce: Callable[[str], None] = lambda line: None
        self._config = config
        name, is_openai = config.model_name, config.base_url is None
        price = config.price_per_million_tokens
        if price is None and is_openai:
            price = PRICES.get(name)
        self._meter = Meter(price, config.max_cost)
        self._dimension = config.dimensions or (_DIMENSIONS.get(name) if is_openai else None)
        self._calls = _calls(config, self.model, clock or SystemClock(), draw)
        self._client: OpenAI | None = None
        self._lock = threading.Lock()

    @property
    def model(self) -> str:
        """Name of the model, its endpoint, and the settings that change its vectors."""
        parts = [f"{self._config.model_name}@{address_of(self._config)}"]
        if self._config.dimensions:
            parts.append(f"{self._config.dimensions} dimensions")
        if self._max_tokens != MAX_TOKENS:
            parts.append(f"{self._max_tokens} tokens")
        return ", ".join(parts)

    @property
    def tokenizer(self) -> EstimatedTokenizer:
        """What stands for the tokenizer of the model, which is not at hand."""
        return EstimatedTokenizer(self._max_tokens)

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimension), one row of length one for each text, in order."""
        rows: dict[int, Vector] = {}
        labels = [f"text {number}" for number in range(len(texts))]
        for positions, vectors in self.embed_in_parts(texts, labels=labels, dimension=None):
            rows.update(zip(positions, vectors, strict=True))
        return np.stack([rows[place] for place in range(len(texts))]) if texts else np.empty((0, 0), dtype=np.float32)

    def embed_in_parts(
        self, texts: Sequence[str], *, labels: Sequence[str], dimension: int | None
    ) -> Iterator[tuple[Sequence[int], NDArray[np.float32]]]:
        """Yield positions in `texts` with their vectors as they come, until every position was yielded once.

        Raises
        ------
        ValueError
            A text is blank, there is no key, or it would cost more than allowed; nothing was sent.
        CallError
            The service refused a request for good; vectors that it gave before were yielded.
        """
        if not texts:
            return
        for text, label in zip(texts, labels, strict=True):
            if is_blank(text):
                raise ValueError(f"{self.model}: {label} has no text")
        parts = self._plan([cut_to_tokens(text, self._max_tokens) for text in texts])
        self.announce(self._meter.plan(len(texts), sum(map(_tokens, parts)), len(parts), self.model))
        self._open()
        self._dimension = dimension or self._dimension
        workers: Workers[_Part, _Done | str] = Workers(
            lambda part: self._ask(part, [labels[position] for position in part.positions]),
            threads=self._config.concurrency,
        )
        self._calls.tell = workers.tell
        self._calls.resume()
        try:
            yield from self._gather(workers, deque(parts), labels)
        finally:
            self._calls.stop()

    def figures(self) -> Mapping[str, int | float]:
        """Return what was estimated, sent and billed so far, by name; empty where nothing was sent."""
        if not self._meter.texts:
            return {}
        counted = {"requests": self._calls.requests, "retries": self._calls.retries}
        return {**self._meter.figures(), **counted}

    def close(self) -> None:
        """Close the connections; they are opened again when they are needed again."""
        if self._client:
            self._client.close()
            self._client = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _max_tokens(self) -> int:
        return self._config.max_tokens or MAX_TOKENS

    def _open(self) -> None:
        """Read the key and make the client, unless there is one."""
        if self._client is None:
            self._client, self._calls.secrets = open_client(self._config)

    def _plan(self, texts: Sequence[str]) -> list[_Part]:
        """Return the requests: texts in order, as many in one as batch size and the limits of the service allow."""
        most = min(self._config.batch_size, MAX_INPUTS)
        parts: list[_Part] = []
        begin, spent = 0, 0
        for position, text in enumerate(texts):
            tokens = count_tokens(text)
            if position > begin and (position - begin == most or spent + tokens > MAX_REQUEST_TOKENS):
                parts.append(_Part(tuple(range(begin, position)), tuple(texts[begin:position])))
                begin, spent = position, 0
            spent += tokens
        return [*parts, _Part(tuple(range(begin, len(texts))), tuple(texts[begin:]))]

    def _gather(
        self, workers: Workers[_Part, "_Done | str"], parts: deque[_Part], labels: Sequence[str]
    ) -> Iterator[tuple[Sequence[int], NDArray[np.float32]]]:
        """Yield what comes of the parts; after a failure for good only of those under way, then raise it."""
        failure: Exception | None = None
        for result in workers.results(parts):
            if isinstance(result, str):
                self.announce(result)
                continue
            if result.vectors:
                yield (
                    [result.part.positions[place] for place in result.vectors],
                    np.stack(list(result.vectors.values())),
                )
            if result.error is None or failure:
                continue
            smaller = _smaller(result)
            parts.extendleft(reversed(smaller))
            if not smaller:
                failure = _named(result, labels)
                parts.clear()
                self._calls.stop()
        if failure:
            raise failure

    def _ask(self, part: _Part, labels: Sequence[str]) -> _Done:
        """Return what the service makes of a part; texts that it answered well are not sent again."""
        vectors: dict[int, Vector] = {}

        def call() -> None:
            missing = _Done(part, vectors, None).missing
            good, fault = self._answer([part.texts[place] for place in missing], [labels[place] for place in missing])
            vectors.update({missing[place]: vector for place, vector in good.items()})
            if fault:
                raise fault

        try:
            self._calls.run(call, tokens=_tokens(part))
        except Exception as error:
            return _Done(part, vectors, error)
        return _Done(part, vectors, None)

    def _answer(self, texts: list[str], labels: list[str]) -> tuple[dict[int, Vector], ValueError | None]:
        """Send one request and return the sound vectors by place, and what is wrong with the others."""
        from openai import omit

        if self._client is None:
            raise RuntimeError("the embedder was not opened")
        response = self._client.embeddings.with_raw_response.create(
            input=texts,
            model=self._config.model_name,
            dimensions=self._config.dimensions or omit,
            encoding_format="float" if self._config.base_url else "base64",
        )
        content = read_answer(response.http_response.content)
        self._meter.bill(tokens_billed(content))
        vectors = read_vectors(content, len(texts))
        with self._lock:
            good, fault = sound(vectors, labels, self._dimension)
            if good:
                self._dimension = len(next(iter(good.values())))
        return good, fault


def _calls(config: EmbeddingConfig, service: str, clock: Clock, draw: Callable[[], float]) -> Calls:
    return Calls(
        service=service,
        policy=RetryPolicy(attempts=config.attempts),
        limits=RateLimits(
            clock, requests_per_minute=config.requests_per_minute, tokens_per_minute=config.tokens_per_minute
        ),
        gate=Gate(config.concurrency),
        clock=clock,
        draw=draw,
    )


def _tokens(part: _Part) -> int:
    return sum(map(count_tokens, part.texts))


def _smaller(result: _Done) -> list[_Part]:
    """Return what to ask instead of a part that was too long: its halves, or half of its only text, once."""
    part, missing = result.part, result.missing
    if not (isinstance(result.error, CallError) and result.error.is_too_long):
        return []
    if len(missing) > 1:
        middle = len(missing) // 2
        return [part.pick(missing[:middle]), part.pick(missing[middle:])]
    return [] if part.is_halved else [part.pick(missing).halved()]


def _named(result: _Done, labels: Sequence[str]) -> Exception:
    """Return the error of a part, with the item that it is about where the service refused what was sent."""
    error = result.error
    if not isinstance(error, CallError) or error.status is None or error.ends_the_run or error.status >= 500:
        return error or RuntimeError("nothing went wrong")
    missing = result.missing
    others = f" and {len(missing) - 1} others" if len(missing) > 1 else ""
    advice = "; topics.embedding.max_tokens sets where texts are cut" if error.is_too_long else ""
    label = labels[result.part.positions[missing[0]]]
    return CallError(
        f"{error}; sent was the text of {label}{others}{advice}", status=error.status, is_too_long=error.is_too_long
    )
