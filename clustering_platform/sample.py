"""The sample dataset: a generated conversation about the plans of a fictional town.

Here belongs what makes the sample: how its residents are drawn, when they come and how they vote. The statements and
each planted group's leanings stand in ``sample_statements.csv``; reading, checking and clustering a dataset belong
elsewhere and treat the sample like any other input.

``python -m clustering_platform.sample FOLDER`` writes the files again, byte for byte.
"""

import csv
import io
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

DATASET = "town-plans"
GROUP_SIZES = {"quiet": 290, "green": 190, "lively": 120}
ITEM_COLUMNS = ("id", "text", "created_at", "author_id", "theme")
VOTE_COLUMNS = ("voter_id", "item_id", "vote", "voted_at", "voter_type")
GROUP_COLUMNS = ("voter_id", "planted_group")
DATASET_YAML = """\
title: Plans for our town
description: >-
  A generated conversation: 600 residents of a town that does not exist vote on 60 statements about its plans,
  in October 2026. Three groups of unequal size are planted; planted_groups.csv, beside this folder, names them.
privacy:
  voter_ids: plain      # generated people, so nothing to protect
"""

OPENING = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 30
DAY = 24 * 60 * 60
ARRIVAL_DAYS = 14
OPENING_STATEMENTS = 32
OPENING_AUTHOR = "town-hall"

DAY_WEIGHTS = (20, 17, 15, 14, 9, 8, 7, 6, 6, 9, 10, 6, 5, 5, 5, 5, 7, 8, 5, 4, 4, 4, 4, 6, 7, 4, 4, 5, 6, 8)
# Nobody starts after 22:59, so that even the longest sitting ends on the day it began.
HOUR_WEIGHTS = (1, 0, 0, 0, 0, 0, 2, 4, 5, 4, 4, 4, 6, 6, 4, 4, 5, 8, 11, 14, 15, 13, 8)
SITTINGS_WEIGHTS = (5, 3, 2)
SECONDS_PER_VOTE = (4, 30)

SESSION_SHARE = 0.25
EARLY_LEAVERS = 0.04
TYPICAL_VOTES = 35
VOTES_SPREAD = 0.65
LARGEST_DOUBT = 0.15
REVOTE_SHARE = 0.02
CHANGED_SHARE = 0.4
WORDS = ("agree", "pass", "disagree")

Row = tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """The rows of the sample's files, each in the order of its ``*_COLUMNS``."""

    items: tuple[Row, ...]
    votes: tuple[Row, ...]
    planted_groups: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Statement:
    id: str
    theme: str
    text: str
    agreeing: dict[str, float]
    unsure: float


@dataclass(frozen=True)
class _Voter:
    id: str
    type: str
    group: str
    wanted_votes: int
    sittings: list[int]
    doubt: float
    hesitation: float


@dataclass(frozen=True)
class _Vote:
    seconds: int
    voter: _Voter
    item_id: str
    word: str


