"""Vote logs for property tests."""

from hypothesis import strategies as st

Log = list[tuple[str, str, int]]


def logs(*, voters: int = 8, items: int = 6, min_size: int = 1, max_size: int = 60) -> st.SearchStrategy[Log]:
    """Logs of (voter, item, vote) with re-votes."""
    vote = st.tuples(
        st.integers(0, voters - 1).map("v{}".format),
        st.integers(0, items - 1).map("i{}".format),
        st.sampled_from([-1, 0, 1]),
    )
    return st.lists(vote, min_size=min_size, max_size=max_size)
