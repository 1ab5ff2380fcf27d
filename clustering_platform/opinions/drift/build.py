"""Drift as tables, from the published days of a dataset in calendar order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.opinions.drift.alignment import UNTURNED, turn_between
from clustering_platform.opinions.drift.days import Day
from clustering_platform.opinions.drift.lettering import Badge, Badges
from clustering_platform.opinions.drift.matching import NOWHERE, Transition, match_groups
from clustering_platform.opinions.drift.polarization import bimodality, divergence, separation
from clustering_platform.opinions.drift.shifts import build_shifts
from clustering_platform.opinions.patterns import NO_CLUSTER
from clustering_platform.opinions.statistics import Floats
from clustering_platform.tables import TABLES, conform

DRIFT_TABLES = ("drift_days", "group_lineage", "group_flows", "voter_moves", "opinion_shifts")


def build_drift(days: Iterable[Day]) -> tuple[pa.Table, ...]:
    """Return the tables of drift.

    Each day is compared with the nearest earlier one that has groups. Two days are held in memory at a time.

    Parameters
    ----------
    days
        In calendar order, each once.
    """
    drift = _Drift()
    for day in days:
        drift.add(day)
    return drift.tables()


@dataclass
class _Drift:
    """The tables while they grow, the last day with groups, and its letters and turn."""

    before: Day | None = None
    badges: Badges = field(default_factory=Badges)
    letters: list[Badge] = field(default_factory=list)
    turn: Floats = field(default_factory=UNTURNED.copy)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in DRIFT_TABLES[:3]})
    parts: dict[str, list[pa.Table]] = field(default_factory=lambda: {name: [] for name in DRIFT_TABLES[3:]})

    def add(self, day: Day) -> None:
        """Add a day."""
        if not day.group_ids.size:
            self.rows["drift_days"].append(_day_row(day, self.turn))
            return
        if self.before is None:
            self.letters = self.badges.begin(day.group_ids.size)
            self.rows["group_lineage"] += _first_groups(day, self.letters)
            self.rows["drift_days"].append(_day_row(day, self.turn))
        else:
            self._compare(self.before, day)
        self.before = day

    def tables(self) -> tuple[pa.Table, ...]:
        """Return what was added so far."""
        made = {name: pa.Table.from_pylist(rows, TABLES[name].schema()) for name, rows in self.rows.items()} | {
            name: pa.concat_tables([TABLES[name].empty(), *parts]) for name, parts in self.parts.items()
        }
        return tuple(conform(made[name], TABLES[name]) for name in DRIFT_TABLES)

    def _compare(self, before: Day, day: Day) -> None:
        here, there = day.voters_of(before)
        flows = _flows(before, day, here, there)
        transition = match_groups(flows[:-1, :-1])
        earlier, self.letters = self.letters, self.badges.go_on(transition)
        turn, similarity = turn_between(day.places[here], before.places[there] @ self.turn)
        self.turn = turn
        moves = _moves(before, day, here, there, earlier, self.letters)
        figures = {
            "compared_with": before.day,
            "voters_in_both": int(flows[:-1, :-1].sum()),
            "voters_moved": moves.num_rows,
            "map_similarity": similarity,
        }
        self.rows["drift_days"].append(_day_row(day, turn) | figures)
        self.rows["group_lineage"] += _lineage(before, day, transition, earlier, self.letters)
        self.rows["group_flows"] += _flow_rows(before, day, flows, earlier, self.letters)
        self.parts["voter_moves"].append(moves)
        self.parts["opinion_shifts"].append(build_shifts(before, day, transition, self.letters))


def _day_row(day: Day, turn: Floats) -> dict[str, Any]:
    """Return the row of `drift_days` of a day that is compared with none."""
    grouped = day.groups != NO_CLUSTER
    has_groups = bool(day.group_ids.size)
    return {
        "day": day.day,
        "compared_with": None,
        "status": day.status,
        "voters": len(day.voter_ids),
        "grouped_voters": int(grouped.sum()),
        "groups": day.group_ids.size,
        "voters_in_both": 0,
        "voters_moved": 0,
        "divergence": divergence(day.counts) if has_groups else None,
        "bimodality": bimodality(day.places[grouped, 0]),
        "separation": separation(day.places[grouped], day.groups[grouped]) if has_groups else None,
        "map_similarity": None,
        **{f"turn_{new}{old}": float(turn["xy".index(old), "xy".index(new)]) for new in "xy" for old in "xy"},
    }


def _flows(before: Day, day: Day, here: NDArray[np.int64], there: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count voters by group before and now, those in no group last: int64[groups before + 1, groups now + 1].

    Voters who are on one of the days only are in no group on the other.
    """
    n_before, n_now = before.group_ids.size, day.group_ids.size
    groups_before = np.full(len(day.voter_ids), NO_CLUSTER, np.int64)
    groups_before[here] = before.groups[there]
    is_here = np.zeros(len(before.voter_ids), dtype=bool)
    is_here[there] = True
    left = before.groups[~is_here]
    rows, columns = np.append(groups_before, left), np.append(day.groups, np.full(left.size, NO_CLUSTER))
    places = (rows % (n_before + 1)) * (n_now + 1) + columns % (n_now + 1)  # NO_CLUSTER is -1: the last row or column
    flows = np.bincount(places, minlength=(n_before + 1) * (n_now + 1)).reshape(n_before + 1, n_now + 1)
    flows[-1, -1] = 0
    return flows


