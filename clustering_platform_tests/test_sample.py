"""The sample dataset: it is what the generator writes, and it holds what it promises."""

import csv
import re
import runpy
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from clustering_platform import sample
from clustering_platform.datasets import read_config

COMMITTED = Path(__file__).parents[1] / "data" / "sample"
FILES = ["planted_groups.csv", "town-plans/dataset.yaml", "town-plans/items.csv", "town-plans/votes.csv"]


@pytest.fixture(scope="module")
def generated() -> sample.Sample:
    return sample.generate()


@pytest.fixture(scope="module")
def votes(generated: sample.Sample) -> list[dict[str, str]]:
    return [dict(zip(sample.VOTE_COLUMNS, row, strict=True)) for row in generated.votes]


@pytest.fixture(scope="module")
def items(generated: sample.Sample) -> list[dict[str, str]]:
    return [dict(zip(sample.ITEM_COLUMNS, row, strict=True)) for row in generated.items]


def test_writing_it_again_gives_the_committed_bytes(tmp_path: Path) -> None:
    sample.write_sample(tmp_path)
    written = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert written == FILES
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (COMMITTED / name).read_bytes(), name


def test_the_module_writes_it_into_the_folder_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["sample", str(tmp_path)])
    monkeypatch.delitem(sys.modules, "clustering_platform.sample")
    runpy.run_module("clustering_platform.sample", run_name="__main__")
    assert (tmp_path / "town-plans" / "votes.csv").is_file()


def test_another_seed_gives_other_votes_on_the_same_statements(generated: sample.Sample) -> None:
    other = sample.generate(seed=1)
    assert other.votes != generated.votes
    assert [row[1] for row in other.items] == [row[1] for row in generated.items]


def test_csv_files_read_back_as_the_rows_generated(generated: sample.Sample) -> None:
    for name, columns, rows in [
        ("town-plans/items.csv", sample.ITEM_COLUMNS, generated.items),
        ("town-plans/votes.csv", sample.VOTE_COLUMNS, generated.votes),
        ("planted_groups.csv", sample.GROUP_COLUMNS, generated.planted_groups),
    ]:
        with (COMMITTED / name).open(encoding="utf-8", newline="") as file:
            assert [tuple(row) for row in csv.reader(file, strict=True)] == [columns, *rows]
        assert b"\r" not in (COMMITTED / name).read_bytes()


def test_its_settings_are_valid_and_keep_the_ids_of_people_who_do_not_exist() -> None:
    config = read_config(COMMITTED / "town-plans" / "dataset.yaml")
    assert config.title
    assert config.privacy.voter_ids == "plain"


def test_three_groups_of_unequal_size_are_planted(generated: sample.Sample) -> None:
    groups = dict(generated.planted_groups)
    assert len(groups) == 600
    assert Counter(groups.values()) == {"quiet": 290, "green": 190, "lively": 120}


def test_statements_are_unique_and_fall_into_eight_themes(items: list[dict[str, str]]) -> None:
    assert len({item["id"] for item in items}) == len({item["text"] for item in items}) == 60
    assert sorted(Counter(item["theme"] for item in items).values()) == [7, 7, 7, 7, 8, 8, 8, 8]
    assert all(6 <= len(item["text"].split()) <= 30 for item in items)


@pytest.mark.parametrize("mark", [",", '"', "\n", "é"])
def test_statements_exercise_csv_quoting_and_encoding(items: list[dict[str, str]], mark: str) -> None:
    assert any(mark in item["text"] for item in items)


def test_votes_are_well_formed_and_in_order_of_time(votes: list[dict[str, str]], generated: sample.Sample) -> None:
    assert {vote["vote"] for vote in votes} == {"agree", "pass", "disagree"}
    assert {vote["voter_type"] for vote in votes} == {"user", "session"}
    assert {vote["voter_id"] for vote in votes} == {voter_id for voter_id, _ in generated.planted_groups}
    times = [vote["voted_at"] for vote in votes]
    assert all(re.fullmatch(r"2026-10-\d\dT\d\d:\d\d:\d\dZ", time) for time in times)
    assert times == sorted(times)


