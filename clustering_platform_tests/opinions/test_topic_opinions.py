"""How groups vote on topics, which topics divide them and which unite them."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.dataset_config import OpinionsConfig
from clustering_platform.opinions.compute import compute_opinions
from clustering_platform.opinions.topic_opinions import build_topic_opinions
from clustering_platform.tables import TABLES
from clustering_platform_tests.opinions.tables import DAY, faults, one_vote_each

Votes = tuple[int, int, int]
"""How many agreed, passed and disagreed."""


def day_tables(items: Mapping[str, Sequence[Votes]], *, moderated_out: Sequence[str] = ()) -> tuple[pa.Table, pa.Table]:
    """Return `voting_patterns` and `voted_items` as far as they are read, from the votes of groups on each item."""
    groups = len(next(iter(items.values()), ()))
    rows = [
        {"level": "group", "cluster_id": group, "item_id": item, "agree": a, "pass": p, "disagree": d}
        for group in range(groups)
        for item, votes in items.items()
        for a, p, d in [votes[group]]
    ]
    schema = pa.schema(
        [("level", pa.string()), ("cluster_id", pa.int32()), ("item_id", pa.string())]
        + [(name, pa.int32()) for name in ("agree", "pass", "disagree")]
    )
    voted = {
        "item_id": pa.array(list(items), pa.string()),
        "is_moderated_out": [item in moderated_out for item in items],
    }
    return pa.Table.from_pylist(rows, schema), pa.table(
        voted | ({} if items else {"is_moderated_out": pa.array([], pa.bool_())})
    )


def paths(items: Mapping[str, str]) -> pa.Table:
    """Return `item_topics` as far as it is read, from the path of each item below the root, as ``a/b``."""
    found = []
    for leaf in items.values():
        parts = leaf.split("/") if leaf else []
        found.append(["root", *("/".join(parts[: end + 1]) for end in range(len(parts)))])
    return pa.table({"item_id": pa.array(list(items), pa.string()), "path": pa.array(found, pa.list_(pa.string()))})


ITEMS = {
    "i0": [(8, 0, 0), (0, 0, 8)],
    "i1": [(0, 0, 8), (8, 0, 0)],
    "i2": [(6, 1, 1), (1, 1, 6)],
    "i3": [(8, 0, 0), (6, 0, 2)],
    "i4": [(0, 2, 6), (0, 0, 8)],
    "i5": [(8, 0, 0), (8, 0, 0)],
}
TOPICS = {"i0": "traffic", "i1": "traffic", "i2": "traffic/bikes", "i3": "parks", "i4": "parks", "i5": "parks"}


def build(
    items: Mapping[str, Sequence[Votes]], topics: Mapping[str, str], **options: Sequence[str]
) -> list[dict[str, dict[str, object]]]:
    opinions, divisions = build_topic_opinions(*day_tables(items, **options), paths(topics))
    assert faults(opinions, TABLES["topic_opinions"]) == faults(divisions, TABLES["topic_divisions"]) == []
    return [
        {f"{row['topic_id']} {row['group_id']}": row for row in opinions.to_pylist()},
        {str(row["topic_id"]): row for row in divisions.to_pylist()},
    ]


def test_votes_of_each_group_are_added_up_over_the_items_of_a_topic_and_below() -> None:
    opinions, _ = build(ITEMS, TOPICS)
    row = opinions["traffic 0"]
    assert [row[name] for name in ("depth", "items", "agree", "pass", "disagree", "seen")] == [1, 3, 14, 1, 9, 24]
    assert (row["agree_share"], row["disagree_share"]) == (15 / 26, 10 / 26)
    assert opinions["traffic/bikes 1"]["disagree"] == 6
    assert opinions["root 0"]["seen"] == 48


def test_a_topic_divides_by_the_mean_difference_of_the_groups_on_its_items() -> None:
    _, divisions = build(ITEMS, TOPICS)
    traffic, parks = divisions["traffic"], divisions["parks"]
    assert traffic["divisiveness"] == pytest.approx((0.8 + 0.8 + 0.5) / 3)
    assert parks["divisiveness"] == pytest.approx((0.2 + 0 + 0) / 3)
    assert traffic["unity"] == pytest.approx((0.1 + 0.1 + 0.2) / 3)
    assert parks["unity"] == pytest.approx((0.7 + 0.7 + 0.9) / 3)
    assert (traffic["consensus"], parks["consensus"]) == (0, 1)
    assert (traffic["divides_rank"], parks["divides_rank"]) == (1, 2)
    assert (traffic["unites_rank"], parks["unites_rank"]) == (2, 1)
    assert (traffic["most_dividing_item_id"], parks["most_uniting_item_id"]) == ("i0", "i5")


def test_topics_of_one_or_two_items_have_no_rank() -> None:
    _, divisions = build(ITEMS, TOPICS)
    assert divisions["traffic/bikes"]["divides_rank"] is divisions["traffic/bikes"]["unites_rank"] is None
    assert divisions["traffic/bikes"]["divisiveness"] == pytest.approx(0.5)


def test_agreeing_to_disagree_unites() -> None:
    _, divisions = build({"i0": [(0, 0, 18), (0, 0, 8)]}, {"i0": "a"})
    assert (divisions["a"]["unity"], divisions["a"]["consensus"]) == (pytest.approx(0.9), 1)


def test_a_group_that_did_not_vote_on_an_item_is_left_out_there() -> None:
    items = {"i0": [(8, 0, 0), (0, 0, 0), (8, 0, 0)], "i1": [(8, 0, 0), (0, 0, 0), (0, 0, 0)]}
    opinions, divisions = build(items, {"i0": "a", "i1": "a"})
    assert (opinions["a 1"]["items"], opinions["a 1"]["agree_share"]) == (0, None)
    assert (divisions["a"]["items"], divisions["a"]["compared_items"]) == (2, 1)
    assert (divisions["a"]["divisiveness"], divisions["a"]["consensus"]) == (0, 1)
    assert divisions["a"]["most_dividing_item_id"] == "i0"


def test_items_that_are_moderated_out_do_not_count() -> None:
    _, divisions = build(ITEMS, TOPICS, moderated_out=["i0", "i1"])
    assert divisions["traffic"]["items"] == 1
    assert divisions["traffic"]["most_dividing_item_id"] == "i2"


def test_items_without_a_topic_and_topics_without_votes_are_left_out() -> None:
    _, divisions = build({"i0": ITEMS["i0"], "i1": [(0, 0, 0), (0, 0, 0)]}, {"i1": "b", "i9": "a"})
    assert divisions == {}
    _, divisions = build(ITEMS, {"i0": "a", "i9": "b"})
    assert set(divisions) == {"root", "a"}


def test_without_topics_or_groups_the_tables_are_empty() -> None:
    voting, voted = day_tables(ITEMS)
    for given_tables in ((voting, voted, None), (voting.slice(0, 0), voted, paths(TOPICS)), (voting, voted, paths({}))):
        assert [table.num_rows for table in build_topic_opinions(*given_tables)] == [0, 0]


def test_a_whole_day_has_its_topics() -> None:
    rows = [[1, -1, 1, 1]] * 20 + [[-1, 1, 1, 1]] * 20
    tables = compute_opinions(
        *one_vote_each(rows),
        day=DAY,
        config=OpinionsConfig(min_voters=2, min_votes=1, resamples=2),
        item_topics=paths({"i0": "a", "i1": "a", "i2": "b", "i3": "b"}),
    )
    found = {row["topic_id"]: row["divisiveness"] for row in tables["topic_divisions"].to_pylist()}
    assert found["a"] == pytest.approx(20 / 22)
    assert found["b"] == 0


votes = st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 4))


@given(
    st.integers(1, 4).flatmap(
        lambda groups: st.dictionaries(
            st.sampled_from([f"i{item}" for item in range(8)]), st.lists(votes, min_size=groups, max_size=groups)
        )
    ),
    st.dictionaries(
        st.sampled_from([f"i{item}" for item in range(8)]), st.sampled_from(["", "a", "b", "a/x", "a/y", "b/z"])
    ),
)
def test_any_votes_keep_the_contract_and_add_up(items: dict[str, list[Votes]], topics: dict[str, str]) -> None:
    opinions, divisions = build(items, topics)
    for name, row in divisions.items():
        inside = [
            item
            for item, leaf in topics.items()
            if item in items and (name == "root" or f"{leaf}/".startswith(f"{name}/"))
        ]
        assert row["seen"] == sum(sum(map(sum, items[item])) for item in inside)
        assert row["items"] == sum(any(map(sum, items[item])) for item in inside)
        of_groups = [opinion for key, opinion in opinions.items() if key.startswith(f"{name} ")]
        assert sum(opinion["agree"] for opinion in of_groups) == row["agree"]  # type: ignore[misc]
        shares = [opinion["agree_share"] for opinion in of_groups if opinion["agree_share"] is not None]
        assert len(shares) == sum(opinion["seen"] > 0 for opinion in of_groups)  # type: ignore[operator]


def test_ten_thousand_items_and_five_groups_take_less_than_a_second() -> None:
    rng, n_items, n_groups = np.random.default_rng(0), 10_000, 5
    item_ids = np.array([f"i{item}" for item in range(n_items)])
    counts = rng.integers(0, 50, (3, n_groups * n_items))
    voting = pa.table(
        {
            "level": pa.repeat("group", n_groups * n_items),
            "cluster_id": np.repeat(np.arange(n_groups, dtype=np.int32), n_items),
            "item_id": np.tile(item_ids, n_groups),
            **dict(zip(("agree", "pass", "disagree"), counts.astype(np.int32), strict=True)),
        }
    )
    voted = pa.table({"item_id": item_ids, "is_moderated_out": np.zeros(n_items, np.bool_)})
    topics = paths(
        {item: f"{place % 20}/{place % 200}/{place % 1_000}" for place, item in enumerate(item_ids.tolist())}
    )
    started = time.process_time()
    opinions, divisions = build_topic_opinions(voting, voted, topics)
    assert time.process_time() - started < 1
    assert (opinions.num_rows, divisions.num_rows) == (5 * 1_221, 1_221)
