"""Picture files of every usual kind are read right."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from hemonode.device.pictures import count_frames, read_picture
from hemonode.errors import PictureError

CMYK_JPEG = (
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAWEBETFBUVFQwPFxgWFBgS"
    "FBUU/8AAFAgACAAQBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAkACv/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAOBEMATQBZAEsA"
    "AD8AVMVQqippqoaqE//Z"
)

# OpenCV 4.8, which is JetPack's, neither writes nor reads GIF; animations came later still.
GIF = pytest.param(".gif", marks=pytest.mark.skipif(not cv2.haveImageWriter(".gif"), reason="this OpenCV has no GIF"))


@pytest.fixture
def picture() -> np.ndarray:
    """48×64 with a different colour in each quarter, so that a turn or a swapped channel shows."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:24, :32], pixels[:24, 32:] = (200, 40, 40), (40, 200, 40)
    pixels[24:, :32], pixels[24:, 32:] = (40, 40, 200), (220, 220, 220)
    return pixels


def _quarters(pixels: np.ndarray) -> np.ndarray:
    assert pixels.shape == (48, 64, 3)
    return pixels.reshape(2, 24, 2, 32, 3).mean(axis=(1, 3))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _exif(orientation: int) -> bytes:
    return b"MM\x00*" + struct.pack(">IH", 8, 1) + struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0) + b"\0" * 4


def _with_exif_orientation(jpeg: bytes, orientation: int) -> bytes:
    body = b"Exif\x00\x00" + _exif(orientation)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp", ".jpg", GIF])
def test_a_colour_picture_comes_back_in_its_colours(tmp_path: Path, picture: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    assert cv2.imwrite(str(path), picture)
    # GIF's few colours are dithered: what counts is the colour of each quarter.
    assert np.abs(_quarters(read_picture(path)) - _quarters(picture)).max() < 16


def test_a_grey_picture_becomes_three_equal_channels(tmp_path: Path, picture: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "g.png"), picture[..., 0])
    assert np.array_equal(read_picture(tmp_path / "g.png"), np.repeat(picture[..., :1], 3, axis=2))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_sixteen_bits_are_scaled_by_the_depth_of_the_camera(
    tmp_path: Path, picture: np.ndarray, suffix: str, bits: int
) -> None:
    deep = np.round(picture / 255 * (2**bits - 1)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / f"d{suffix}"), deep)
    assert np.array_equal(read_picture(tmp_path / f"d{suffix}"), picture)


def test_sixteen_bit_transparency_does_not_darken_the_picture(tmp_path: Path, picture: np.ndarray) -> None:
    deep = picture.astype(np.uint16) * 16
    cv2.imwrite(str(tmp_path / "d.png"), np.dstack([deep, np.full((48, 64), 65535, np.uint16)]))
    assert np.abs(read_picture(tmp_path / "d.png").astype(int) - picture).max() <= 1


def test_a_floating_point_tiff_is_scaled_from_one(tmp_path: Path, picture: np.ndarray) -> None:
    # Older OpenCVs would compress it with a loss.
    uncompressed = (cv2.IMWRITE_TIFF_COMPRESSION, 1)
    cv2.imwrite(str(tmp_path / "f.tif"), picture.astype(np.float32) / 255, uncompressed)
    assert np.array_equal(read_picture(tmp_path / "f.tif"), picture)


@pytest.mark.parametrize("value", [200.0, -1.0, np.nan])
def test_floating_point_of_another_range_is_refused_and_not_clipped(
    tmp_path: Path, picture: np.ndarray, value: float
) -> None:
    pixels = picture.astype(np.float32) / 255
    pixels[5, 5] = value
    cv2.imwrite(str(tmp_path / "f.tif"), pixels, (cv2.IMWRITE_TIFF_COMPRESSION, 1))
    with pytest.raises(PictureError, match="8 or 16 bits"):
        read_picture(tmp_path / "f.tif")


def test_a_half_transparent_tiff_is_put_on_white(tmp_path: Path) -> None:
    rgba = bytes([200, 100, 0, 128]) * 64
    tags = [(256, 4, 8), (257, 4, 8), (258, 3, 8), (259, 3, 1), (262, 3, 2), (273, 4, 8), (277, 3, 4), (278, 4, 8)]
    tags += [(279, 4, 256), (338, 3, 2)]
    entries = b"".join(struct.pack("<HHI", tag, kind, 1) + struct.pack("<I", value) for tag, kind, value in tags)
    directory = struct.pack("<H", len(tags)) + entries.replace(
        struct.pack("<HHII", 258, 3, 1, 8), struct.pack("<HHII", 258, 3, 4, 264)
    )
    tiff = b"II*\0" + struct.pack("<I", 272) + rgba + struct.pack("<4H", 8, 8, 8, 8) + directory + bytes(4)
    (tmp_path / "t.tif").write_bytes(tiff)
    expected = np.array([127, 177, 227])  # 128 of 255 parts of (0, 100, 200) BGR, the rest white
    assert np.abs(read_picture(tmp_path / "t.tif").astype(int) - expected).max() <= 1


def test_transparency_is_put_on_white(tmp_path: Path, picture: np.ndarray) -> None:
    opacity = np.zeros((48, 64, 1), np.uint8)
    opacity[:, :32] = 255
    cv2.imwrite(str(tmp_path / "t.png"), np.concatenate([picture, opacity], axis=2))
    read = read_picture(tmp_path / "t.png")
    assert np.array_equal(read[:, :32], picture[:, :32])
    assert (read[:, 32:] == 255).all()


