"""What groups are called by what they stand for."""

import pyarrow as pa

from clustering_platform.opinions.group_names import build_group_names
from clustering_platform.tables import TABLES

TEXTS = {"s1": "More night buses on weekends, please!", "s2": "Close the old town for cars", "s3": None}


def groups(*sizes: int) -> pa.Table:
    rows = [
        {"group_id": number, "letter": "ABC"[number], "size": size, "share": size / sum(sizes)}
        for number, size in enumerate(sizes)
    ]
    return pa.Table.from_pylist(rows)


def stands_for(*rows: tuple[int, int, str, str]) -> pa.Table:
    names = ("group_id", "rank", "item_id", "side")
    votes = {"n_success": 9, "n_trials": 10}
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) | votes for row in rows])


def test_a_group_is_named_for_or_against_what_it_stands_for_most() -> None:
    items = stands_for((0, 2, "s2", "disagree"), (0, 1, "s1", "agree"), (1, 1, "s2", "agree"))
    table = build_group_names(groups(30, 10), items, TEXTS)
    assert table.schema.equals(TABLES["group_names"].schema())
    first, second = table.to_pylist()
    assert first["name"] == "For \u201cMore night buses on weekends\u2026\u201d"
    assert first["summary"] == (
        "30 voters, 75% of those in groups. More than others they agree that \u201cMore night buses on weekends, "
        "please!\u201d (9 of 10). More than others they disagree that \u201cClose the old town for cars\u201d "
        "(9 of 10)."
    )
    assert first["evidence_ids"] == ["s1", "s2"]
    assert second["name"] == "For \u201cClose the old town for\u2026\u201d"


def test_two_groups_are_not_named_after_the_same_item_and_one_without_any_by_its_letter() -> None:
    items = stands_for((0, 1, "s1", "agree"), (1, 1, "s1", "disagree"), (1, 2, "s3", "agree"))
    names = [row["name"] for row in build_group_names(groups(5, 5, 5), items, TEXTS).to_pylist()]
    assert names[1:] == ["For \u201citem s3\u201d", "Group C"]
    assert len(set(names)) == 3
