"""Vectors made elsewhere, from the folder to a commit."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clustering_platform.store.catalog import connect
from clustering_platform_tests.orchestration.platform import Platform, materialized

CONFIG = "source: {vectors: {column: embedding}}\n"


def write_items(platform: Platform, *, name: str = "photos", texts: bool = True, count: int = 90) -> None:
    folder = platform.dataset(name).folder
    choice = np.random.default_rng(3)
    vectors = choice.normal(size=(3, 8))[np.arange(count) % 3] * 6 + choice.normal(size=(count, 8))
    vectors[5] = np.nan
    columns = {"id": [f"i{row}" for row in range(count)], "embedding": vectors.tolist()}
    if texts:
        columns["text"] = [
            f"{('river bank', 'oak forest', 'old castle')[row % 3]} number {row}" for row in range(count)
        ]
    pq.write_table(pa.table(columns), folder / "items.parquet")
    (folder / "dataset.yaml").write_text(CONFIG)


def test_given_vectors_with_texts_are_published_under_names_made_of_them(platform: Platform) -> None:
    write_items(platform)
    result = platform.run("topics", "photos")
    assert result.success
    commit = platform.log("photos")[0]
    assert commit.tables["item_vectors"].rows == commit.tables["embeddings"].rows == 89
    assert commit.rows
    assert commit.rows.quarantined == 1
    with connect(platform.settings.catalog) as catalog:
        ((models,),) = catalog.execute("SELECT list(DISTINCT model) FROM embeddings").fetchall()
        names = {name for (name,) in catalog.execute("SELECT lower(name) FROM topic_names").fetchall()}
    assert len(models) == 1
    assert models[0].startswith("given@")
    assert all(any(word in name for name in names) for word in ("river", "oak", "castle"))


def test_given_vectors_without_texts_are_published(platform: Platform) -> None:
    write_items(platform, texts=False)
    assert platform.run("topics", "photos").success
    assert platform.log("photos")[0].tables["item_topics"].rows == 89


def test_settings_of_naming_change_names_only(platform: Platform) -> None:
    write_items(platform)
    platform.run("topics", "photos")
    (platform.settings.inbox / "photos" / "dataset.yaml").write_text(CONFIG + "topics: {name_words: 2}\n")
    again = platform.run("topics", "photos")
    assert again.success
    assert materialized(again, "topic_tree")["unchanged since commit"] == 1
    assert "unchanged since commit" not in materialized(again, "topic_names")
