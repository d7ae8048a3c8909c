"""A bundle proves itself before it is believed: damage, newer schemas and traps are refused with a sentence."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from hemonode.errors import BundleError
from hemonode.runtime.bundle.reader import Bundle, open_bundle


@pytest.fixture
def copied(colour_bundle: Bundle, tmp_path: Path) -> Path:
    folder = tmp_path / "copy.hemo"
    shutil.copytree(colour_bundle.folder, folder)
    return folder


def _zip(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder))
    return archive


def _edit(folder: Path, **changes: object) -> None:
    manifest = folder / "bundle.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **changes}))


def test_a_copy_is_the_same_bundle(colour_bundle: Bundle, copied: Path) -> None:
    assert open_bundle(copied).sha256 == colour_bundle.sha256


def test_the_shipped_bundle_opens() -> None:
    bundle = open_bundle(None)
    assert {entry.name for entry in bundle.classes} == {"background", "white_cell", "red_cell", "platelet"}
    for setting in bundle.manifest.settings:
        # FP16 cannot hold 1e-4.
        assert set(setting.graphs) == ({"fp32"} if setting.name == "tol1e-4" else {"fp32", "fp16"})
        assert all(bundle.graph_path(setting.name, precision).is_file() for precision in setting.graphs)


@pytest.mark.parametrize("name", ["card.md", "solvers/weights.fp32.bin", "solvers/rk4-1.fp32.onnx"])
def test_one_changed_byte_is_noticed(copied: Path, name: str) -> None:
    data = bytearray((copied / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copied / name).write_bytes(data)
    with pytest.raises(BundleError, match="damaged"):
        open_bundle(copied)


def test_a_missing_and_an_extra_file_are_named(copied: Path) -> None:
    (copied / "extra.txt").write_text("x")
    with pytest.raises(BundleError, match=r"extra\.txt"):
        open_bundle(copied)
    (copied / "extra.txt").unlink()
    (copied / "card.md").unlink()
    with pytest.raises(BundleError, match=r"card\.md"):
        open_bundle(copied)


def test_a_newer_schema_asks_for_an_upgrade(copied: Path) -> None:
    _edit(copied, schema_version=99)
    with pytest.raises(BundleError, match="upgrade hemonode"):
        open_bundle(copied)


def test_a_missing_setting_lists_those_there_are(colour_bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="euler-1, rk4-1"):
        colour_bundle.setting("dopri5-9")


def test_a_link_is_refused(copied: Path) -> None:
    (copied / "card.md").unlink()
    (copied / "card.md").symlink_to("/etc/hostname")
    with pytest.raises(BundleError, match="link"):
        open_bundle(copied)


def test_a_zipped_bundle_is_the_same(
    copied: Path, colour_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    archive = _zip(copied, tmp_path / "b.hemo")
    assert open_bundle(archive).sha256 == colour_bundle.sha256
    assert open_bundle(archive).graph_path("euler-1").is_file()


def test_a_zip_that_reaches_outside_is_refused(copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    archive = _zip(copied, tmp_path / "trap.hemo")
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("../../escaped.txt", "x")
    with pytest.raises(BundleError, match="outside"):
        open_bundle(archive)
    assert not list(tmp_path.rglob("escaped.txt"))


def test_what_is_no_bundle_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "words.hemo").write_text("only words")
    for path in (tmp_path / "words.hemo", tmp_path, tmp_path / "nowhere.hemo"):
        with pytest.raises(BundleError, match=path.name):
            open_bundle(path)
