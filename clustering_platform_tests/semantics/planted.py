"""Planted vectors: groups around directions at right angles, and vectors without any structure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clustering_platform.semantics.neighbours import Neighbours, nearest_neighbours
from clustering_platform.semantics.silhouettes import unit_rows
from clustering_platform.semantics.tree import Space, Topic

Floats = NDArray[np.float32]


def unit(vectors: NDArray[np.floating]) -> Floats:
    """Return the rows scaled to length one."""
    return unit_rows(vectors).astype(np.float32)


def blobs(sizes: Sequence[int], *, spread: float = 0.5, dimension: int = 40, seed: int = 1) -> Floats:
    """Return vectors of length one, the first `sizes[0]` of them around the first direction, and so on."""
    noise = np.random.default_rng(seed).normal(size=(sum(sizes), dimension)) * spread / np.sqrt(dimension)
    return unit(np.repeat(np.eye(dimension)[: len(sizes)], sizes, axis=0) + noise)


def labels_of(sizes: Sequence[int]) -> NDArray[np.int64]:
    """Return the group of each vector of `blobs`."""
    return np.repeat(np.arange(len(sizes)), sizes)


def random_vectors(count: int, *, dimension: int = 384, seed: int = 0) -> Floats:
    """Return vectors of length one in every direction."""
    return unit(np.random.default_rng([seed, count]).normal(size=(count, dimension)))


def all_neighbours(points: Floats) -> Neighbours:
    """Return up to 40 nearest neighbours of each point."""
    return nearest_neighbours(points, 40, seed=1)


def are_same(one: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Say whether two partitions hold the same points together, whatever their labels are."""
    pairs = len(np.unique(np.stack([one, other]), axis=1).T)
    return pairs == len(np.unique(one)) == len(np.unique(other))


def space_of(points: Floats, layout: NDArray[np.floating], *, weights: NDArray[np.float64] | None = None) -> Space:
    """Return a space whose layout is given instead of made."""
    space = Space(points, 1, weights)
    vars(space)["layout"] = layout.astype(np.float32)
    return space


def places(sizes: Sequence[int], *, spread: float = 0.1, seed: int = 2) -> Floats:
    """Return a layout in five dimensions with a dense place for each group, all the same distance apart."""
    noise = np.random.default_rng(seed).normal(size=(sum(sizes), 5)) * spread
    corners = np.concatenate([np.zeros((1, 5)), np.eye(5), -np.eye(5)])[: len(sizes)]
    return (np.repeat(10 * corners, sizes, axis=0) + noise).astype(np.float32)


def parts(topic: Topic) -> NDArray[np.int64]:
    """Return the number of the leaf below `topic` that holds each of its points, in the order of the points."""
    leaves = [one for one in topic.walk() if not one.children]
    labels = np.empty(int(topic.points.max()) + 1, np.int64)
    for number, leaf in enumerate(leaves):
        labels[leaf.points] = number
    return labels[topic.points]


def check_parts(root: Topic) -> None:
    """Check that the children of every topic hold each of its points once and that none is alone."""
    for topic in root.walk():
        assert len(topic.children) != 1
        assert (np.diff(topic.points) > 0).all()
        assert topic.note
        if topic.children:
            inside = np.concatenate([child.points for child in topic.children])
            np.testing.assert_array_equal(np.sort(inside), topic.points)
