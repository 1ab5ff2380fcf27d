"""A real HTTP server in place of a paid service: it counts its requests, and errs on demand."""

from __future__ import annotations

import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar


@dataclass
class Reply(ABC):
    """What is sent back; `body` in place of what the service would say."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    is_cut_off: bool = False
    delay: float | None = None

    @abstractmethod
    def content(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return what the service says to a request, as JSON."""


R = TypeVar("R", bound=Reply)
Fault = Callable[[R], None]


def status(code: int, message: str = "refused", error: str | None = None, **headers: str) -> Fault[Reply]:
    """Answer with an error."""

    def spoil(reply: Reply) -> None:
        reply.status = code
        reply.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        reply.body = json.dumps({"error": {"message": message, "code": error, "type": None}}).encode()

    return spoil


def slow(seconds: float) -> Fault[Reply]:
    """Answer late."""

    def spoil(reply: Reply) -> None:
        reply.delay = seconds

    return spoil


def body_is(body: bytes) -> Fault[Reply]:
    """Send another body."""

    def spoil(reply: Reply) -> None:
        reply.body = body

    return spoil


def cut_off(reply: Reply) -> None:
    """Drop the connection in the middle of the answer."""
    reply.is_cut_off = True


class Server(ABC, Generic[R]):
    """Answers in threads; `faults` are used up one by one, by requests in the order in which they come.

    Attributes
    ----------
    path
        Where the service is.
    always
        What befalls every request once `faults` are used up.
    requests, keys
        The JSON and the ``Authorization`` of every request.
    pause
        Seconds before each answer.
    most_at_once
        Largest number of requests that were under way together.
    """

    path: ClassVar[str]

    def __init__(self, *faults: Fault[R], pause: float = 0.0) -> None:
        self.faults = list(faults)
        self.always: Fault[R] | None = None
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.pause = pause
        self.most_at_once = 0
        self._at_once = 0
        self.lock = threading.Lock()
        self._http = _Http(("127.0.0.1", 0), self._handler())
        self.base_url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    @abstractmethod
    def sound_reply(self, request: dict[str, Any]) -> R:
        """Return what is sent back when nothing goes wrong."""

    def reply_to(self, request: dict[str, Any]) -> R:
        """Return what is sent back, with the fault whose turn it is."""
        reply = self.sound_reply(request)
        with self.lock:
            fault = self.faults.pop(0) if self.faults else self.always
        if fault:
            fault(reply)
        return reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if self.path != server.path:
                    self.send_error(404)
                    return
                with server.lock:
                    server.requests.append(request)
                    server.keys.append(self.headers["authorization"])
                    server._at_once += 1
                    server.most_at_once = max(server.most_at_once, server._at_once)
                try:
                    self._send(server.reply_to(request), request)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                finally:
                    with server.lock:
                        server._at_once -= 1

            def _send(self, reply: Reply, request: dict[str, Any]) -> None:
                time.sleep(server.pause if reply.delay is None else reply.delay)
                body = json.dumps(reply.content(request)).encode() if reply.body is None else reply.body
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


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up."""
