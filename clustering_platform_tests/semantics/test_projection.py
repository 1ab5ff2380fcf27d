"""The topic map."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from clustering_platform.semantics.projection import project
from clustering_platform.tables import TABLES
from clustering_platform_tests.semantics.fakes import planted_texts

Embed = Callable[[list[str | None]], pa.Table]


def places(table: pa.Table) -> np.ndarray:
    return np.column_stack([table["x"].to_numpy(), table["y"].to_numpy()])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9, 10, 11, 60])
def test_any_number_of_items_gets_finite_places(embeddings_of: Embed, count: int) -> None:
    embeddings = embeddings_of(planted_texts(count, families=8))
    table = project(embeddings, seed=1)
    assert table.schema.equals(TABLES["projection"].schema())
    assert table["item_id"].equals(embeddings["item_id"])
    assert np.isfinite(places(table)).all()


@pytest.mark.parametrize("count", [7, 60])
def test_the_same_input_gives_the_same_bytes(embeddings_of: Embed, count: int) -> None:
    embeddings = embeddings_of([*planted_texts(count), *planted_texts(count)])
    assert project(embeddings, seed=1).equals(project(embeddings, seed=1))


@pytest.mark.parametrize("count", [5, 60])
def test_equal_texts_share_a_place(embeddings_of: Embed, count: int) -> None:
    texts = planted_texts(count)
    table = places(project(embeddings_of([*texts, *texts]), seed=1))
    np.testing.assert_array_equal(table[:count], table[count:])


def test_the_order_of_items_does_not_move_them(embeddings_of: Embed) -> None:
    texts = planted_texts(60)
    forward = places(project(embeddings_of(texts), seed=1))
    backward = places(project(embeddings_of(texts[::-1]), seed=1))
    np.testing.assert_array_equal(forward, backward[::-1])


def test_the_map_is_centred(embeddings_of: Embed) -> None:
    table = places(project(embeddings_of(planted_texts(60)), seed=1))
    np.testing.assert_allclose(np.unique(table, axis=0).mean(axis=0), 0, atol=1e-4)


def test_families_lie_apart(embeddings_of: Embed) -> None:
    table = places(project(embeddings_of(planted_texts(100, families=4)), seed=1))
    labels = np.arange(100) % 4
    distances = np.linalg.norm(table[:, None] - table[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(axis=1)] == labels).mean() > 0.9
