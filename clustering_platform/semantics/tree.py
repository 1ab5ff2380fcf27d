"""The tree of topics as strategies return it, and what they are given.

A strategy is a function from a `Space` to a `Tree`; each has a module of its own in ``strategies``. The tables made
from a tree belong in ``topic_tables``.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.consensus import graph_partitions, usual_resolution, widest_neighbourhood, widths
from clustering_platform.semantics.neighbours import Neighbours, nearest_neighbours
from clustering_platform.semantics.reduction import Floats, graph_layout, neighbour_count

FEWEST_ITEMS = 20
_NOTHING = np.empty(0, dtype=np.int64)


@dataclass(eq=False)
class Topic:
    """A topic and its subtopics.

    Attributes
    ----------
    points : int64[m]
        Rows of the distinct vectors in it and below, ascending.
    method
        How its subtopics were found.
    note
        Why it was divided as it was, or why not.
    left_out : int64[l]
        Points that its division left between the subtopics, before they were sent home to the most similar one.
    """

    points: NDArray[np.int64]
    method: str = "leaf"
    note: str = "not divided: a topic is as fine as the strategy goes"
    children: list["Topic"] = field(default_factory=list)
    left_out: NDArray[np.int64] = field(default_factory=lambda: _NOTHING)

    def walk(self) -> Iterator["Topic"]:
        """Yield this topic and all below it, a topic before its subtopics."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Tree:
    """What a strategy found.

    Attributes
    ----------
    membership : float64[n] or None
        What the algorithm says of how far each point belongs to its topic, 0 to 1, if it says anything.
    merges : float64[k - 1, 4] or None
        The dendrogram over `leaves`, in the form of scipy's linkage.
    leaves
        The k leaf topics in the order in which `merges` numbers them.
    partitions : int64[p, n] or None
        Partitions by which stability is measured, where the strategy made its own.
    scales
        Numbers of topics that were tried, as rows of the table `topic_scales`.
    """

    root: Topic
    membership: NDArray[np.float64] | None = None
    merges: NDArray[np.float64] | None = None
    leaves: list[Topic] = field(default_factory=list)
    partitions: NDArray[np.int64] | None = None
    scales: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Space:
    """The distinct vectors of length one (float32[n, d]) and what every strategy may need of them, made once."""

    points: Floats
    seed: int
    weights: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def neighbours(self) -> Neighbours:
        """The nearest neighbours of every point."""
        return nearest_neighbours(self.points, widest_neighbourhood(len(self)), seed=self.seed)

    @cached_property
    def partitions(self) -> NDArray[np.int64]:
        """Partitions of the graph of neighbours, by which stability is measured."""
        count = len(self)
        return graph_partitions(
            self.neighbours, width=widths(count)[-1], resolution=usual_resolution(count), seed=self.seed
        )

    @cached_property
    def layout(self) -> Floats:
        """The points in five dimensions, where density tells topics apart: float32[n, 5]."""
        nearest = self.neighbours.nearest(neighbour_count(len(self)) - 1)
        return graph_layout(self.points, nearest, seed=self.seed)


def why_undivided(space: Space, max_depth: int) -> str:
    """Return why there is nothing to divide, empty if there is."""
    if len(space) < FEWEST_ITEMS:
        return f"not divided: distinct items {len(space)}, a division needs {FEWEST_ITEMS}"
    return "not divided: the settings allow no level below the root" if max_depth == 0 else ""


def smallest_topic(points: int) -> int:
    """Return the default smallest size of a topic for a number of distinct items: the cube root, at least 4."""
    return max(4, round(math.cbrt(points)))
