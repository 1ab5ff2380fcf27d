"""What an embedder is, and what some of them can do besides."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


class Embedder(Protocol):
    """Turns texts into vectors of length one."""

    @property
    def model(self) -> str:
        """Name of the model with its revision or hash; vectors of different models are never mixed."""

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimension), one row of length one for each text, in order."""


@runtime_checkable
class EmbedsInParts(Protocol):
    """An embedder that makes its own batches, several at once, and hands over each as soon as it is done."""

    def embed_in_parts(
        self, texts: Sequence[str], *, labels: Sequence[str], dimension: int | None
    ) -> Iterator[tuple[Sequence[int], NDArray[np.float32]]]:
        """Yield positions in `texts` with their vectors, until every position was yielded once.

        Parameters
        ----------
        labels
            What to call each text in messages.
        dimension
            What the vectors must have; None where no vector of this model is known yet.
        """


@runtime_checkable
class Metered(Protocol):
    """An embedder whose calls cost money."""

    announce: Callable[[str], None]
    """Called with lines for the log: what the calls will cost, what is tried again."""

    def figures(self) -> Mapping[str, int | float]:
        """Return what was estimated, sent and billed so far, by name; empty where nothing was sent."""
