"""Embedders of pictures: the protocol, and DINOv2 through transformers.

Which pictures are embedded and how vectors are kept belongs in ``item_embeddings`` and ``embedding_cache``.
"""

import gc
import hashlib
import sys
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from clustering_platform.config_section import SettingError
from clustering_platform.images import open_image, read_image
from clustering_platform.topics_config import DEFAULT_IMAGE_MODEL, ImagesConfig

_DEFAULT_REVISION = "ed25f3a31f01632728cabb09d1542f84ab7b0056"
_WEIGHTS = "model.safetensors"
_FILES = ("config.json", "preprocessor_config.json", _WEIGHTS)
_ENOUGH = 1024


class ImageEmbedder(Protocol):
    """Turns pictures into vectors of length one."""

    @property
    def model(self) -> str:
        """Name of the model with its revision or hash; vectors of different models are never mixed."""

    def embed(self, files: list[Path]) -> NDArray[np.float32]:
        """Return an array of shape (len(files), dimension), one row of length one for each picture, in order."""


class DinoEmbedder:
    """DINOv2, or another vision transformer whose first output stands for the whole picture.

    Weights are read as safetensors only, and no code that comes with a model is run. Nothing is loaded before the
    first call of `embed`. The vector is the last hidden state of the class token.

    Parameters
    ----------
    config
        A folder with ``config.json``, ``preprocessor_config.json`` and ``model.safetensors``, or a name on the Hugging
        Face hub with the commit to take.
    device
        Torch device; by default CUDA where there is any, else the CPU.
    """

    def __init__(self, config: ImagesConfig, *, device: str | None = None) -> None:
        self._config, self._device = config, device
        self._loaded: tuple[Any, Any] | None = None

    @cached_property
    def model(self) -> str:
        """Name of the model with the hash of its files, or its commit on the hub.

        Raises
        ------
        ValueError
            It is a name without a commit, or a folder that lacks a file.
        """
        folder = Path(self._config.model)
        if not folder.is_dir():
            return f"{self._config.model}@{self._revision}"
        digest = hashlib.sha256()
        for name in _FILES:
            if not (folder / name).is_file():
                raise SettingError(f"topics.images.model: {folder} has no {name}; save the model as safetensors")
            with (folder / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return f"{folder.resolve().name}@{digest.hexdigest()[:12]}"

    def embed(self, files: list[Path]) -> NDArray[np.float32]:
        """Return an array of shape (len(files), dimension), one row of length one for each picture, in order."""
        if not files:
            return np.empty((0, 0), dtype=np.float32)
        import torch

        self._loaded = self._loaded or self._load()
        processor, model = self._loaded
        pictures = [open_image(read_image(path), at_least=_ENOUGH) for path in files]
        inputs = processor(images=pictures, return_tensors="pt").to(model.device)
        with torch.inference_mode():
            vectors = model(**inputs).last_hidden_state[:, 0].float().cpu().numpy()
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)

    def close(self) -> None:
        """Release the model and its memory; it is loaded again when it is needed again."""
        if self._loaded is None:
            return
        self._loaded = None
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

    @property
    def _revision(self) -> str:
        if self._config.revision:
            return self._config.revision
        if self._config.model == DEFAULT_IMAGE_MODEL:
            return _DEFAULT_REVISION
        raise SettingError(
            f"topics.images.model: {self._config.model!r} is no folder; for a model of the Hugging Face hub set "
            "topics.images.revision to the commit (40 hexadecimal digits) that is to be used"
        )

    def _load(self) -> tuple[Any, Any]:
        """Return the processor and the model."""
        import torch
        from transformers import AutoImageProcessor, AutoModel
        from transformers.utils import logging

        folder = Path(self._config.model)
        folder = folder if folder.is_dir() else self._fetch()
        shows_bars = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            safe = {"local_files_only": True, "trust_remote_code": False}
            processor = AutoImageProcessor.from_pretrained(folder, backend="pil", **safe)
            model = AutoModel.from_pretrained(folder, use_safetensors=True, **safe)
        finally:
            if shows_bars:
                logging.enable_progress_bar()
        device = self._device or ("cuda" if torch.cuda.is_available() else "cpu")
        return processor, model.eval().to(device)

    def _fetch(self) -> Path:
        """Return the local copy of a model of the hub, fetched where there is none yet."""
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

        name, revision = self._config.model, self._revision
        try:
            return Path(snapshot_download(name, revision=revision, allow_patterns=list(_FILES)))
        except (OSError, ValueError, HfHubHTTPError, LocalEntryNotFoundError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise SettingError(
                f"topics.images.model: {name!r} at {revision[:12]} is not on this machine and cannot be had from the "
                f"Hugging Face hub: {reason}. With a network, run `hf download {name} --revision {revision}` once; or "
                "name a folder with " + ", ".join(_FILES)
            ) from error
