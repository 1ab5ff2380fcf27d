"""Pictures, from the folder to a commit."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from clustering_platform.store.catalog import connect
from clustering_platform.topics_config import ImagesConfig
from clustering_platform_tests.drawings import FAMILIES, ColourEmbedder, write_pictures
from clustering_platform_tests.orchestration.platform import Platform, WordEmbedders, new_platform

EMBEDDER = ColourEmbedder()


class PictureEmbedders(WordEmbedders):
    """Gives pictures the embedder of this module."""

    def create_for_images(self, config: ImagesConfig) -> AbstractContextManager[Any]:
        """Return the embedder."""
        return EMBEDDER


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Platform]:
    """A platform whose dataset `photos` has no pictures yet."""
    EMBEDDER.seen.clear()
    with new_platform(tmp_path, embedders=PictureEmbedders()) as made:
        made.dataset("photos")
        yield made


def test_a_thousand_pictures_are_grouped_by_family_and_fifty_more_embed_only_those(studio: Platform) -> None:
    write_pictures(studio.dataset("photos").folder, dict.fromkeys(FAMILIES, range(200)))
    started = time.perf_counter()
    assert studio.run("topics", "photos").success
    assert time.perf_counter() - started < 120
    assert studio.log("photos")[0].tables["item_topics"].rows == len(EMBEDDER.seen) == 1000
    with connect(studio.settings.catalog) as catalog:
        rows = catalog.execute("SELECT split_part(item_id, '/', 1), topic_id FROM item_topics").fetchall()
        names = {name.lower() for (name,) in catalog.execute("SELECT name FROM topic_names").fetchall()}
    families: dict[str, dict[str, int]] = {}
    for family, topic_id in rows:
        counts = families.setdefault(topic_id, {})
        counts[family] = counts.get(family, 0) + 1
    assert sum(max(counts.values()) for counts in families.values()) >= 950
    assert all(any(family in name for name in names) for family in FAMILIES)
    before = len(EMBEDDER.seen)
    folder = studio.settings.inbox / "photos"
    write_pictures(folder, dict.fromkeys(FAMILIES, range(200, 210)))
    assert studio.run("topics", "photos").success
    new = EMBEDDER.seen[before:]
    assert len(new) == 50
    assert {int(path.stem) for path in new} == set(range(200, 210))
    assert studio.log("photos")[0].tables["item_topics"].rows == 1050


def test_captions_name_the_topics_of_pictures(studio: Platform) -> None:
    folder = studio.settings.inbox / "photos"
    write_pictures(folder, dict.fromkeys(FAMILIES, range(30)))
    words = ("red stripes", "green bars", "blue moon", "yellow tiles", "open sky")
    rows = [f"{family}/{seed:04}.png,{words[at]} {seed}" for at, family in enumerate(FAMILIES) for seed in range(30)]
    (folder / "captions.csv").write_text("file,text\n" + "\n".join(rows) + "\n")
    assert studio.run("topics", "photos").success
    with connect(studio.settings.catalog) as catalog:
        names = " ".join(name.lower() for (name,) in catalog.execute("SELECT name FROM topic_names").fetchall())
    assert "moon" in names
    assert "sky" in names
