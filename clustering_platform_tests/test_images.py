"""Pictures: whatever their form, they become RGB, or are refused with a reason."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clustering_platform import images
from clustering_platform.images import ImageError, image_hash, open_image
from clustering_platform_tests.drawings import draw, encoded

RED, GREEN = (200, 30, 40), (10, 160, 60)


def corner(content: bytes) -> tuple[int, ...]:
    picture = open_image(content)
    assert picture.mode == "RGB"
    return tuple(picture.getpixel((0, 0)))  # type: ignore[arg-type]


def plain(mode: str, colour: object) -> Image.Image:
    return Image.new(mode, (8, 6), colour)  # type: ignore[arg-type]


FORMS = {
    "RGB PNG": (encoded(plain("RGB", RED)), RED),
    "RGB JPEG": (encoded(plain("RGB", RED), "JPEG", quality=100), RED),
    "RGB WebP": (encoded(plain("RGB", RED), "WEBP", lossless=True), RED),
    "grey": (encoded(plain("L", 77)), (77, 77, 77)),
    "black and white": (encoded(plain("1", 1)), (255, 255, 255)),
    "transparent is white": (encoded(plain("RGBA", (*RED, 0))), (255, 255, 255)),
    "opaque": (encoded(plain("RGBA", (*RED, 255))), RED),
    "grey with alpha": (encoded(plain("LA", (0, 0))), (255, 255, 255)),
    "palette": (encoded(plain("RGB", RED).quantize(4)), RED),
    "palette with transparency": (encoded(plain("RGB", RED).quantize(4), transparency=0), (255, 255, 255)),
    "16 bits": (encoded(Image.fromarray(np.full((6, 8), 32_768, np.uint16))), (127, 127, 127)),
    "16 bits, white": (encoded(Image.fromarray(np.full((6, 8), 65_535, np.uint16))), (255, 255, 255)),
    "CMYK": (encoded(plain("CMYK", (0, 255, 255, 0)), "JPEG", quality=100), (255, 0, 0)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_becomes_rgb(form: str) -> None:
    content, colour = FORMS[form]
    assert corner(content) == pytest.approx(colour, abs=4)


def test_an_animation_is_its_first_frame() -> None:
    frames = [plain("RGB", RED), plain("RGB", GREEN)]
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True})):
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert corner(content) == RED


def test_a_picture_is_turned_upright() -> None:
    picture = plain("RGB", RED)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert open_image(encoded(picture, "JPEG", exif=exif)).size == (6, 8)


def test_a_large_jpeg_is_opened_smaller_where_that_is_enough() -> None:
    content = encoded(Image.new("RGB", (1600, 1200), RED), "JPEG")
    assert open_image(content).size == (1600, 1200)
    assert open_image(content, at_least=128).size == (200, 150)


def bomb(width: int, height: int) -> bytes:
    """Return a PNG that promises more than it holds."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


PNG, JPEG = encoded(draw("discs", 1)), encoded(draw("discs", 1), "JPEG")
REFUSED = [
    (b"", "image_unknown"),
    (b"not a picture", "image_unknown"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image_unknown"),
    (encoded(draw("discs", 1), "GIF"), "image_unknown"),
    (encoded(draw("discs", 1), "TIFF"), "image_unknown"),
    (PNG[: len(PNG) // 2], "image_damaged"),
    (JPEG[: len(JPEG) // 2], "image_damaged"),
    (PNG[:100] + b"\0" * 40 + PNG[140:], "image_damaged"),
    (bomb(10_001, 10_000), "image_too_large"),
    (bomb(100_000, 100_000), "image_too_large"),
]


@pytest.mark.parametrize(("content", "reason"), REFUSED)
def test_what_cannot_be_used_is_refused_with_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(ImageError) as error:
        open_image(content)
    assert error.value.reason == reason


def test_a_file_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "LARGEST_FILE", 100)
    with pytest.raises(ImageError, match="bytes"):
        open_image(PNG)


@given(
    st.sampled_from([PNG, JPEG, encoded(draw("tiles", 1), "WEBP")]),
    st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), max_size=8),
    st.integers(0, 3000),
)
def test_a_spoilt_picture_is_opened_or_refused(content: bytes, spoilt: list[tuple[int, int]], kept: int) -> None:
    spoilt_content = bytearray(content[:kept])
    for place, byte in spoilt:
        if spoilt_content:
            spoilt_content[place % len(spoilt_content)] = byte
    with contextlib.suppress(ImageError):
        assert open_image(bytes(spoilt_content)).mode == "RGB"


def test_the_hash_is_of_the_bytes() -> None:
    assert image_hash(PNG) == image_hash(io.BytesIO(PNG).read()) != image_hash(JPEG)
    assert len(image_hash(PNG)) == 32
