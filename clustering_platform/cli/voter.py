"""`clustering voter`: one voter of a snapshot, from its committed tables."""

from __future__ import annotations

import textwrap
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clustering_platform.datasets import Dataset, DatasetError
from clustering_platform.settings import Settings
from clustering_platform.store.commits import Commit, Commits
from clustering_platform.store.errors import StoreError
from clustering_platform.store.files import Files

if TYPE_CHECKING:
    import pyarrow as pa

_SHOWN = 5
_WIDTH = 100
_FARTHEST_ID = 3
_TABLES = (
    "vote_matrix",
    "voted_items",
    "voter_groups",
    "voter_measures",
    "groups",
    "voting_patterns",
    "item_statistics",
)


def print_voter(settings: Settings, dataset: Dataset, voter_id: str, out: Console, *, day: date | None = None) -> None:
    """Print place, group, similar voters, recommended and next items of a voter.

    Raises
    ------
    DatasetError
        The snapshot has no such voter; the message names the nearest ids.
    StoreError
        There is no snapshot up to that day, or it has no measures yet.
    """
    from clustering_platform.opinions.matrix import read_vote_matrix
    from clustering_platform.opinions.voters import find_voter, similar_voters

    snapshot, tables = _read(settings, dataset, day)
    matrix = read_vote_matrix(tables["vote_matrix"], tables["voted_items"])
    row = find_voter(matrix, voter_id)
    if row is None:
        raise DatasetError(_unknown(voter_id, dataset, snapshot, tables["voter_groups"]))
    stand = tables["voter_groups"].slice(row, 1).to_pylist()[0]
    out.print(Text.assemble("\n", (voter_id, "bold"), f" on {snapshot}: {stand['votes_cast']:,} votes"))
    _print_place(stand, tables, out)
    _print_similar(similar_voters(matrix, row, most=_SHOWN), out)
    texts = dict(zip(tables["items"]["item_id"].to_pylist(), tables["items"]["text"].to_pylist(), strict=True))
    _print_recommended(matrix, row, stand["group_id"], tables, texts, out)
    _print_next(matrix, row, tables, texts, dataset, out)


def _read(settings: Settings, dataset: Dataset, day: date | None) -> tuple[date, dict[str, pa.Table]]:
    """Return the day and the tables of the newest snapshot up to `day`, and the items that there were by then."""
    commits = Commits(Files(settings.warehouse))
    current = commits.current(dataset.name)
    snapshots = [commit for commit in current if commit.day and commit.day <= (day or date.max)]
    whole = next((commit for commit in current if commit.day is None), None)
    if not snapshots or whole is None:
        days = ", ".join(str(commit.day) for commit in current if commit.day) or "none"
        up_to = f" up to {day}" if day else ""
        raise StoreError(f"there is no snapshot of {dataset.name!r}{up_to} (published: {days}); make one with run")
    newest = snapshots[-1]
    tables = {name: _table(commits, newest, name) for name in _TABLES}
    if drift := commits.newest(dataset.name, None, scope="days"):
        tables["groups"] = _with_lasting_letters(tables["groups"], _table(commits, drift, "group_lineage"), newest.day)
    return newest.day or date.max, tables | {"items": _items(_table(commits, whole, "items"), newest.day or date.max)}


def _table(commits: Commits, commit: Commit, name: str) -> pa.Table:
    try:
        return commits.files.read(commits.committed_file(commit, name))
    except StoreError as error:
        again = f"clustering run {commit.dataset}" + (f" --day {commit.day}" if commit.day else "")
        raise StoreError(f"the snapshot of {commit.day} cannot be used: {error}; make it again: {again}") from error


def _with_lasting_letters(groups: pa.Table, group_lineage: pa.Table, day: date | None) -> pa.Table:
    """Return the groups of a day with the letters that they have in drift, as far as it knows the day."""
    import pyarrow.compute as pc

    of_day = group_lineage.filter(pc.equal(group_lineage["day"], day))
    lasting = of_day["letter"].take(pc.index_in(groups["group_id"], of_day["group_id"].combine_chunks()))
    column = groups.column_names.index("letter")
    return groups.set_column(column, "letter", pc.coalesce(lasting, groups["letter"]))


def _items(items: pa.Table, day: date) -> pa.Table:
    """Return the items that were there at the end of a day; those without a time always were."""
    import pyarrow as pa
    import pyarrow.compute as pc

    end = datetime.combine(day + timedelta(days=1), time(), UTC)
    was_there = pc.less(items["created_at"], pa.scalar(end, pa.timestamp("us", tz="UTC")))
    return items.filter(pc.fill_null(was_there, True))


