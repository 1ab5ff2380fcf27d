"""Vote logs for property tests."""

import numpy as np
from hypothesis import strategies as st

from clustering_platform_tests.opinions.measured import Measured

Log = list[tuple[str, str, int]]
VOTES = st.sampled_from([-1, 0, 1])


def logs(*, voters: int = 8, items: int = 6, min_size: int = 1, max_size: int = 60) -> st.SearchStrategy[Log]:
    """Logs of (voter, item, vote) with re-votes."""
    vote = st.tuples(
        st.integers(0, voters - 1).map("v{}".format),
        st.integers(0, items - 1).map("i{}".format),
        VOTES,
    )
    return st.lists(vote, min_size=min_size, max_size=max_size)


@st.composite
def grouped_voters(draw: st.DrawFn, *, groups: int = 3) -> Measured:
    """Voters with random votes and places, in random groups of which each has a voter; some are in none."""
    n_voters, n_items = draw(st.integers(groups, 14)), draw(st.integers(1, 5))
    cells = st.lists(st.sampled_from([None, -1, 0, 1]), min_size=n_items, max_size=n_items)
    rows = draw(st.lists(cells, min_size=n_voters, max_size=n_voters))
    for row in rows:
        if not any(vote is not None for vote in row):
            row[0] = 1
    places = np.random.default_rng(draw(st.integers(0, 1000))).normal(size=(n_voters, 2))
    others = st.lists(st.sampled_from([None, *range(groups)]), min_size=n_voters - groups, max_size=n_voters - groups)
    members = [*range(groups), *draw(others)]
    return Measured(rows, [(float(x), float(y)) for x, y in places], members)


@st.composite
def camps(draw: st.DrawFn, *, largest: int = 6, items: int = 6) -> Log:
    """Logs of a few camps of voters who voted alike within their camp, each with gaps, in any order."""
    opinions = draw(st.lists(st.lists(st.none() | VOTES, min_size=items, max_size=items), min_size=1, max_size=4))
    sizes = draw(st.lists(st.integers(1, largest), min_size=len(opinions), max_size=len(opinions)))
    log = [
        (f"v{camp}-{member}", f"i{item}", vote)
        for camp, size in enumerate(sizes)
        for member in range(size)
        for item, vote in enumerate(opinions[camp])
        if vote is not None
    ]
    return draw(st.permutations(log))


@st.composite
def rank_one_logs(draw: st.DrawFn, *, voters: int = 12, items: int = 6) -> Log:
    """Logs in which every voter votes on everything, along one line: for it, against it, or indifferent to it."""
    sides = draw(st.lists(VOTES, min_size=1, max_size=voters))
    leanings = draw(st.lists(VOTES, min_size=1, max_size=items))
    return [
        (f"v{voter}", f"i{item}", side * leaning)
        for voter, side in enumerate(sides)
        for item, leaning in enumerate(leanings)
    ]


@st.composite
def crowds(draw: st.DrawFn, *, groups: int = 3, voters: int = 36, items: int = 10) -> Log:
    """Logs of more voters, each mostly of the opinions of one of a few groups: enough for more than two groups."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    opinions = rng.choice([-1, 0, 1], (groups, items), p=[0.45, 0.1, 0.45])
    rows = opinions[rng.integers(0, groups, voters)]
    rows = np.where(rng.random(rows.shape) < 0.1, rng.integers(-1, 2, rows.shape), rows)
    cells = rng.permutation(np.argwhere(rng.random(rows.shape) < 0.8))
    return [(f"v{voter}", f"i{item}", int(rows[voter, item])) for voter, item in cells]
