"""Synthetic conversations with known groups.

Voters belong to one of three groups, which stand at three points of a plane with two axes of opinion; members are
scattered around the point of their group. Somewhat more than half of the items unite: nearly everybody answers them
alike. The others divide: each leans in a direction of its own in the plane, and a voter agrees with the probability
``logistic(intercept + lean . place)``. Some votes are passes, some are cast anew. How much a voter votes is
log-normal; votes of all voters are mixed over the whole time. The groups are of unequal sizes but balanced: the items
together lean to no side, so that voters of few votes drift to no group. A group can thus be told from a dozen votes,
and on a map of two dimensions.

How a set is stored is said in ``stored``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARES = (0.40, 0.33, 0.27)
"""Of the voters in each group; any two are more than the third, as the sides of a triangle must be."""
SCATTER = 0.15
"""Standard deviation of voters around the point of their group, which is at distance 1 from the centre."""
DIVIDING, LEAN = 0.45, 4.5
"""Share of the items that divide, and how far they lean."""
PASSES, REVOTES = 0.06, 0.01
FEWEST_VOTES, ACTIVITY_SPREAD = 12, 0.5
"""Votes of the least active voter, and the standard deviation of the logarithm of the votes of a voter."""


@dataclass(frozen=True)
class Size:
    """How large a set is: voters, items and votes (about, re-votes included)."""

    voters: int
    items: int
    votes: int


@dataclass(frozen=True)
class Population:
    """Voters and items, and on which items each voter votes.

    Attributes
    ----------
    groups : int8[voters]
    places : float32[voters, 2]
    intercepts : float32[items]
    leans : float32[items, 2]
    offsets : int32[voters + 1]
        Voter i has the cells ``offsets[i]`` to ``offsets[i + 1]``.
    voters : int32[cells]
        Voter of each cell.
    ways : int32[voters, 2]
        First item and step of each voter: the order in which the voter goes through all items.
    """

    groups: NDArray[np.int8]
    places: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    leans: NDArray[np.float32]
    offsets: NDArray[np.int32]
    voters: NDArray[np.int32]
    ways: NDArray[np.int32]

    def items(self, cells: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the item of each cell; those of one voter are distinct."""
        voters = self.voters[cells]
        start, step = self.ways[voters].T
        found: NDArray[np.int32] = (start + step * (cells - self.offsets[voters])) % np.int32(len(self.intercepts))
        return found

    def vote(self, cells: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int8]:
        """Draw a vote for each cell: 1 agree, 0 pass, -1 disagree."""
        items = self.items(cells)
        pull = np.einsum("ij,ij->i", self.leans[items], self.places[self.voters[cells]])
        agreement = 1 / (1 + np.exp(-(self.intercepts[items] + pull)))
        votes = np.where(rng.random(cells.size, np.float32) < agreement, np.int8(1), np.int8(-1))
        votes[rng.random(cells.size, np.float32) < PASSES] = 0
        return votes


def populate(size: Size, rng: np.random.Generator) -> Population:
    """Draw voters and items. The number of items must be a multiple of 10.

    Items lean more along the axis on which the groups differ less, so that both axes divide the voters equally.
    """
    points = corners(SHARES)
    groups = rng.choice(3, size.voters, p=SHARES).astype(np.int8)
    places = points[groups] + rng.normal(0, SCATTER, (size.voters, 2))
    mean = size.votes / size.voters
    activity = rng.lognormal(np.log(mean) - ACTIVITY_SPREAD**2 / 2, ACTIVITY_SPREAD, size.voters)
    votes = np.clip(np.rint(activity), FEWEST_VOTES, size.items).astype(np.int32)
    first = rng.integers(0, size.items, size.voters)
    step = 10 * rng.integers(0, size.items // 10, size.voters) + rng.choice([1, 3, 7, 9], size.voters)
    divides = rng.random(size.items) < DIVIDING
    angles = rng.uniform(0, 2 * np.pi, size.items)
    variances, axes = np.linalg.eigh((points.T * SHARES) @ points)
    even = axes / np.sqrt(2 * variances) @ axes.T
    leans = LEAN * divides[:, np.newaxis] * np.column_stack([np.cos(angles), np.sin(angles)]) @ even
    united = rng.choice([-1, 1], size.items, p=[0.3, 0.7]) * np.abs(rng.normal(2.5, 0.6, size.items))
    return Population(
        groups=groups,
        places=places.astype(np.float32),
        intercepts=np.where(divides, rng.normal(0, 0.3, size.items), united).astype(np.float32),
        leans=leans.astype(np.float32),
        offsets=np.append(0, np.cumsum(votes)).astype(np.int32),
        voters=np.repeat(np.arange(size.voters, dtype=np.int32), votes),
        ways=np.column_stack([first, step]).astype(np.int32),
    )


def corners(shares: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return three points at distance 1 from the centre whose mean, weighted by `shares`, is the centre: [3, 2]."""
    a, b, c = shares
    angles = [0, np.arccos((c * c - a * a - b * b) / (2 * a * b)), -np.arccos((b * b - a * a - c * c) / (2 * a * c))]
    return np.column_stack([np.cos(angles), np.sin(angles)])


def in_time(population: Population, rng: np.random.Generator) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Return the cell of each row of the log, and whether the voter votes on the item again later.

    Every voter is equally likely to vote at any time. A re-vote takes the place of the first vote on another item.
    """
    cells = np.arange(population.voters.size, dtype=np.int32)
    rng.shuffle(cells)
    again = np.flatnonzero(rng.random(cells.size, np.float32) < REVOTES)
    voters = population.voters[cells[again]]
    first, end = population.offsets[voters], population.offsets[voters + 1]
    cells[again] = first + (rng.random(again.size) * (end - first)).astype(np.int32)
    is_repeated = np.zeros(cells.size, np.bool_)
    is_repeated[cells[again]] = True
    rows = np.flatnonzero(is_repeated[cells])
    _, newest = np.unique(cells[rows[::-1]], return_index=True)
    is_superseded = np.zeros(cells.size, np.bool_)
    is_superseded[rows] = True
    is_superseded[rows[::-1][newest]] = False
    return cells, is_superseded
