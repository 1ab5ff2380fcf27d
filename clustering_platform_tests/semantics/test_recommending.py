"""A recommendation by what two parts of the items agree on."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from clustering_platform.semantics.item_embeddings import list_column
from clustering_platform.semantics.recommending import (
    MOST_POINTS,
    Trial,
    build_topic_recommendation,
    is_set,
    ranked,
    recommend,
    settings_of,
)
from clustering_platform.semantics.silhouettes import unit_rows
from clustering_platform.tables import conform
from clustering_platform.tables.topic_recommendation import TOPIC_RECOMMENDATION
from clustering_platform.topics_config import TopicsConfig

FEW = (Trial("auto"), Trial("flat", "hdbscan"), Trial("flat", "kmeans"))


def planted(count: int = 240, topics: int = 6, *, spread: float = 0.15) -> NDArray[np.float32]:
    """Return points around random directions, as many around each."""
    random = np.random.default_rng(1)
    middles = unit_rows(random.normal(size=(topics, 24)))
    points = middles[np.arange(count) % topics] + spread * random.normal(size=(count, 24))
    return unit_rows(points).astype(np.float32)


def row(trial: int, stability: float | None, silhouette: float = 0.1, coverage: float = 1.0) -> dict[str, Any]:
    return {"trial": trial, "stability": stability, "silhouette": silhouette, "coverage": coverage}


def order(rows: list[dict[str, Any]]) -> list[int]:
    return [each["trial"] for each in sorted(ranked(rows), key=lambda each: each["rank"])]


@pytest.fixture(scope="module")
def found() -> list[dict[str, Any]]:
    return recommend(planted(), config=TopicsConfig(), trials=FEW)


def test_what_finds_planted_topics_in_both_parts_is_recommended(found: list[dict[str, Any]]) -> None:
    (best,) = [each for each in found if each["is_recommended"]]
    assert best["rank"] == 1
    assert best["topics"] == 6
    assert best["stability"] > 0.95
    assert "agree" in best["reason"]


def test_the_same_points_give_the_same_rows_however_long_it_takes(found: list[dict[str, Any]]) -> None:
    seen: Counter[str] = Counter()

    @contextmanager
    def around(trial: str) -> Iterator[None]:
        seen[trial] += 1
        yield

    again = recommend(planted(), config=TopicsConfig(), trials=FEW, around=around)
    assert again == found
    assert seen == {"auto": 2, "flat, hdbscan": 2, "flat, kmeans": 2}


def test_the_rows_keep_the_contract(found: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(found, schema=TOPIC_RECOMMENDATION.schema())
    assert conform(table, TOPIC_RECOMMENDATION).num_rows == len(FEW)


def test_items_that_are_too_few_for_any_trial_are_told_so() -> None:
    (only,) = recommend(planted(60), config=TopicsConfig(), trials=[Trial("levels")])
    assert only["topics"] == 1
    assert only["stability"] is None
    assert only["reason"] == "no strategy finds topics in both subsamples"


@pytest.mark.parametrize("count", [0, 1, 20])
def test_too_few_items_give_no_rows(count: int) -> None:
    vectors = list_column(planted(240)[:count])
    embeddings = pa.table({"item_id": [str(number) for number in range(count)], "vector": vectors})
    assert build_topic_recommendation(embeddings, config=TopicsConfig()).num_rows == 0


def test_the_more_stable_comes_first() -> None:
    assert order([row(1, 0.5), row(2, 0.9), row(3, 0.7)]) == [2, 3, 1]


def test_of_equally_stable_ones_the_better_told_apart_comes_first_then_the_one_with_less_noise() -> None:
    assert order([row(1, 0.90, 0.10), row(2, 0.89, 0.20), row(3, 0.91, 0.20, 0.9)]) == [2, 3, 1]


def test_equals_keep_their_order() -> None:
    assert order([row(1, 0.8), row(2, 0.8)]) == [1, 2]


def test_what_finds_no_topics_comes_last_and_every_place_is_given_once() -> None:
    rows = [row(1, None, 0.0), row(2, 0.1), row(3, None, 0.0)]
    assert order(rows) == [2, 1, 3]
    assert [each["is_recommended"] for each in ranked(rows)] == [False, True, False]


def test_every_trial_says_why_it_has_its_place() -> None:
    rows = ranked([row(1, 0.90, 0.2), row(2, 0.89, 0.1), row(3, 0.5), row(4, None)])
    assert [each["reason"].split()[0:3] for each in rows] == [
        ["its", "topics", "agree"],
        ["as", "stable,", "but"],
        ["its", "topics", "agree"],
        ["finds", "no", "topics"],
    ]


def test_a_resolution_found_on_a_sample_is_said_for_the_number_of_all_items() -> None:
    half = Trial("auto", factor=0.5)
    assert half.resolution(100_000) == 2.0
    assert half.config(TopicsConfig(), MOST_POINTS).auto.resolution == pytest.approx(1.349, abs=0.001)


def test_the_settings_of_a_row_are_what_the_configuration_reads() -> None:
    import yaml

    for trial in (Trial("auto"), Trial("auto", factor=2.0), Trial("levels"), Trial("flat", "kmeans")):
        said = {"strategy": trial.strategy, "algorithm": trial.algorithm, "resolution": trial.resolution(1000)}
        config = TopicsConfig.model_validate(yaml.safe_load(settings_of(said))["topics"])
        assert is_set(said, config)
        assert is_set(said, TopicsConfig()) == (trial == Trial("auto"))
