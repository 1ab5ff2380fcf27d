"""Pictures in a folder: those that become items, their captions, and those that cannot be used."""

from pathlib import Path

import pytest

from clustering_platform.images import image_hash
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.ingested import Ingested
from clustering_platform_tests.drawings import draw, encoded
from clustering_platform_tests.ingest.folders import ITEMS, T, findings, ingest, votes_csv
from clustering_platform_tests.ingest.test_accounting import check_accounting

SAID = {"source": {"format": "images"}}
DISC, TILE = encoded(draw("discs", 1)), encoded(draw("tiles", 1), "JPEG")
BOTH = {"a/disc.png": DISC, "tile.JPG": TILE}


def pictures_of(ingested: Ingested) -> dict[str, tuple[str, str | None]]:
    """Return text and file of each item."""
    check_accounting(ingested)
    rows = ingested.items.select(["item_id", "text", "file"]).to_pylist()
    return {row["item_id"]: (row["text"], row["file"]) for row in rows}


def test_pictures_are_items_under_their_path(tmp_path: Path) -> None:
    ingested = ingest(tmp_path, BOTH)
    assert pictures_of(ingested) == {"a/disc.png": ("", "a/disc.png"), "tile.JPG": ("", "tile.JPG")}
    assert ingested.items["file_hash"].to_pylist() == [image_hash(DISC), image_hash(TILE)]
    assert ingested.items["metadata"].to_pylist() == [f'{{"bytes": {len(DISC)}}}', f'{{"bytes": {len(TILE)}}}']
    assert ingested.report["content"].to_pylist() == ["images", "images"]


def test_a_picture_that_cannot_be_used_is_refused_and_the_others_go_on(tmp_path: Path) -> None:
    files = {**BOTH, "half.png": DISC[:200], "empty.webp": b"", "words.jpg": b"words", "picture.jpeg": DISC}
    ingested = ingest(tmp_path, files)
    assert set(pictures_of(ingested)) == {*BOTH, "picture.jpeg"}
    reasons = {row["file"]: row["reason"] for row in ingested.quarantine.to_pylist()}
    assert reasons == {"half.png": "image_damaged", "empty.webp": "file_empty", "words.jpg": "image_unknown"}
    assert (ingested.read, ingested.accepted, ingested.quarantined) == (6, 3, 3)


def test_equal_pictures_are_items_of_their_own(tmp_path: Path) -> None:
    assert len(pictures_of(ingest(tmp_path, {"a.png": DISC, "b.png": DISC}))) == 2


def test_captions_need_no_ids_and_name_pictures_by_their_path(tmp_path: Path) -> None:
    captions = "file,text,place\na/disc.png,A blue disc,Bern\ngone.png,Not there,Rome\n"
    ingested = ingest(tmp_path, {**BOTH, "captions.csv": captions})
    assert pictures_of(ingested) == {
        "a/disc.png": ("A blue disc", "a/disc.png"),
        "gone.png": ("Not there", None),
        "tile.JPG": ("", "tile.JPG"),
    }
    assert ingested.items["metadata"].to_pylist()[0] == '{"place": "Bern"}'
    assert ingested.items["file_hash"].to_pylist() == [image_hash(DISC), None, image_hash(TILE)]
    assert (ingested.read, ingested.accepted) == (4, 4)
    found = findings(ingested)
    assert "items that name a picture which is not there or cannot be read: 1" in found
    assert "items without a picture, which take part in no topic: 1" in found


def test_captions_may_have_ids_and_votes_where_the_settings_say_images(tmp_path: Path) -> None:
    files = {
        **BOTH,
        "items.csv": "id,text,file\ns1,A blue disc,a/disc.png\ns2,No picture,\n",
        "votes.csv": votes_csv([["a", "s1", 1, T], ["a", "tile.JPG", -1, T]]),
    }
    ingested = ingest(tmp_path, files, SAID)
    assert pictures_of(ingested) == {
        "s1": ("A blue disc", "a/disc.png"),
        "s2": ("No picture", None),
        "tile.JPG": ("", "tile.JPG"),
    }
    assert ingested.items["is_listed"].to_pylist() == [True] * 3


def test_a_caption_of_a_picture_that_cannot_be_used_stays_an_item_without_one(tmp_path: Path) -> None:
    files = {"a.png": DISC[:100], "b.png": DISC, "captions.csv": "file,text\na.png,Half\n"}
    ingested = ingest(tmp_path, files)
    assert pictures_of(ingested) == {"a.png": ("Half", None), "b.png": ("", "b.png")}
    assert ingested.quarantine["file"].to_pylist() == ["a.png"]


@pytest.mark.parametrize(
    "table",
    [
        {"items.csv": ITEMS},
        {"items.csv": "id,text,file\ns1,x,logo.png\n"},
        {"votes.csv": votes_csv([["a", "s1", 1, T]])},
    ],
)
def test_a_picture_beside_tables_is_no_item_and_is_told_about(tmp_path: Path, table: dict[str, str]) -> None:
    ingested = ingest(tmp_path, {**table, "logo.png": DISC})
    assert "logo.png" not in pictures_of(ingested)
    assert set(ingested.items["file"].to_pylist()) == {None}
    assert any("logo.png was not read: it is a picture; set source.format" in finding for finding in findings(ingested))


def test_notes_beside_pictures_are_no_items_and_are_told_about(tmp_path: Path) -> None:
    ingested = ingest(tmp_path, {**BOTH, "README.md": "Photos of 2024"})
    assert set(pictures_of(ingested)) == set(BOTH)
    assert any("README.md was not read" in finding for finding in findings(ingested))


def test_pictures_that_are_promised_and_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"no file ends in \.jpg"):
        ingest(tmp_path, {"items.csv": ITEMS}, SAID)


def test_pictures_beside_data_that_cannot_be_read_are_no_items(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"items\.xlsx: is a spreadsheet"):
        ingest(tmp_path, {**BOTH, "items.xlsx": b"PK"})