def test_votes_fall_on_each_of_thirty_days(votes: list[dict[str, str]]) -> None:
    days = {vote["voted_at"][:10] for vote in votes}
    assert days == {(date(2026, 10, 1) + timedelta(days=n)).isoformat() for n in range(30)}


def test_statements_arrive_in_the_first_two_weeks_and_before_their_votes(
    items: list[dict[str, str]], votes: list[dict[str, str]]
) -> None:
    created = {item["id"]: item["created_at"] for item in items}
    assert "2026-10-13" < max(created.values()) < "2026-10-15"
    assert all(created[vote["item_id"]] < vote["voted_at"] for vote in votes)


def test_participation_is_uneven(votes: list[dict[str, str]]) -> None:
    pairs = {(vote["voter_id"], vote["item_id"]) for vote in votes}
    per_voter = Counter(voter_id for voter_id, _ in pairs)
    assert 18_000 <= len(votes) <= 22_000
    assert min(per_voter.values()) == 1
    assert max(per_voter.values()) == 60
    assert 30 <= np.median(list(per_voter.values())) <= 40


def test_about_two_in_a_hundred_votes_are_cast_again_and_some_are_changed(votes: list[dict[str, str]]) -> None:
    casts: dict[tuple[str, str], list[dict[str, str]]] = {}
    for vote in votes:
        casts.setdefault((vote["voter_id"], vote["item_id"]), []).append(vote)
    again = [cast for cast in casts.values() if len(cast) > 1]
    assert 0.015 < len(again) / len(votes) < 0.025
    assert all(first["voted_at"] < second["voted_at"] for first, second in again)
    changed = sum(first["vote"] != second["vote"] for first, second in again)
    assert 0 < changed < len(again)


def test_every_statement_is_passed_on_by_some_and_by_some_statements_more(votes: list[dict[str, str]]) -> None:
    shown = Counter(vote["item_id"] for vote in votes)
    passed = Counter(vote["item_id"] for vote in votes if vote["vote"] == "pass")
    rates = [passed[item_id] / count for item_id, count in shown.items()]
    assert min(rates) > 0
    assert max(rates) > 3 * np.median(rates)


def test_groups_agree_on_some_statements_and_lean_apart_on_most(generated: sample.Sample) -> None:
    matrix, truth = _votes_by_voter(generated)
    shares = []
    for group in sample.GROUP_SIZES:
        own = matrix[truth == group]
        shares.append((own > 0).sum(axis=0) / (np.abs(own) == 1).sum(axis=0))
    agreeing = np.array(shares)
    assert (agreeing > 0.75).all(axis=0).sum() == 8
    assert (agreeing < 0.25).all(axis=0).sum() == 2
    assert (np.ptp(agreeing, axis=0) > 0.5).sum() >= 40


def test_principal_components_and_k_means_find_the_planted_groups(generated: sample.Sample) -> None:
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    matrix, truth = _votes_by_voter(generated)
    enough = (~np.isnan(matrix)).sum(axis=1) >= 7
    positions = _two_components(matrix[enough])
    labels = {k: KMeans(k, n_init=10, random_state=0).fit_predict(positions) for k in range(2, 6)}
    scores = {k: silhouette_score(positions, found) for k, found in labels.items()}
    assert adjusted_rand_score(truth[enough], labels[3]) >= 0.9
    assert scores[3] > 0.05 + max(score for k, score in scores.items() if k != 3)


def _votes_by_voter(generated: sample.Sample) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Return the last votes, voters by statements, with NaN where none was cast, and each voter's planted group."""
    rows = {voter_id: row for row, (voter_id, _) in enumerate(generated.planted_groups)}
    columns = {item[0]: column for column, item in enumerate(generated.items)}
    matrix = np.full((len(rows), len(columns)), np.nan)
    for voter_id, item_id, word, _, _ in generated.votes:
        matrix[rows[voter_id], columns[item_id]] = {"agree": 1, "pass": 0, "disagree": -1}[word]
    return matrix, np.array([group for _, group in generated.planted_groups])


def _two_components(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    means = np.nanmean(matrix, axis=0)
    left, scale, _ = np.linalg.svd(np.where(np.isnan(matrix), 0, matrix - means), full_matrices=False)
    positions: NDArray[np.float64] = left[:, :2] * scale[:2]
    return positions
