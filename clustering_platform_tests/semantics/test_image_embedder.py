"""Embedding pictures: with a tiny model of the right kind, and with the cache."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from clustering_platform.images import image_hash
from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.image_embedder import DinoEmbedder
from clustering_platform.semantics.item_embeddings import embed_pictures, vector_matrix
from clustering_platform.tables import TABLES
from clustering_platform.topics_config import ImagesConfig
from clustering_platform_tests.drawings import ColourEmbedder, draw, encoded, write_pictures

PROCESSOR = {
    "image_processor_type": "BitImageProcessor",
    "do_resize": True,
    "size": {"shortest_edge": 32},
    "do_center_crop": True,
    "crop_size": {"height": 28, "width": 28},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
    "do_convert_rgb": True,
    "resample": 3,
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DINOv2 of two small layers with random weights, saved as models are."""
    import torch
    from transformers import Dinov2Config, Dinov2Model

    folder = tmp_path_factory.mktemp("models") / "tiny-dinov2"
    torch.manual_seed(0)
    config = Dinov2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2, image_size=28, patch_size=14
    )
    Dinov2Model(config).save_pretrained(folder, safe_serialization=True)
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    return folder


@pytest.fixture
def embedder(tiny: Path) -> Iterator[DinoEmbedder]:
    with DinoEmbedder(ImagesConfig(model=str(tiny)), device="cpu") as made:
        yield made


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "photos", {"discs": range(6), "tiles": range(6)})
    return tmp_path / "photos"


def items_in(folder: Path) -> pa.Table:
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    hashes = [image_hash((folder / name).read_bytes()) for name in files]
    return pa.table({"item_id": files, "file": files, "file_hash": hashes})


def test_a_picture_becomes_the_class_token_at_length_one(embedder: DinoEmbedder, photos: Path, tiny: Path) -> None:
    import torch
    from PIL import Image
    from transformers import AutoImageProcessor, Dinov2Model

    files = sorted(photos.rglob("*.png"))
    vectors = embedder.embed(files)
    assert vectors.shape == (12, 16)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(12), abs=1e-6)
    with Image.open(files[3]) as picture, torch.inference_mode():
        inputs = AutoImageProcessor.from_pretrained(tiny, backend="pil")(images=picture, return_tensors="pt")
        expected = Dinov2Model.from_pretrained(tiny).eval()(**inputs).last_hidden_state[0, 0].numpy()
    assert vectors[3] == pytest.approx(expected / np.linalg.norm(expected), abs=1e-5)
    assert embedder.embed([]).shape == (0, 0)


def test_the_model_is_known_by_its_files_and_released(embedder: DinoEmbedder, photos: Path) -> None:
    assert embedder.model.startswith("tiny-dinov2@")
    embedder.embed(sorted(photos.rglob("*.png"))[:1])
    assert embedder._loaded is not None
    embedder.close()
    assert embedder._loaded is None


@pytest.mark.parametrize("missing", ["model.safetensors", "config.json", "preprocessor_config.json"])
def test_a_folder_that_lacks_a_file_is_refused(tiny: Path, tmp_path: Path, missing: str) -> None:
    for path in tiny.iterdir():
        if path.name != missing:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match=f"has no {missing}; save the model as safetensors"):
        _ = DinoEmbedder(ImagesConfig(model=str(tmp_path))).model


def test_a_model_of_the_hub_needs_a_commit() -> None:
    assert DinoEmbedder(ImagesConfig()).model == "facebook/dinov2-small@ed25f3a31f01632728cabb09d1542f84ab7b0056"
    named = ImagesConfig(model="facebook/dinov2-base", revision="0123456789" * 4)
    assert DinoEmbedder(named).model == f"facebook/dinov2-base@{'0123456789' * 4}"
    with pytest.raises(ValueError, match=r"set topics\.images\.revision to the commit"):
        _ = DinoEmbedder(ImagesConfig(model="facebook/dinov2-base")).model
    with pytest.raises(ValueError, match="revision"):
        ImagesConfig(revision="main")


def test_without_a_network_it_says_what_to_do(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(ValueError, match=r"not on this machine .* run `hf download facebook/dinov2-small"):
        DinoEmbedder(ImagesConfig()).embed(sorted(photos.rglob("*.png"))[:1])


def test_pictures_are_embedded_once_and_equal_ones_share_a_vector(cache: EmbeddingCache, photos: Path) -> None:
    (photos / "copy.png").write_bytes((photos / "discs" / "0000.png").read_bytes())
    embedder = ColourEmbedder()
    table = embed_pictures(items_in(photos), photos, embedder, cache, batch_size=5)
    assert table.schema.equals(TABLES["embeddings"].schema())
    assert table["item_id"].to_pylist() == items_in(photos)["item_id"].to_pylist()
    assert len(embedder.seen) == 12
    vectors = vector_matrix(table["vector"])
    assert vectors[0].tobytes() == vectors[1].tobytes()
    (photos / "new.png").write_bytes(encoded(draw("skies", 1)))
    second = ColourEmbedder()
    embed_pictures(items_in(photos), photos, second, cache, batch_size=5)
    assert second.seen == [photos / "new.png"]


def test_vectors_of_pictures_are_partial_until_all_are_there(cache: EmbeddingCache, photos: Path) -> None:
    files = sorted(photos.rglob("*.png"))
    items = items_in(photos)
    content = files[-1].read_bytes()
    last = sorted(items["file_hash"].to_pylist()).index(image_hash(content))
    files[-1].unlink()
    with pytest.raises(ValueError, match="is not there any more"):
        embed_pictures(items, photos, ColourEmbedder(), cache, batch_size=1)
    assert [(model.vectors, model.partial) for model in cache.contents()] == ([(last, last)] if last else [])
    files[-1].write_bytes(content)
    embed_pictures(items, photos, ColourEmbedder(), cache, batch_size=5)
    assert [(model.vectors, model.partial) for model in cache.contents()] == [(12, 0)]


def test_items_without_a_picture_are_left_out(cache: EmbeddingCache, photos: Path) -> None:
    items = pa.concat_tables(
        [items_in(photos), pa.table({"item_id": ["x"], **{k: pa.nulls(1, pa.string()) for k in ("file", "file_hash")}})]
    )
    assert embed_pictures(items, photos, ColourEmbedder(), cache, batch_size=5).num_rows == 12


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_picture_that_is_not_what_it_was_is_refused(cache: EmbeddingCache, photos: Path, is_gone: bool) -> None:
    items = items_in(photos)
    changed = photos / "discs" / "0003.png"
    changed.unlink() if is_gone else changed.write_bytes(encoded(draw("skies", 3)))
    with pytest.raises(ValueError, match=r"0003\.png: is not there any more as it was read; run the job again"):
        embed_pictures(items, photos, ColourEmbedder(), cache, batch_size=5)
