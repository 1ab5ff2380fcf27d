"""One question to a language model: from the cache or from the service, checked, and what to do where it fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clustering_platform.calls.errors import CallError
from clustering_platform.naming.answer_cache import AnswerCache
from clustering_platform.naming.budget import CeilingReachedError
from clustering_platform.naming.chat import Chat, UnusableAnswerError
from clustering_platform.naming.questions import A, Question

Embed = Callable[[list[str]], dict[str, NDArray[np.float32]]]
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
        Returns vectors of length one by text; None where names are not compared with what they are about. It is called
        by one thread at a time.
    asked, found
        Questions that went to the service, and those whose answer was known.
    """

    chat: Chat
    cache: AnswerCache
    embed: Embed | None
    asked: int = 0
    found: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)
    _embedding: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, question: Question[A]) -> A | Failed:
        """Return the answer, or why there is none.

        Raises
        ------
        CallError
            The service refuses whatever it is asked: there is no key, or no such model, or no money.
        """
        known = self.cache.get(question, self.chat.model)
        with self._counting:
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

    def is_about(self, name: str, usual: str, subject: NDArray[np.float32] | list[str]) -> bool:
        """Say whether a name is at least half as like its subject as the usual name is: one that was put in is not.

        Parameters
        ----------
        subject
            A centroid of the same model, or texts: then the median counts, which the few that tell a model what to say
            do not move.
        """
        if self.embed is None:
            return True
        texts = subject if isinstance(subject, list) else []
        with self._embedding:
            vectors = self.embed([name, usual, *texts])
        around = np.stack([vectors[text] for text in subject]) if isinstance(subject, list) else subject[None]
        likeness = around @ np.stack([vectors[name], vectors[usual]]).T
        of_name, of_usual = np.median(likeness, axis=0)
        return bool(of_name >= LEAST_LIKENESS * of_usual)
