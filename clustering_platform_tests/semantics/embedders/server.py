"""A real HTTP server that speaks ``/v1/embeddings``, counts what is paid, and errs on demand."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

DIMENSION = 8


def vector_of(text: str, dimension: int = DIMENSION) -> list[float]:
    """Return the vector that the server gives a text; its length is not one."""
    digest = hashlib.shake_256(text.encode()).digest(dimension)
    return [byte - 127.5 for byte in digest]


@dataclass
class Reply:
    """What is sent back: status, headers, the entries of `data` in order, or another body."""

    entries: list[dict[str, Any]]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    is_cut_off: bool = False
    delay: float = 0
    is_paid: bool = True
    has_usage: bool = True


Fault = Callable[[Reply], None]


def status(code: int, message: str = "refused", error: str | None = None, **headers: str) -> Fault:
    """Answer with an error."""

    def spoil(reply: Reply) -> None:
        reply.status = code
        reply.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        reply.body = json.dumps({"error": {"message": message, "code": error, "type": None}}).encode()

    return spoil


def slow(seconds: float) -> Fault:
    """Answer too late; what comes too late was not paid."""

    def spoil(reply: Reply) -> None:
        reply.delay, reply.is_paid = seconds, False

    return spoil


def short(reply: Reply) -> None:
    """Leave out the last vector."""
    reply.entries.pop()
    reply.is_paid = False


def shuffled(reply: Reply) -> None:
    """Send the vectors in another order."""
    reply.entries.reverse()


def renumbered(reply: Reply) -> None:
    """Give two vectors one index."""
    reply.entries[-1]["index"] = 0
    reply.is_paid = False


def first_is(value: object) -> Fault:
    """Send something else as the first vector; the others are sound."""

    def spoil(reply: Reply) -> None:
        reply.entries[0]["embedding"] = value

    return spoil


def cut_off(reply: Reply) -> None:
    """Drop the connection in the middle of the answer."""
    reply.is_cut_off, reply.is_paid = True, False


def body_is(body: bytes) -> Fault:
    """Send another body."""

    def spoil(reply: Reply) -> None:
        reply.body, reply.is_paid = body, False

    return spoil


def without_usage(reply: Reply) -> None:
    """Do not say what was billed."""
    reply.has_usage = False


class EmbeddingServer:
    """Answers in threads; `faults` are used up one by one, by requests in the order in which they come.

    Attributes
    ----------
    requests
        The JSON of every request.
    keys
        The ``Authorization`` of every request.
    paid
        How often each text was answered with a sound vector.
    longest
        Texts longer than this are refused as too long; None for no limit.
    most_at_once
        Largest number of requests that were under way together.
    """

    def __init__(self, *faults: Fault, dimension: int = DIMENSION, longest: int | None = None) -> None:
        self.faults = list(faults)
        self.always: Fault | None = None
        self.dimension = dimension
        self.longest = longest
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.paid: Counter[str] = Counter()
        self.most_at_once = 0
        self.pause = 0.0
        self._at_once = 0
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def asked(self) -> list[list[str]]:
        """The texts of every request."""
        return [request["input"] for request in self.requests]

    def reply_to(self, path: str, request: dict[str, Any]) -> Reply:
        texts = request["input"]
        dimension = request.get("dimensions", self.dimension)
        entries = [
            {"object": "embedding", "index": row, "embedding": vector_of(text, dimension)}
            for row, text in enumerate(texts)
        ]
        reply = Reply(entries)
        with self._lock:
            fault = self.faults.pop(0) if self.faults else self.always
        if path != "/v1/embeddings":
            fault = status(404, f"no such path: {path}")
        elif any(not text.strip() for text in texts):
            fault = status(400, "input cannot be an empty string")
        elif self.longest and any(len(text) > self.longest for text in texts):
            fault = status(400, "This model's maximum context length was exceeded", "context_length_exceeded")
        if fault:
            fault(reply)
        if reply.status == 200 and reply.is_paid:
            whole = [text for row, text in enumerate(texts) if _is_sound(reply, row, dimension)]
            with self._lock:
                self.paid.update(whole)
        return reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with server._lock:
                    server.requests.append(request)
                    server.keys.append(self.headers["authorization"])
                    server._at_once += 1
                    server.most_at_once = max(server.most_at_once, server._at_once)
                try:
                    self._send(server.reply_to(self.path, request), request)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                finally:
                    with server._lock:
                        server._at_once -= 1

            def _send(self, reply: Reply, request: dict[str, Any]) -> None:
                time.sleep(reply.delay or server.pause)
                tokens = sum(len(text.split()) for text in request["input"])
                content: dict[str, Any] = {"object": "list", "model": request["model"], "data": reply.entries}
                if reply.has_usage:
                    content["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
                body = reply.body if reply.body is not None else json.dumps(content).encode()
                self.send_response(reply.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if reply.is_cut_off else body)
                self.close_connection = reply.is_cut_off

            def log_message(self, format: str, *args: object) -> None:
                """Write nothing."""

        return Handler


def _is_sound(reply: Reply, row: int, dimension: int) -> bool:
    values = next(entry["embedding"] for entry in reply.entries if entry["index"] == row)
    if not isinstance(values, list) or len(values) != dimension:
        return False
    return any(values) and all(isinstance(value, float) and abs(value) < 1e30 for value in values)


def http_date(seconds_from_now: float) -> str:
    """Return a date as in headers."""
    return formatdate(time.time() + seconds_from_now, usegmt=True)
