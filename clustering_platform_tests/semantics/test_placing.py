"""New items in a tree that was made without them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from clustering_platform.semantics.item_embeddings import list_column, vector_matrix
from clustering_platform.semantics.placing import Fit, is_kept, nearest_leaves, place_items, place_on_map
from clustering_platform.semantics.projection import project
from clustering_platform.semantics.topic_tables import build_topic_tree
from clustering_platform.tables import TABLES
from clustering_platform.topics_config import TopicsConfig
from clustering_platform_tests.semantics.fakes import planted_texts

Embed = Callable[[list[str | None]], pa.Table]
TEXTS = planted_texts(160, families=5)
SETTINGS = "made so"


@pytest.fixture(scope="module")
def fit(embeddings_of: Embed) -> Fit:
    embeddings = embeddings_of(list(TEXTS))
    tables = build_topic_tree(embeddings, config=TopicsConfig(), settings=SETTINGS)
    return Fit({**tables, "projection": project(embeddings, seed=1)})


def placed(embeddings: pa.Table, fit: Fit, **config: Any) -> dict[str, pa.Table]:
    tables = place_items(embeddings, fit, config=TopicsConfig(**config), settings=SETTINGS)
    assert tables is not None
    return tables


def test_items_the_tree_was_made_with_keep_their_rows_to_the_last_bit(embeddings_of: Embed, fit: Fit) -> None:
    tables = placed(embeddings_of([*TEXTS, *planted_texts(10, families=5, seed=9)]), fit)
    assert tables["found_item_topics"].slice(0, len(TEXTS)).equals(fit.tables["found_item_topics"])
    assert tables["topic_fit"].to_pylist()[0]["fitted"] == len(TEXTS)


def test_a_new_item_goes_to_the_leaf_of_the_nearest_centroid_with_the_path_above_it(
    embeddings_of: Embed, fit: Fit
) -> None:
    embeddings = embeddings_of([*TEXTS, *planted_texts(20, families=5, seed=9)])
    rows = placed(embeddings, fit)["found_item_topics"].to_pylist()[len(TEXTS) :]
    topics = fit.tables["found_topics"].to_pylist()
    leaves = [topic for topic in topics if topic["method"] == "leaf"]
    for row, vector in zip(rows, vector_matrix(embeddings["vector"])[len(TEXTS) :], strict=True):
        similarity = [float(np.dot(vector, leaf["centroid"])) for leaf in leaves]
        best = leaves[int(np.argmax(similarity))]
        assert (row["topic_id"], row["path"]) == (best["topic_id"], best["path"])
        assert row["similarity"] == pytest.approx(max(similarity), abs=1e-5)
        assert row["origin"] == ("placed" if max(similarity) >= best["threshold"] else "nowhere")
        assert row["is_noise"] == (row["origin"] == "nowhere")
        assert row["neighbour_similarity"] is None


def test_what_is_like_nothing_in_the_corpus_belongs_nowhere_and_is_not_lost(embeddings_of: Embed, fit: Fit) -> None:
    strange = [f"zyx{number} qwv{number} jkl{number}" for number in range(5)]
    tables = placed(embeddings_of([*TEXTS, *strange]), fit)
    rows = tables["found_item_topics"].to_pylist()[len(TEXTS) :]
    assert {row["origin"] for row in rows} == {"nowhere"}
    assert all(row["path"] for row in rows)


def test_sizes_count_the_items_there_are(embeddings_of: Embed, fit: Fit) -> None:
    tables = placed(embeddings_of([*TEXTS[:150], *planted_texts(12, families=5, seed=9)]), fit)
    items = tables["found_item_topics"].to_pylist()
    known = {row["item_id"] for row in items}
    for topic in tables["found_topics"].to_pylist():
        inside = [row for row in items if topic["topic_id"] in row["path"]]
        assert topic["size"] == len(inside)
        assert topic["noise_size"] == sum(row["is_noise"] for row in inside)
        assert set(topic["exemplar_ids"]) <= known
    for name in ("found_topics", "found_item_topics", "topic_fit"):
        assert tables[name].schema.equals(TABLES[name].schema())


def test_an_item_whose_text_changed_is_a_new_one(embeddings_of: Embed, fit: Fit) -> None:
    tables = placed(embeddings_of([planted_texts(1, families=5, seed=9)[0], *TEXTS[1:]]), fit)
    first = tables["found_item_topics"].to_pylist()[0]
    assert first["origin"] in ("placed", "nowhere")
    assert tables["topic_fit"].to_pylist()[0]["fitted"] == len(TEXTS) - 1


def test_the_order_in_which_items_came_does_not_matter(embeddings_of: Embed, fit: Fit) -> None:
    some, more = planted_texts(8, families=5, seed=9), planted_texts(8, families=5, seed=11)
    once = placed(embeddings_of([*TEXTS, *some, *more]), fit)
    first = placed(embeddings_of([*TEXTS, *some]), fit)
    twice = placed(embeddings_of([*TEXTS, *some, *more]), Fit({**fit.tables, **first}))
    assert once["found_item_topics"].equals(twice["found_item_topics"])
    assert once["found_topics"].equals(twice["found_topics"])


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ([*TEXTS, *planted_texts(60, families=5, seed=9)], "60 items came after it was made with 160"),
        (TEXTS[:110], "50 of these changed or went"),
        ([*TEXTS, *(f"zyx{number} qwv{number}" for number in range(20))], "20 of 180 items belong to no topic"),
    ],
    ids=["grown", "shrunk", "strange"],
)
def test_a_refit_is_proposed_when_the_tree_fits_no_more(
    embeddings_of: Embed, fit: Fit, texts: list[str], reason: str
) -> None:
    row = placed(embeddings_of(list(texts)), fit, refit="ask")["topic_fit"].to_pylist()[0]
    assert row["is_refit_proposed"]
    assert reason in row["reason"]
    assert place_items(embeddings_of(list(texts)), fit, config=TopicsConfig(), settings=SETTINGS) is None


def test_the_tree_is_made_anew_for_other_settings_or_when_a_topic_would_be_empty(
    embeddings_of: Embed, fit: Fit
) -> None:
    embeddings = embeddings_of(list(TEXTS))
    assert place_items(embeddings, fit, config=TopicsConfig(), settings="made otherwise") is None
    assert place_items(embeddings, fit, config=TopicsConfig(refit="always"), settings=SETTINGS) is None
    assert place_items(embeddings.slice(0, 2), fit, config=TopicsConfig(refit="ask"), settings=SETTINGS) is None


def test_the_tree_is_made_anew_where_given_vectors_are_of_another_model(embeddings_of: Embed, fit: Fit) -> None:
    embeddings = embeddings_of(list(TEXTS))
    shorter = list_column(np.ascontiguousarray(vector_matrix(embeddings["vector"])[:, :20]))
    other = embeddings.set_column(embeddings.column_names.index("vector"), "vector", shorter)
    assert place_items(other, fit, config=TopicsConfig(refit="ask"), settings=SETTINGS) is None


def test_a_new_item_lies_on_the_map_among_those_it_is_like(embeddings_of: Embed, fit: Fit) -> None:
    embeddings = embeddings_of([*TEXTS, TEXTS[0]])
    tables = placed(embeddings, fit)
    assert is_kept(tables["topic_fit"])
    places = place_on_map(embeddings, tables["found_item_topics"], fit.tables["projection"])
    assert places.slice(0, len(TEXTS)).equals(fit.tables["projection"])
    old = np.stack([fit.tables["projection"][axis].to_numpy() for axis in ("x", "y")], axis=1)
    new = np.array([places["x"][-1].as_py(), places["y"][-1].as_py()])
    family = old[::5]
    others = np.delete(old, np.s_[::5], axis=0)
    assert np.linalg.norm(family - new, axis=1).mean() < np.linalg.norm(others - new, axis=1).mean()


def test_nearest_leaves_are_sure_where_one_centroid_stands_out(fit: Fit) -> None:
    topics = fit.tables["found_topics"]
    centroids = vector_matrix(topics["centroid"])
    is_leaf = np.array(topics["method"].to_pylist()) == "leaf"
    found = nearest_leaves(centroids[is_leaf], topics)
    assert found.rows.tolist() == np.flatnonzero(is_leaf).tolist()
    assert found.belongs.all()
    assert (found.confidence > 0.9).all()
