"""Pictures: opened within limits, and brought into one form whatever theirs.

Used where pictures are read (``ingest``) and where they are embedded (``semantics``).
"""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
LARGEST_FILE = 256 * 2**20
"""Bytes of a picture's file."""
LARGEST_PIXELS = 100_000_000
"""Pixels of a picture; opened, it takes three bytes for each."""

_FORMATS = ("JPEG", "PNG", "WEBP")
_SIXTEEN_BITS = 65_535


class ImageError(ValueError):
    """A picture cannot be used.

    Attributes
    ----------
    reason
        ``image_too_large``, ``image_unknown`` or ``image_damaged``.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def open_image(content: bytes, *, at_least: int | None = None) -> Image.Image:
    """Return a picture upright in RGB; of an animated one the first frame, on white what is transparent.

    Parameters
    ----------
    content
        The bytes of a JPEG, PNG or WebP file.
    at_least
        Pixels that the shorter side needs; a large JPEG is then opened smaller, which takes a fraction of the time.

    Raises
    ------
    ImageError
        It is none of these, too large, incomplete or damaged.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if len(content) > LARGEST_FILE:
        raise ImageError("image_too_large", f"{len(content):,} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture: Image.Image = Image.open(io.BytesIO(content), formats=_FORMATS)
            width, height = picture.size
            if width * height > LARGEST_PIXELS:
                raise ImageError("image_too_large", f"{width:,} x {height:,} pixels")
            if at_least:
                picture.draft("RGB", (at_least, at_least))
            picture.load()
            return _as_rgb(ImageOps.exif_transpose(picture))
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError("image_too_large", str(error)) from None
    except UnidentifiedImageError:
        raise ImageError("image_unknown", "neither JPEG, PNG nor WebP") from None
    except Exception as error:  # the decoders of damaged files raise whatever they run into
        raise ImageError("image_damaged", f"{type(error).__name__}: {error}"[:200]) from None


def image_hash(content: bytes) -> str:
    """Return the hash by which a picture's file is known: 32 hexadecimal digits of SHA-256."""
    return hashlib.sha256(content).hexdigest()[:32]


def read_image(path: Path) -> bytes:
    """Return the bytes of a picture's file, no more than one may have and one further."""
    with path.open("rb") as file:
        return file.read(LARGEST_FILE + 1)


def _as_rgb(picture: Image.Image) -> Image.Image:
    from PIL import Image

    if picture.mode == "I" or picture.mode.startswith("I;16"):
        grey = np.clip(np.asarray(picture).astype(np.int64), 0, _SIXTEEN_BITS)
        return Image.fromarray((grey * 255 // _SIXTEEN_BITS).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        white = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(white, seen).convert("RGB")
    return picture.convert("RGB")
