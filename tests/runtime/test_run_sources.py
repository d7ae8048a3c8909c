"""What `hemonode run` takes for its pictures, and what it says of those it cannot take."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from hemonode.errors import PictureError
from hemonode.runtime.batch.names import result_names
from hemonode.runtime.batch.sources import open_source


def _images(counts: Path) -> list[dict[str, str]]:
    with counts.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _named(folder: Path) -> list[str]:
    return [item.name for item in open_source(str(folder), 1).items]


def test_names_are_told_apart_also_where_case_does_not_count() -> None:
    files = [Path(name) for name in ("a.png", "A.jpg", "b.png", "x/c.png", "y/c.png", "c-png.jpg")]
    names = result_names(files)
    assert names == ["a-png", "A-jpg", "b", "c-png-2", "c-png-3", "c-png"]
    assert len({name.casefold() for name in names}) == len(names)


def test_hidden_files_and_other_files_are_no_pictures(tmp_path: Path) -> None:
    for name in ("10.png", "9.PNG", "._9.png", "notes.txt", "data.csv"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert _named(tmp_path) == ["9", "10"]
    assert _named(tmp_path / "*") == ["9", "10"]


def test_a_folder_of_folders_asks_for_a_glob(tmp_path: Path) -> None:
    (tmp_path / "slide 1").mkdir()
    (tmp_path / "slide 1" / "a.png").touch()
    with pytest.raises(PictureError, match="quoted glob"):
        open_source(str(tmp_path), 1)
    assert _named(tmp_path / "**" / "*.png") == ["a"]


def test_a_name_with_glob_signs_is_a_file_first(tmp_path: Path) -> None:
    (tmp_path / "a[1].png").touch()
    assert _named(tmp_path / "a[1].png") == ["a[1]"]


def test_results_alone_are_no_source(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "a.png").touch()
    assert _named(tmp_path / "masks") == ["a"]
    (tmp_path / "counts.csv").touch()
    with pytest.raises(PictureError, match="only results"):
        open_source(str(tmp_path / "masks"), 1)


@pytest.mark.parametrize("inside", [".", "a.png"])
def test_a_folder_without_rights_says_so(tmp_path: Path, inside: str) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    (locked / "a.png").touch()
    locked.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)  # root may read everything
        with pytest.raises(PictureError, match="check its permissions"):
            open_source(str(locked / inside), 1)
    finally:
        os.seteuid(user)
        locked.chmod(0o700)


def test_a_name_that_is_too_long_says_so() -> None:
    with pytest.raises(PictureError, match="too long"):
        open_source("x" * 300 + ".png", 1)


def test_file_names_of_any_bytes_and_broken_links_do_no_harm(run, smear: Path, tmp_path: Path) -> None:
    folder = tmp_path / "smears"
    folder.mkdir()
    shutil.copy(smear, os.fsencode(folder) + b"/Abstrich_\xe4.png")
    shutil.copy(smear, folder / '<b>&, "x" [red].png')
    (folder / "gone.png").symlink_to(tmp_path / "nowhere.png")
    ended = run(folder, "-o", "out", "--red-cell-px", 40)
    assert ended.status == 1
    assert "there is no file" in ended.err
    images = {row["image"] for row in _images(tmp_path / "out" / "counts.csv")}
    assert images == {"Abstrich_?", '<b>&, "x" [red]'}
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert [failure["image"] for failure in summary["failures"]] == ["gone"]
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "<b>&" not in page
    assert "overlays/Abstrich_%3F.jpg" in page


def test_a_video_whose_name_opencv_cannot_take_is_refused(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/Abstrich_\xe4.avi"
    Path(os.fsdecode(path)).write_bytes(b"RIFF")
    with pytest.raises(PictureError, match="rename it"):
        open_source(os.fsdecode(path), 1)


def test_of_an_animation_it_is_said_that_only_the_first_frame_was_read(run, smear: Path, tmp_path: Path) -> None:
    pixels = cv2.imread(str(smear))
    assert cv2.imwritemulti(str(tmp_path / "pages.tif"), [pixels, pixels // 2])
    ended = run("pages.tif", "-o", "out", "--red-cell-px", 40)
    assert ended.status == 0
    assert "only the first of 2 frames or pages" in ended.err
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert "first of 2" in summary["images"][0]["note"]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (200, 20_000)])
def test_pictures_of_odd_sizes_have_masks_of_their_size(run, tmp_path: Path, height: int, width: int) -> None:
    cv2.imwrite(str(tmp_path / "odd.png"), np.full((height, width, 3), 215, np.uint8))
    assert run("odd.png", "-o", "out", "--red-cell-px", 90).status == 0
    mask = cv2.imread(str(tmp_path / "out" / "masks" / "odd.png"), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (height, width)
    assert not mask.any()


def test_a_video_that_ends_too_early_keeps_its_frames_and_is_listed(run, smear: Path, tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (170, 160))
    for _ in range(12):
        writer.write(cv2.imread(str(smear)))
    writer.release()
    whole = (tmp_path / "v.avi").read_bytes()
    (tmp_path / "v.avi").write_bytes(whole[: len(whole) // 2])
    ended = run("v.avi", "-o", "out", "--red-cell-px", 40, "--every", 4)
    assert ended.status == 1
    assert "it may be truncated" in ended.err
    assert _images(tmp_path / "out" / "counts.csv")[0]["image"] == "v_000000"
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert [failure["image"] for failure in summary["failures"]] == ["v"]


@pytest.mark.parametrize("scale", [("--red-cell-px", "inf"), ("--red-cell-px", "nan"), ("--um-per-px", "inf")])
def test_a_scale_that_is_no_length_is_bad_usage(run, smear: Path, tmp_path: Path, scale: tuple[str, str]) -> None:
    assert run(smear, "-o", "out", *scale).status == 2
    assert run(smear, "-o", "out", "--red-cell-px", 40, "--um-per-px", 0.1).status == 2
    assert not (tmp_path / "out").exists()
