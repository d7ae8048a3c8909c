"""Damaged picture files, and files that are no pictures, are refused with a sentence that names them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from hemonode.device.pictures import read_picture
from hemonode.errors import PictureError

# OpenCV 4.8, which is JetPack's, neither writes nor reads GIF.
GIF = pytest.param(".gif", marks=pytest.mark.skipif(not cv2.haveImageWriter(".gif"), reason="this OpenCV has no GIF"))


@pytest.fixture
def picture() -> np.ndarray:
    """48×64, smooth."""
    return np.dstack([np.add.outer(np.arange(48), np.arange(64)) + shift for shift in (0, 40, 80)]).astype(np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".tif", GIF])
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


def test_a_few_bytes_that_claim_a_gigantic_picture_are_refused_before_they_fill_the_memory(tmp_path: Path) -> None:
    small = cv2.imencode(".png", np.zeros((1, 1, 3), np.uint8))[1].tobytes()
    header = b"IHDR" + struct.pack(">II", 30_000, 30_000) + small[24:29]
    (tmp_path / "b.png").write_bytes(small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:])
    with pytest.raises(PictureError, match=r"30000×30000 px, more than 400 megapixels"):
        read_picture(tmp_path / "b.png")


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="not a file"):
        read_picture(tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty"), (b"only words\n", "not a picture"), (b"BMI of all patients\n", "not a picture")],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "n.png").write_bytes(content)
    with pytest.raises(PictureError, match=says):
        read_picture(tmp_path / "n.png")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"nowhere\.png"):
        read_picture(tmp_path / "nowhere.png")
