"""A real HTTP server that speaks ``/v1/chat/completions``, counts its calls, and errs or obeys on demand."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_WORD = re.compile(r"[^\W\d_]{4,}")
_COMMAND = re.compile(r"name (?:this|the) (?:topic|group) ['\"]([^'\"]+)['\"]", re.IGNORECASE)


@dataclass
class Reply:
    """What is sent back."""

    answer: dict[str, Any]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: str | None = None
    refusal: str | None = None
    finish_reason: str = "stop"
    body: bytes | None = None
    is_cut_off: bool = False
    delay: float = 0

    def as_json(self, model: str, sent: int) -> bytes:
        """Return the body of the response."""
        if self.body is not None:
            return self.body
        content = json.dumps(self.answer) if self.content is None else self.content
        message = {"role": "assistant", "content": None if self.refusal else content, "refusal": self.refusal}
        received = len(content.split())
        usage = {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        whole = {"id": "1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
        return json.dumps({**whole, "usage": usage}).encode()


Fault = Callable[[Reply], None]


def status(code: int, message: str = "refused", error: str | None = None, **headers: str) -> Fault:
    """Answer with an error."""

    def spoil(reply: Reply) -> None:
        reply.status = code
        reply.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        reply.body = json.dumps({"error": {"message": message, "code": error, "type": None}}).encode()

    return spoil


def slow(seconds: float) -> Fault:
    """Answer late."""

    def spoil(reply: Reply) -> None:
        reply.delay = seconds

    return spoil


def refused(reply: Reply) -> None:
    """Decline to answer."""
    reply.refusal = "I cannot help with that."


def truncated(reply: Reply) -> None:
    """Stop in the middle."""
    reply.content, reply.finish_reason = json.dumps(reply.answer)[:20], "length"


def filtered(reply: Reply) -> None:
    """Be stopped by a filter."""
    reply.finish_reason = "content_filter"


def says(content: str) -> Fault:
    """Answer something else."""

    def spoil(reply: Reply) -> None:
        reply.content = content

    return spoil


def changed(**fields: Any) -> Fault:
    """Answer with other fields; None leaves one out."""

    def spoil(reply: Reply) -> None:
        reply.answer = {key: value for key, value in {**reply.answer, **fields}.items() if value is not None}

    return spoil


def body_is(body: bytes) -> Fault:
    """Send another body."""

    def spoil(reply: Reply) -> None:
        reply.body = body

    return spoil


def cut_off(reply: Reply) -> None:
    """Drop the connection in the middle of the answer."""
    reply.is_cut_off = True


def sensible(data: dict[str, Any]) -> dict[str, Any]:
    """Answer as a model would that keeps to the data: phrases and words of the texts become names."""
    if "topics" in data:
        return {"topics": [{"id": topic["id"], "name": topic["name"]} for topic in data["topics"]]}
    shown = data.get("items") or data.get("statements") or []
    texts = [one["text"] for one in shown] or [one["name"] for one in data.get("subtopics", [])]
    phrases = " ".join(data.get("phrases", [])[:2]).split()[:5]
    words = phrases if len(phrases) > 1 else [*_WORD.findall(" ".join(texts[:2])), "matters"][:3]
    return {
        "summary": f"People write about this: {texts[0] if texts else 'nothing'}",
        "name": " ".join(words),
        "category": "civic life",
        "evidence": [one["id"] for one in shown[:2]],
        "is_coherent": True,
        "injection_suspected": False,
    }


def obedient(data: dict[str, Any]) -> dict[str, Any]:
    """Answer as a model would that does what the texts tell it to."""
    answer = sensible(data)
    commands = _COMMAND.findall(json.dumps(data, ensure_ascii=False).replace("\\'", "'").replace('\\"', '"'))
    if commands and "name" in answer:
        answer |= {"name": commands[0], "summary": f"All of it is about this: {commands[0]}."}
    return answer


class ChatServer:
    """Answers in threads; `faults` are used up one by one, by requests in the order in which they come.

    Attributes
    ----------
    answer
        What a model answers to the data of a question.
    requests, keys
        The JSON and the ``Authorization`` of every request.
    pause
        Seconds before each answer.
    most_at_once
        Largest number of requests that were under way together.
    """

    def __init__(self, *faults: Fault, pause: float = 0.0) -> None:
        self.faults = list(faults)
        self.always: Fault | None = None
        self.answer: Callable[[dict[str, Any]], dict[str, Any]] = sensible
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.pause = pause
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", 0), self._handler())
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
    def asked(self) -> list[dict[str, Any]]:
        """The data of every question."""
        return [_data(request) for request in self.requests]

    def _reply_to(self, path: str, request: dict[str, Any]) -> Reply:
        reply = Reply(self.answer(_data(request)), delay=self.pause)
        with self._lock:
            fault = self.faults.pop(0) if self.faults else self.always
        if path != "/v1/chat/completions":
            fault = status(404, f"no such path: {path}")
        if fault:
            fault(reply)
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
                    self._send(server._reply_to(self.path, request), request)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                finally:
                    with server._lock:
                        server._at_once -= 1

            def _send(self, reply: Reply, request: dict[str, Any]) -> None:
                time.sleep(reply.delay)
                sent = sum(len(message["content"].split()) for message in request["messages"])
                body = reply.as_json(request["model"], sent)
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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up."""


def _data(request: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request["messages"][1]["content"])
    return found
