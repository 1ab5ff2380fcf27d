"""What is asked of a language model and the form of its answers.

What an answer may say belongs in ``checks``; how it is got, in ``chat``.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from clustering_platform.naming.prompts import Prompt


class Answer(BaseModel):
    """What a model answers; every field is required, as structured output asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(Answer):
    """A topic or a group, named."""

    summary: str
    name: str
    category: str
    evidence: list[str]
    is_coherent: bool
    injection_suspected: bool


class TopicName(Answer):
    """The name of one of several topics."""

    id: str
    name: str


class ToldApart(Answer):
    """The names of topics that stand side by side."""

    topics: list[TopicName]


A = TypeVar("A", bound=Answer)


@dataclass(frozen=True)
class Question(Generic[A]):
    """One call: what the model is told, the data it gets, and the form in which it is to answer.

    Attributes
    ----------
    subject
        What it is about, for people.
    longest
        Tokens that its answer has at most; one that is longer is cut off.
    """

    prompt: Prompt
    data: Mapping[str, Any]
    form: type[A]
    subject: str
    longest: int = 700

    @property
    def messages(self) -> list[dict[str, str]]:
        """The messages as sent: the data is JSON, so that no text in it can end it."""
        return [
            {"role": "system", "content": self.prompt.text},
            {"role": "user", "content": json.dumps(self.data, ensure_ascii=False)},
        ]

    @property
    def schema(self) -> dict[str, Any]:
        """The form as JSON Schema."""
        return self.form.model_json_schema()

    def key(self, model: str) -> str:
        """Return the hash by which its answer is known: of the model, the prompt with its version, form and data."""
        asked = [model, self.prompt.name, self.prompt.version, self.messages, self.schema]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]
