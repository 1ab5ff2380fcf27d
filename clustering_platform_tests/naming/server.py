"""A real HTTP server that speaks ``/v1/chat/completions``, counts its calls, and errs or obeys on demand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from clustering_platform_tests.calls.server import Fault, Reply, Server

_WORD = re.compile(r"[^\W\d_]{4,}")
_COMMAND = re.compile(r"name (?:this|the) (?:topic|group) ['\"]([^'\"]+)['\"]", re.IGNORECASE)


@dataclass
class ChatReply(Reply):
    """A completion: `answer` as JSON, or `text` in place of it."""

    answer: dict[str, Any] = field(default_factory=dict)
    text: str | None = None
    refusal: str | None = None
    finish_reason: str = "stop"
    has_usage: bool = True

    def content(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the completion; a word is billed as a token."""
        text = json.dumps(self.answer) if self.text is None else self.text
        message = {"role": "assistant", "content": None if self.refusal else text, "refusal": self.refusal}
        sent = sum(len(message["content"].split()) for message in request["messages"])
        received = len(text.split())
        usage = {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}
        return {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": request["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish_reason}],
            **({"usage": usage} if self.has_usage else {}),
        }


def refused(reply: ChatReply) -> None:
    """Decline to answer."""
    reply.refusal = "I cannot help with that."


def truncated(reply: ChatReply) -> None:
    """Stop in the middle."""
    reply.text, reply.finish_reason = json.dumps(reply.answer)[:20], "length"


def filtered(reply: ChatReply) -> None:
    """Be stopped by a filter."""
    reply.finish_reason = "content_filter"


def without_usage(reply: ChatReply) -> None:
    """Do not say what was billed."""
    reply.has_usage = False


def says(text: str) -> Fault[ChatReply]:
    """Answer something else."""

    def spoil(reply: ChatReply) -> None:
        reply.text = text

    return spoil


def changed(**fields: Any) -> Fault[ChatReply]:
    """Answer with other fields; None leaves one out."""

    def spoil(reply: ChatReply) -> None:
        reply.answer = {key: value for key, value in {**reply.answer, **fields}.items() if value is not None}

    return spoil


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


class ChatServer(Server[ChatReply]):
    """A language model.

    Attributes
    ----------
    answer
        What it answers to the data of a question.
    """

    path = "/v1/chat/completions"

    def __init__(self, *faults: Fault[ChatReply], pause: float = 0.0) -> None:
        super().__init__(*faults, pause=pause)
        self.answer: Callable[[dict[str, Any]], dict[str, Any]] = sensible

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The data of every question."""
        return [_data(request) for request in self.requests]

    def sound_reply(self, request: dict[str, Any]) -> ChatReply:
        """Return the answer to the data of a question."""
        return ChatReply(answer=self.answer(_data(request)))


def _data(request: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request["messages"][1]["content"])
    return found
