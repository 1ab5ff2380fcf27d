"""Vote logs for property tests."""

import numpy as np
from hypothesis import strategies as st

from clustering_platform_tests.opinions.measured import Measured

Log = list[tuple[str, str, int]]


def logs(*, voters: int = 8, items: int = 6, min_size: int = 1, max_size: int = 60) -> st.SearchStrategy[Log]:
    """Logs of (voter, item, vote) with re-votes."""
    vote = st.tuples(
        st.integers(0, voters - 1).map("v{}".format),
        st.integers(0, items - 1).map("i{}".format),
        st.sampled_from([-1, 0, 1]),
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