class _Dice:
    """Draws that are the same on every platform: each uses uniform numbers of PCG64 and nothing else of numpy."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def share(self) -> float:
        """Return a number from 0 up to 1."""
        return float(self._generator.random())

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self.share() * (high - low + 1))

    def index(self, weights: Sequence[int]) -> int:
        """Return an index drawn in proportion to `weights`."""
        return int(np.searchsorted(np.cumsum(weights), self.share() * sum(weights), side="right"))

    def order(self, size: int) -> NDArray[np.intp]:
        """Return the numbers below `size` in random order."""
        return np.argsort(self._generator.random(size), kind="stable")


def generate(seed: int = 2026) -> Sample:
    """Return the sample conversation; the same `seed` gives the same rows on every platform."""
    dice = _Dice(seed)
    statements = _read_statements()
    voters = _draw_voters(dice)
    origins = _draw_origins(dice, statements, voters)
    created = {item_id: seconds for item_id, (seconds, _) in origins.items()}
    votes = [vote for voter in voters for vote in _draw_votes(dice, voter, statements, created)]
    votes += _draw_revotes(dice, votes)
    votes.sort(key=lambda vote: vote.seconds)
    return Sample(
        items=tuple((s.id, s.text, _timestamp(origins[s.id][0]), origins[s.id][1], s.theme) for s in statements),
        votes=tuple((v.voter.id, v.item_id, v.word, _timestamp(v.seconds), v.voter.type) for v in votes),
        planted_groups=tuple((voter.id, voter.group) for voter in voters),
    )


def write_sample(folder: Path, seed: int = 2026) -> None:
    """Write the dataset folder ``town-plans`` and, beside it, ``planted_groups.csv`` into `folder`."""
    sample = generate(seed)
    dataset = folder / DATASET
    dataset.mkdir(parents=True, exist_ok=True)
    (dataset / "dataset.yaml").write_text(DATASET_YAML, encoding="utf-8", newline="\n")
    _write_csv(dataset / "items.csv", ITEM_COLUMNS, sample.items)
    _write_csv(dataset / "votes.csv", VOTE_COLUMNS, sample.votes)
    _write_csv(folder / "planted_groups.csv", GROUP_COLUMNS, sample.planted_groups)


def _write_csv(path: Path, columns: Row, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _read_statements() -> list[_Statement]:
    """Read the statements; their leanings are percentages of a group that agree, `unsure` of all who pass."""
    table = (resources.files("clustering_platform") / "sample_statements.csv").read_text(encoding="utf-8")
    return [
        _Statement(
            id=row["id"],
            theme=row["theme"],
            text=row["text"],
            agreeing={group: int(row[group]) / 100 for group in GROUP_SIZES},
            unsure=int(row["unsure"]) / 100,
        )
        for row in csv.DictReader(io.StringIO(table, newline=""))
    ]


def _draw_voters(dice: _Dice) -> list[_Voter]:
    groups = [group for group, size in GROUP_SIZES.items() for _ in range(size)]
    return [_draw_voter(dice, number, groups[place]) for number, place in enumerate(dice.order(len(groups)), start=1)]


def _draw_voter(dice: _Dice, number: int, group: str) -> _Voter:
    session = dice.share() < SESSION_SHARE
    sittings = 1 if session else 1 + dice.index(SITTINGS_WEIGHTS)
    return _Voter(
        id=f"resident-{number:04d}",
        type="session" if session else "user",
        group=group,
        wanted_votes=dice.whole(1, 6) if dice.share() < EARLY_LEAVERS else _draw_wanted_votes(dice),
        sittings=sorted(_draw_moment(dice) for _ in range(sittings)),
        doubt=LARGEST_DOUBT * dice.share() ** 2,
        hesitation=3 * dice.share() ** 2,
    )


def _draw_wanted_votes(dice: _Dice) -> int:
    # Log-normal; rounding swallows the last digits, in which platforms differ.
    return max(1, round(TYPICAL_VOTES * math.exp(VOTES_SPREAD * NormalDist().inv_cdf(dice.share()))))


def _draw_moment(dice: _Dice) -> int:
    """Return a moment at which somebody starts to vote, in seconds since the opening."""
    return dice.index(DAY_WEIGHTS) * DAY + dice.index(HOUR_WEIGHTS) * 60 * 60 + dice.whole(0, 60 * 60 - 1)


def _draw_origins(dice: _Dice, statements: list[_Statement], voters: list[_Voter]) -> dict[str, tuple[int, str]]:
    """Return when each statement came (seconds since the opening) and its author, by statement id.

    Some are there from the opening. Every other one is written by a voter of the group that likes it best, who comes
    to the conversation within its first two weeks; nobody writes two.
    """
    shuffled = [statements[place] for place in dice.order(len(statements))]
    origins = {statement.id: (0, OPENING_AUTHOR) for statement in shuffled[:OPENING_STATEMENTS]}
    authors = [voter for voter in voters if voter.sittings[0] < ARRIVAL_DAYS * DAY]
    for statement in shuffled[OPENING_STATEMENTS:]:
        group = max(statement.agreeing, key=statement.agreeing.__getitem__)
        fitting = [author for author in authors if author.group == group]
        author = fitting[dice.whole(0, len(fitting) - 1)]
        authors.remove(author)
        origins[statement.id] = (author.sittings[0], author.id)
    return origins


def _draw_votes(dice: _Dice, voter: _Voter, statements: list[_Statement], created: dict[str, int]) -> list[_Vote]:
    """Return one voter's first votes: at each sitting a random choice of the statements there and not yet seen."""
    votes: list[_Vote] = []
    unseen = [statements[place] for place in dice.order(len(statements))]
    for done, start in enumerate(voter.sittings):
        share = math.ceil((voter.wanted_votes - len(votes)) / (len(voter.sittings) - done))
        shown = [statement for statement in unseen if created[statement.id] <= start][:share]
        unseen = [statement for statement in unseen if statement not in shown]
        seconds = start
        for statement in shown:
            seconds += dice.whole(*SECONDS_PER_VOTE)
            votes.append(_Vote(seconds, voter, statement.id, _draw_word(dice, voter, statement)))
    return votes


def _draw_word(dice: _Dice, voter: _Voter, statement: _Statement) -> str:
    """Return a vote; doubt pulls a voter from the leaning of the own group towards the mean of all groups."""
    if dice.share() < statement.unsure * voter.hesitation:
        return "pass"
    everyone = sum(statement.agreeing.values()) / len(statement.agreeing)
    agreeing = statement.agreeing[voter.group]
    return "agree" if dice.share() < agreeing + voter.doubt * (everyone - agreeing) else "disagree"


def _draw_revotes(dice: _Dice, votes: list[_Vote]) -> list[_Vote]:
    """Return second votes on the same statement, minutes to days after the first, some of them changed."""
    revotes = []
    for vote in votes:
        if dice.share() >= REVOTE_SHARE:
            continue
        days = dice.whole(0, min(9, DAYS - 1 - vote.seconds // DAY))
        others = [word for word in WORDS if word != vote.word]
        word = others[dice.whole(0, 1)] if dice.share() < CHANGED_SHARE else vote.word
        revotes.append(_Vote(vote.seconds + days * DAY + dice.whole(60, 600), vote.voter, vote.item_id, word))
    return revotes


def _timestamp(seconds: int) -> str:
    return (OPENING + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m clustering_platform.sample FOLDER")
    write_sample(Path(sys.argv[1]))
