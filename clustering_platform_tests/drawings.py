"""Pictures drawn for tests: five families that can be told apart by colours and coarse shapes."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FAMILIES = ("stripes", "bars", "discs", "tiles", "skies")
_SIZE = 48


def draw(family: str, seed: int) -> Image.Image:
    """Return a picture of a family; those of one family differ in their colours, places and noise."""
    choice = np.random.default_rng([FAMILIES.index(family), seed])
    y, x = np.mgrid[:_SIZE, :_SIZE] / _SIZE
    shift, width = choice.uniform(0, 0.1), choice.uniform(0.9, 1.1)
    match family:
        case "stripes":
            shape, colour = np.sin(2 * np.pi * 3 * (y * width + shift)) > 0, (210, 60, 40)
        case "bars":
            shape, colour = np.sin(2 * np.pi * 3 * (x * width + shift)) > 0, (50, 170, 60)
        case "discs":
            shape, colour = (x - 0.5) ** 2 + (y - 0.5 + shift / 2) ** 2 < 0.12 * width, (60, 80, 210)
        case "tiles":
            shape, colour = (x * 4 * width).astype(int) % 2 == (y * 4).astype(int) % 2, (200, 190, 50)
        case _:
            shape, colour = y + shift, (120, 180, 230)
    picture = np.asarray(shape, float)[:, :, None] * np.array(colour) + choice.normal(0, 12, (_SIZE, _SIZE, 3))
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return a picture as the bytes of a file."""
    sink = io.BytesIO()
    picture.save(sink, kind, **options)
    return sink.getvalue()


def write_pictures(folder: Path, seeds: Mapping[str, range]) -> None:
    """Write pictures into a folder for each family."""
    for family, numbers in seeds.items():
        (folder / family).mkdir(parents=True, exist_ok=True)
        for seed in numbers:
            (folder / family / f"{seed:04}.png").write_bytes(encoded(draw(family, seed)))


class ColourEmbedder:
    """Vectors of colour histograms and coarse pixels; remembers which files it saw."""

    model = "colours@1"

    def __init__(self) -> None:
        self.seen: list[Path] = []

    def embed(self, files: list[Path]) -> NDArray[np.float32]:
        """Return one row of length one for each picture."""
        self.seen += files
        rows = np.stack([self._vector(path) for path in files])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def __enter__(self) -> "ColourEmbedder":
        return self

    def __exit__(self, *error: object) -> None:
        """Release nothing."""

    def _vector(self, path: Path) -> NDArray[np.float64]:
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"), float) / 255
            coarse = np.asarray(picture.convert("RGB").resize((8, 8)), float).reshape(-1) / 255
        bins = [np.histogram(pixels[:, :, channel], 8, (0, 1), density=True)[0] / 8 for channel in range(3)]
        return np.concatenate([*bins, coarse - 0.4])