def test_a_palette_is_resolved(tmp_path: Path) -> None:
    rows = b"".join(b"\x00" + bytes([row % 2] * 4) for row in range(4))
    header = struct.pack(">IIBBBBB", 4, 4, 8, 3, 0, 0, 0)
    palette = bytes([255, 0, 0, 0, 0, 255])
    body = [(b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    (tmp_path / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in body))
    read = read_picture(tmp_path / "p.png")
    assert read[0, 0].tolist() == [0, 0, 255]
    assert read[1, 0].tolist() == [255, 0, 0]


def test_exif_orientation_turns_the_picture_upright(tmp_path: Path, picture: np.ndarray) -> None:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 100])
    (tmp_path / "e.jpg").write_bytes(_with_exif_orientation(data.tobytes(), 6))
    read = read_picture(tmp_path / "e.jpg")
    assert read.shape == (64, 48, 3)
    upright = cv2.rotate(picture, cv2.ROTATE_90_CLOCKWISE)
    assert np.abs(read.astype(int) - upright).mean() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_and_transparent_pictures_are_turned_as_others_are(
    tmp_path: Path, picture: np.ndarray, orientation: int
) -> None:
    chunk = _chunk(b"eXIf", _exif(orientation))
    kinds = {
        "plain": picture,
        "deep": picture.astype(np.uint16) * 257,
        "rgba": np.dstack([picture, picture[..., :1] | 255]),
    }
    for name, pixels in kinds.items():
        png = cv2.imencode(".png", pixels)[1].tobytes()
        (tmp_path / f"{name}.png").write_bytes(png[:33] + chunk + png[33:])
    # OpenCV turns plain pictures by itself.
    upright = cv2.imread(str(tmp_path / "plain.png"))
    assert (upright.shape == picture.shape) == (orientation < 5)
    for name in kinds:
        assert np.array_equal(read_picture(tmp_path / f"{name}.png"), upright)


def test_a_transparent_webp_is_turned_upright(tmp_path: Path, picture: np.ndarray) -> None:
    webp = cv2.imencode(".webp", np.dstack([picture, picture[..., :1] | 255]), [cv2.IMWRITE_WEBP_QUALITY, 101])[1]
    extended = b"VP8X" + struct.pack("<IB3x", 10, 0x18) + struct.pack("<I", 63)[:3] + struct.pack("<I", 47)[:3]
    body = b"WEBP" + extended + webp.tobytes()[12:] + b"EXIF" + struct.pack("<I", len(_exif(6))) + _exif(6)
    (tmp_path / "t.webp").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    assert np.array_equal(read_picture(tmp_path / "t.webp"), cv2.rotate(picture, cv2.ROTATE_90_CLOCKWISE))


def test_an_inverted_cmyk_jpeg_has_its_colours(tmp_path: Path) -> None:
    # 16×8 px, red left and white right, as Adobe's programs write CMYK: 255 is no ink.
    (tmp_path / "c.jpg").write_bytes(base64.b64decode(CMYK_JPEG))
    read = read_picture(tmp_path / "c.jpg").astype(int)
    assert read.shape == (8, 16, 3)
    assert np.abs(read[:, :8] - (0, 0, 255)).max() < 24
    assert np.abs(read[:, 8:] - 255).max() < 24


@pytest.mark.skipif(not hasattr(cv2, "Animation"), reason="this OpenCV writes no animations")
@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path, picture: np.ndarray, suffix: str) -> None:
    animation = cv2.Animation()
    animation.frames = [
        np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)]) for frame in (picture, picture // 2)
    ]
    animation.durations = np.array([100, 100])
    assert cv2.imwriteanimation(str(tmp_path / f"a{suffix}"), animation)
    assert np.abs(_quarters(read_picture(tmp_path / f"a{suffix}")) - _quarters(picture)).max() < 16
    assert count_frames(tmp_path / f"a{suffix}") == 2


def test_of_several_pages_the_first_is_taken(tmp_path: Path, picture: np.ndarray) -> None:
    assert cv2.imwritemulti(str(tmp_path / "m.tif"), [picture, picture // 2, picture // 4])
    assert np.array_equal(read_picture(tmp_path / "m.tif"), picture)
    assert count_frames(tmp_path / "m.tif") == 3


@pytest.mark.skipif(not cv2.haveImageWriter(".gif"), reason="this OpenCV has no GIF")
def test_what_follows_the_end_of_a_gif_does_no_harm(tmp_path: Path, picture: np.ndarray) -> None:
    gif = cv2.imencode(".gif", picture)[1].tobytes()
    (tmp_path / "g.gif").write_bytes(gif + b"\r\n")
    assert read_picture(tmp_path / "g.gif").shape == picture.shape


def test_the_oldest_kind_of_bmp_is_coloured(tmp_path: Path) -> None:
    header = b"BM" + struct.pack("<IHHI", 26 + 48, 0, 0, 26) + struct.pack("<IHHHH", 12, 4, 4, 1, 24)
    (tmp_path / "o.bmp").write_bytes(header + bytes([10, 20, 200] * 16))
    assert (read_picture(tmp_path / "o.bmp") == (10, 20, 200)).all()
