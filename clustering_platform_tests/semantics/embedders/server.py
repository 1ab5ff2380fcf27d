"""A real HTTP server that speaks ``/v1/embeddings``, counts what is paid, and errs on demand."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from clustering_platform_tests.calls.server import Fault, Reply, Server, status

DIMENSION = 8


def vector_of(text: str, dimension: int = DIMENSION) -> list[float]:
    """Return the vector that the server gives a text; its length is not one."""
    digest = hashlib.shake_256(text.encode()).digest(dimension)
    return [byte - 127.5 for byte in digest]


@dataclass
class EmbeddingReply(Reply):
    """Vectors: the entries of `data` in order."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    has_usage: bool = True

    def content(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the vectors; a word is billed as a token."""
        tokens = sum(len(text.split()) for text in request["input"])
        usage = {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}} if self.has_usage else {}
        return {"object": "list", "model": request["model"], "data": self.entries, **usage}

    def paid(self, texts: list[str], dimension: int) -> list[str]:
        """Return the texts that got a sound vector, none of an answer that is not whole or comes too late."""
        if self.status != 200 or self.body is not None or self.is_cut_off or self.delay is not None:
            return []
        sound = {entry["index"] for entry in self.entries if _is_sound(entry["embedding"], dimension)}
        is_whole = len({entry["index"] for entry in self.entries}) == len(texts)
        return [text for row, text in enumerate(texts) if row in sound] if is_whole else []


def short(reply: EmbeddingReply) -> None:
    """Leave out the last vector."""
    reply.entries.pop()


def shuffled(reply: EmbeddingReply) -> None:
    """Send the vectors in another order."""
    reply.entries.reverse()


def renumbered(reply: EmbeddingReply) -> None:
    """Give two vectors one index."""
    reply.entries[-1]["index"] = 0


def first_is(value: object) -> Fault[EmbeddingReply]:
    """Send something else as the first vector; the others are sound."""

    def spoil(reply: EmbeddingReply) -> None:
        reply.entries[0]["embedding"] = value

    return spoil


def without_usage(reply: EmbeddingReply) -> None:
    """Do not say what was billed."""
    reply.has_usage = False


class EmbeddingServer(Server[EmbeddingReply]):
    """An embedder.

    Attributes
    ----------
    paid
        How often each text was answered with a sound vector.
    longest
        Texts longer than this are refused as too long; None for no limit.
    """

    path = "/v1/embeddings"

    def __init__(self, *faults: Fault[EmbeddingReply], dimension: int = DIMENSION, longest: int | None = None) -> None:
        super().__init__(*faults)
        self.dimension = dimension
        self.longest = longest
        self.paid: Counter[str] = Counter()

    @property
    def asked(self) -> list[list[str]]:
        """The texts of every request."""
        return [request["input"] for request in self.requests]

    def sound_reply(self, request: dict[str, Any]) -> EmbeddingReply:
        """Return the vectors of texts; empty and too long ones are refused."""
        texts, dimension = request["input"], request.get("dimensions", self.dimension)
        reply = EmbeddingReply(
            entries=[
                {"object": "embedding", "index": row, "embedding": vector_of(text, dimension)}
                for row, text in enumerate(texts)
            ]
        )
        if any(not text.strip() for text in texts):
            status(400, "input cannot be an empty string")(reply)
        elif self.longest and any(len(text) > self.longest for text in texts):
            status(400, "This model's maximum context length was exceeded", "context_length_exceeded")(reply)
        return reply

    def reply_to(self, request: dict[str, Any]) -> EmbeddingReply:
        """Return what is sent back, and count what is paid."""
        reply = super().reply_to(request)
        with self.lock:
            self.paid.update(reply.paid(request["input"], request.get("dimensions", self.dimension)))
        return reply


def _is_sound(values: object, dimension: int) -> bool:
    if not isinstance(values, list) or len(values) != dimension:
        return False
    return any(values) and all(isinstance(value, float) and abs(value) < 1e30 for value in values)


def http_date(seconds_from_now: float) -> str:
    """Return a date as in headers."""
    return formatdate(time.time() + seconds_from_now, usegmt=True)
