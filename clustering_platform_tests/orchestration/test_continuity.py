"""What days take over from each other: nothing when cold, everything that Polis keeps when warm."""

import io
from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pytest
from rich.console import Console

from clustering_platform.cli.summary import print_summary
from clustering_platform.opinions import compute
from clustering_platform.orchestration.checks import violations
from clustering_platform.orchestration.partitions import Slice
from clustering_platform.orchestration.recipes import FORCE_TAG
from clustering_platform.orchestration.runs import faults_of
from clustering_platform.store.catalog import connect
from clustering_platform.tables import TABLES
from clustering_platform_tests.orchestration.platform import Platform

FIRST, SECOND, THIRD = (date(2026, 3, day) for day in (26, 27, 28))  # votes are cast on all of them


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """The earlier days whose best number was computed from votes."""
    days: list[date] = []
    original = compute.best_number_on

    def count(*tables: pa.Table, day: date, **options: object) -> object:
        days.append(day)
        return original(*tables, day=day, **options)

    monkeypatch.setattr("clustering_platform.opinions.compute.best_number_on", count)
    return days


def publish(platform: Platform, days: Sequence[date]) -> None:
    for day in days:
        assert platform.run("opinions", Slice("talk", day).key).success


def contents(platform: Platform) -> dict[tuple[date | None, str], str]:
    return {
        (commit.day, name): table.content
        for commit in platform.commits.current("talk")
        for name, table in commit.tables.items()
    }


def test_cold_days_are_the_same_in_whatever_order_they_are_made(
    with_topics: Platform, tmp_path_factory: pytest.TempPathFactory, computed: list[date]
) -> None:
    with with_topics.copied(tmp_path_factory.mktemp("other")) as other:
        publish(with_topics, [FIRST, SECOND, THIRD])
        upwards = [day.day for day in computed]
        computed.clear()
        publish(other, [THIRD, FIRST, SECOND])
        assert {key: content for key, content in contents(with_topics).items() if key[0]} == {
            key: content for key, content in contents(other).items() if key[0]
        }
    assert upwards == [25, 24, 23, 25, 24, 25], "days that are published are read from their commits"
    assert [day.day for day in computed] == [27, 26, 25, 25, 24, 23, 25, 24]


def stale(platform: Platform) -> dict[date, tuple[int | None, bool]]:
    """Return for each day the number of the commit that its newest commit goes on from, and whether it is stale."""
    question = """
        SELECT day, arg_max(coalesce(predecessor, 0), sequence), arg_max(is_stale, sequence) FROM commits
        WHERE day NOT NULL GROUP BY day
    """
    with connect(platform.settings.catalog) as catalog:
        return {day: (before or None, is_stale) for day, before, is_stale in catalog.execute(question).fetchall()}


def shown(platform: Platform, day: date) -> str:
    printed = io.StringIO()
    print_summary(platform.settings, "talk", Console(file=printed, width=200, markup=False), day=day)
    return printed.getvalue()


def test_warm_days_go_on_from_the_nearest_earlier_one_and_are_stale_when_it_changes(with_topics: Platform) -> None:
    (with_topics.dataset().folder / "dataset.yaml").write_text("opinions: {continuity: warm}")
    publish(with_topics, [SECOND, THIRD])
    assert stale(with_topics) == {SECOND: (None, False), THIRD: (2, False)}
    assert with_topics.log()[0].predecessor.fingerprint == with_topics.log()[1].fingerprint
    assert "has changed" not in shown(with_topics, THIRD)
    publish(with_topics, [THIRD])
    assert len(with_topics.log()) == 3, "nothing new, nothing published"
    publish(with_topics, [FIRST])
    assert stale(with_topics) == {FIRST: (None, False), SECOND: (None, True), THIRD: (2, True)}
    assert "in this order: `clustering run talk --day 2026-03-27`, `clustering run talk --day 2026-03-28`" in shown(
        with_topics, THIRD
    )
    publish(with_topics, [SECOND])
    assert stale(with_topics) == {FIRST: (None, False), SECOND: (4, False), THIRD: (2, True)}
    publish(with_topics, [THIRD])
    assert stale(with_topics) == {FIRST: (None, False), SECOND: (4, False), THIRD: (5, False)}
    earlier, later = (
        with_topics.commits.files.read(commit.tables["base_clusters"].path) for commit in with_topics.log()[1::-1]
    )
    kept = set(earlier["base_cluster_id"].to_pylist()) & set(later["base_cluster_id"].to_pylist())
    assert len(kept) > earlier.num_rows / 2
    (with_topics.settings.warehouse / with_topics.log()[1].tables["base_clusters"].path).unlink()
    failed = with_topics.run("opinions", Slice("talk", THIRD).key, tags={FORCE_TAG: "true"})
    assert "goes on from 2026-03-27, commit 5" in " ".join(map(str, faults_of(failed)))


def test_the_summary_shows_subgroups(published: Platform) -> None:
    with connect(published.settings.catalog) as catalog:
        subgroups = catalog.execute(
            "SELECT string_agg(letter || ' ' || size, ', ' ORDER BY subgroup_id) FROM subgroups WHERE parent_id = 0"
        ).fetchall()
    printed = shown(published, date(2026, 3, 31))
    assert f"subgroups {subgroups[0][0]}" in printed
    assert "divide this day best" not in printed


def test_a_key_may_hold_null_where_null_is_a_value() -> None:
    contract = TABLES["groupings"]
    row = {"groups": 2, "silhouette": 0.5, "is_best": True, "is_chosen": True, "best_in_a_row": None, "labels": [0, 1]}
    rows = [row | {"parent_id": parent} for parent in (None, 0, 1)]
    assert violations(pa.Table.from_pylist(rows, schema=contract.schema()), contract) == []
    (fault,) = violations(pa.Table.from_pylist([*rows, rows[0]], schema=contract.schema()), contract)
    assert fault == "1 rows repeat a key (parent_id, groups)"
