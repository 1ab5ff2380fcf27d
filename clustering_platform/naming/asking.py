"""One question to a language model: from the cache or from the service, checked, and what to do where it fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering_platform.calls.errors import CallError
from clustering_platform.naming.answer_cache import AnswerCache
from clustering_platform.naming.budget import CeilingReachedError
from clustering_platform.naming.chat import Chat, UnusableAnswerError
from clustering_platform.naming.questions import A, Question

Embed = Callable[[list[str]], NDArray[np.float32]]
LEAST_LIKENESS = 0.5


@dataclass(frozen=True)
class Failed:
    """There is no answer that can be used, and why."""

    reason: str


@dataclass
class Asker:
    """Asks a model, each question once; safe to use from threads.

    Attributes
    ----------
    embed
        Returns vectors of length one, of the model that the centroids of topics are from; None where names cannot be
        compared with them.
    asked, found
        Questions that went to the service, and those whose answer was known.
    """

    chat: Chat
    cache: AnswerCache
    embed: Embed | None
    asked: int = 0
    found: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, question: Question[A]) -> A | Failed:
        """Return the answer, or why there is none.

        Raises
        ------
        CallError
            The service refuses whatever it is asked: there is no key, or no such model, or no money.
        """
        known = self.cache.get(question, self.chat.model)
        with self._lock:
            self.found += known is not None
            self.asked += known is None
        if known is not None:
            return known
        try:
            answer = self.chat.ask(question)
        except (CeilingReachedError, UnusableAnswerError) as error:
            return Failed(str(error))
        except CallError as error:
            if error.ends_the_run:
                raise
            return Failed(str(error))
        self.cache.put(question, self.chat.model, answer)
        return answer

    def is_about(self, name: str, usual: str, centroid: NDArray[np.float32]) -> bool:
        """Say whether a name is at least half as like a topic as its usual name is: one that was put in is not."""
        if self.embed is None:
            return True
        with self._lock:
            likeness: Any = self.embed([name, usual]) @ centroid
        return bool(likeness[0] >= LEAST_LIKENESS * likeness[1])