def _unknown(voter_id: str, dataset: Dataset, snapshot: date, voter_groups: pa.Table) -> str:
    message = f"there is no voter {voter_id!r} in the snapshot of {snapshot}"
    if near := _nearest(voter_id, voter_groups):
        message += f"; did you mean {' or '.join(map(repr, near))}?"
    if dataset.config.privacy.voter_ids == "pseudonym":
        message += " (the ids of this dataset are pseudonyms of 32 hexadecimal digits, as in the table voter_groups)"
    return message


def _nearest(voter_id: str, voter_groups: pa.Table) -> list[str]:
    """Return at most three ids that few letters tell from `voter_id`."""
    import duckdb

    query = """
        SELECT voter_id FROM voter_groups WHERE damerau_levenshtein(voter_id, $id) <= $farthest
        ORDER BY damerau_levenshtein(voter_id, $id), voter_id LIMIT 3
    """
    with duckdb.connect() as connection:
        connection.register("voter_groups", voter_groups.select(["voter_id"]))
        farthest = min(_FARTHEST_ID, max(1, len(voter_id) // 2))
        return [row[0] for row in connection.execute(query, {"id": voter_id, "farthest": farthest}).fetchall()]


def _print_place(stand: dict[str, Any], tables: dict[str, pa.Table], out: Console) -> None:
    import pyarrow.compute as pc

    place = f"place ({stand['x']:.2f}, {stand['y']:.2f})"
    measures = tables["voter_measures"]
    measures = measures.filter(pc.equal(measures["voter_id"], stand["voter_id"]))
    if measures.num_rows == 0:
        out.print(f"  {place}, in no group: too few votes, or there are no groups", style="yellow")
        return
    found = measures.to_pylist()[0]
    groups = {group["group_id"]: group for group in tables["groups"].to_pylist()}
    own, other = groups[stand["group_id"]], groups.get(found["nearest_other_group"])
    out.print(f"  {place}, group {own['letter']} of {own['size']:,} voters, base cluster {stand['base_cluster_id']}")
    out.print(
        f"  distance to the centroid of the group {found['distance_to_group']:.2f}, of the base cluster "
        f"{found['distance_to_base_cluster']:.2f}, of all {found['distance_to_centre']:.2f}"
    )
    out.print(f"  how typical: {_share(found['representativeness'])} agreement with group {own['letter']}")
    if other:
        out.print(
            f"  nearest other: group {other['letter']} at {found['distance_to_nearest_other']:.2f}, "
            f"{_share(found['agreement_nearest_other'])} agreement, bridging {found['bridging']:.2f}"
        )


def _print_similar(similar: pa.Table, out: Console) -> None:
    out.print("\nVoters who vote alike", style="bold")
    if similar.num_rows == 0:
        out.print("  none voted on enough of the same items")
        return
    table = Table("voter", "agreement", "same", "shared items", box=None)
    for row in similar.to_pylist():
        table.add_row(row["voter_id"], _share(row["agreement"]), str(row["same"]), str(row["shared"]))
    out.print(table)


def _print_recommended(
    matrix: Any, row: int, group_id: int | None, tables: dict[str, pa.Table], texts: dict[str, str], out: Console
) -> None:
    from clustering_platform.opinions.patterns import read_group_counts
    from clustering_platform.opinions.voters import recommended_items

    out.print("\nNot yet voted on, and the group agrees on it", style="bold")
    ids, counts = read_group_counts(tables["voting_patterns"], tables["voted_items"])
    own = [] if group_id is None else counts[ids == group_id]
    found = recommended_items(matrix, row, own[0], most=_SHOWN).to_pylist() if len(own) else []
    for item in found:
        share = f"{'+' if item['side'] == 'agree' else '-'} {item['n_success'] / item['n_trials']:4.0%} {item['side']}"
        out.print(f"  {share}: {_text(item['item_id'], texts)}")
    if not found:
        out.print("  nothing")


def _print_next(
    matrix: Any, row: int, tables: dict[str, pa.Table], texts: dict[str, str], dataset: Dataset, out: Console
) -> None:
    from clustering_platform.opinions.voters import draw_items, next_items

    settings = dataset.config.opinions
    candidates = next_items(matrix, row, tables["item_statistics"], tables["items"], polis_parity=settings.polis_parity)
    out.print("\nTo be shown next, by probability", style="bold")
    for item in candidates.slice(0, _SHOWN).to_pylist():
        out.print(f"  {item['probability']:6.1%} {_text(item['item_id'], texts)}")
    for item in draw_items(candidates, seed=settings.seed).to_pylist():
        out.print(f"  drawn with seed {settings.seed}: {_text(item['item_id'], texts)}")
    if candidates.num_rows == 0:
        out.print("  nothing is left to vote on")


def _text(item_id: str, texts: dict[str, str]) -> str:
    return textwrap.shorten(texts.get(item_id) or f"item {item_id}", _WIDTH, placeholder=" …")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