def _moves(
    before: Day,
    day: Day,
    here: NDArray[np.int64],
    there: NDArray[np.int64],
    earlier: Sequence[Badge],
    later: Sequence[Badge],
) -> pa.Table:
    """Return the rows of `voter_moves` of a day, in the order of its voters."""
    in_both = (day.groups[here] != NO_CLUSTER) & (before.groups[there] != NO_CLUSTER)
    here, there = here[in_both], there[in_both]
    letters = np.array([badge.letter for badge in later], dtype=object)[day.groups[here]]
    letters_before = np.array([badge.letter for badge in earlier], dtype=object)[before.groups[there]]
    moved = np.flatnonzero(letters != letters_before)
    table = {
        "day": pa.repeat(pa.scalar(day.day), moved.size),
        "compared_with": pa.repeat(pa.scalar(before.day), moved.size),
        "voter_id": day.voter_ids.take(pa.array(here[moved])),
        "from_letter": pa.array(letters_before[moved], pa.string()),
        "to_letter": pa.array(letters[moved], pa.string()),
    }
    return conform(pa.table(table), TABLES["voter_moves"])


def _first_groups(day: Day, badges: Sequence[Badge]) -> list[dict[str, Any]]:
    return [
        _group_row(day, place, badge) | {"change": "first", "compared_with": None, "from_letters": []}
        for place, badge in enumerate(badges)
    ]


def _group_row(day: Day, place: int, badge: Badge) -> dict[str, Any]:
    size = int(day.sizes[place])
    return {
        "day": day.day,
        "letter": badge.letter,
        "colour": badge.colour,
        "group_id": int(day.group_ids[place]),
        "into_letter": None,
        "size": size,
        "share": size / int(day.sizes.sum()),
    }


def _lineage(
    before: Day, day: Day, transition: Transition, earlier: Sequence[Badge], later: Sequence[Badge]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of `group_lineage` of a day: its groups, then those that are gone."""
    for place, badge in enumerate(later):
        yield _group_row(day, place, badge) | {
            "change": transition.changes[place],
            "compared_with": before.day,
            "from_letters": sorted(earlier[source].letter for source in transition.sources[place]),
        }
    for place in transition.gone.tolist():
        target = transition.targets[place]
        yield {
            "day": day.day,
            "letter": earlier[place].letter,
            "colour": earlier[place].colour,
            "group_id": None,
            "change": "gone",
            "compared_with": before.day,
            "from_letters": [earlier[place].letter],
            "into_letter": None if target == NOWHERE else later[target].letter,
            "size": 0,
            "share": 0.0,
        }


def _flow_rows(
    before: Day, day: Day, flows: NDArray[np.int64], earlier: Sequence[Badge], later: Sequence[Badge]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of `group_flows` of a day."""
    names_before = [*(badge.letter for badge in earlier), None]
    names = [*(badge.letter for badge in later), None]
    for place_before, place in zip(*np.nonzero(flows), strict=True):
        yield {
            "day": day.day,
            "compared_with": before.day,
            "from_letter": names_before[place_before],
            "to_letter": names[place],
            "voters": int(flows[place_before, place]),
        }
