"""Picture files of every usual kind are read right, and damaged ones are refused with a sentence."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from hemonode.device.pictures import read_picture
from hemonode.errors import PictureError


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


def _with_exif_orientation(jpeg: bytes, orientation: int) -> bytes:
    tiff = b"MM\x00*" + struct.pack(">IH", 8, 1) + struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0) + b"\0" * 4
    body = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp", ".jpg", ".gif"])
def test_a_colour_picture_comes_back_in_its_colours(tmp_path: Path, picture: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    assert cv2.imwrite(str(path), picture)
    # GIF's few colours are dithered: what counts is the colour of each quarter.
    assert np.abs(_quarters(read_picture(path)) - _quarters(picture)).max() < 16


def test_a_grey_picture_becomes_three_equal_channels(tmp_path: Path, picture: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "g.png"), picture[..., 0])
    assert np.array_equal(read_picture(tmp_path / "g.png"), np.repeat(picture[..., :1], 3, axis=2))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_scaled_by_their_full_range(tmp_path: Path, picture: np.ndarray, suffix: str) -> None:
    cv2.imwrite(str(tmp_path / f"d{suffix}"), picture.astype(np.uint16) * 257)
    assert np.array_equal(read_picture(tmp_path / f"d{suffix}"), picture)


def test_a_floating_point_tiff_is_scaled_from_one(tmp_path: Path, picture: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "f.tif"), picture.astype(np.float32) / 255)
    assert np.array_equal(read_picture(tmp_path / "f.tif"), picture)


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


def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path, picture: np.ndarray) -> None:
    animation = cv2.Animation()
    animation.frames = [
        np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)]) for frame in (picture, picture // 2)
    ]
    animation.durations = np.array([100, 100])
    assert cv2.imwriteanimation(str(tmp_path / "a.gif"), animation)
    assert np.abs(_quarters(read_picture(tmp_path / "a.gif")) - _quarters(picture)).max() < 16


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".tif", ".gif"])
def test_a_truncated_picture_is_refused(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    cv2.imwrite(str(tmp_path / f"w{suffix}"), noise)
    data = (tmp_path / f"w{suffix}").read_bytes()
    (tmp_path / f"t{suffix}").write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(PictureError, match=f"t{suffix}"):
        read_picture(tmp_path / f"t{suffix}")


def test_a_thumbnails_end_does_not_make_a_truncated_jpeg_whole(tmp_path: Path, picture: np.ndarray) -> None:
    _, small = cv2.imencode(".jpg", picture[::4, ::4])
    _, data = cv2.imencode(".jpg", np.tile(picture, (4, 4, 1)))
    body = b"JFXX\x00\x10" + small.tobytes()
    jpeg = data.tobytes()
    whole = jpeg[:2] + b"\xff\xe0" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]
    (tmp_path / "whole.jpg").write_bytes(whole)
    (tmp_path / "cut.jpg").write_bytes(whole[:-200])
    read_picture(tmp_path / "whole.jpg")
    with pytest.raises(PictureError, match="truncated"):
        read_picture(tmp_path / "cut.jpg")


def test_a_changed_byte_in_a_png_is_noticed(tmp_path: Path, picture: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "c.png"), picture)
    data = bytearray((tmp_path / "c.png").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "c.png").write_bytes(data)
    with pytest.raises(PictureError, match="damaged"):
        read_picture(tmp_path / "c.png")


@pytest.mark.parametrize(("content", "says"), [(b"", "empty"), (b"only words\n", "not a picture")])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "n.png").write_bytes(content)
    with pytest.raises(PictureError, match=says):
        read_picture(tmp_path / "n.png")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"nowhere\.png"):
        read_picture(tmp_path / "nowhere.png")
