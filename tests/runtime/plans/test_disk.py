"""A disk that is full, a folder that nobody may write: one sentence, and the cache as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hemonode.errors import EngineError
from hemonode.runtime.plans.store import Absent, Listener


@pytest.fixture
def small_disk(tmp_path: Path):
    """A real file system of 1 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a full disk needs the right to mount one: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_too_little_room_is_said_before_anything_is_built(small_disk, store, order, starts):
    with pytest.raises(EngineError, match=r"needs about \d+ MiB .* where 1 MiB are free.*HEMONODE_ENGINES"):
        store(folder=small_disk).build(order)
    assert starts() == 0


def test_a_disk_that_is_full_when_the_plan_is_written_leaves_the_cache_as_it_was(small_disk, store, order, monkeypatch):
    monkeypatch.setattr("hemonode.runtime.plans.store.check_room", lambda *_: None)
    there = store("full", folder=small_disk)
    with pytest.raises(EngineError, match=r"cannot be written \(No space left on device\)"):
        there.build(order)
    assert list((small_disk / "building").iterdir()) == []
    assert isinstance(there.find(order), Absent)


def test_a_disk_that_is_full_when_the_record_is_written_leaves_the_cache_as_it_was(
    small_disk, store, order, monkeypatch
):
    monkeypatch.setattr("hemonode.runtime.plans.store.check_room", lambda *_: None)
    there = store("pause", folder=small_disk)
    # The last step comes before the pause, the plan of two pages after it.
    fill_up = Listener(progress=lambda progress: fill(small_disk, 8192) if progress.step == 2 else None)
    with pytest.raises(EngineError, match="the disk is full at"):
        there.build(order, listener=fill_up)
    assert list((small_disk / "building").iterdir()) == []
    assert isinstance(there.find(order), Absent)


def fill(disk: Path, leave: int) -> None:
    """Until so many bytes are left."""
    with (disk / "filler").open("ab", buffering=0) as file:
        free = os.statvfs(disk)
        size = free.f_bavail * free.f_bsize - leave
        if size > 0:
            file.write(bytes(size))


def test_a_file_where_the_folder_should_be_is_one_sentence(tmp_path, store, order):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EngineError, match=r"cannot be written \(Not a directory\).*HEMONODE_ENGINES"):
        store(folder=tmp_path / "file" / "engines").build(order)


@pytest.fixture
def closed(filled_cache: Path, tmp_path: Path):
    """A cache with the plan of `order`, which may only be read."""
    engines = tmp_path / "closed"
    engines.mkdir()
    if os.geteuid() != 0:
        shutil.copytree(filled_cache, engines, dirs_exist_ok=True)
        folders = [engines, *(path for path in engines.rglob("*") if path.is_dir())]
        for folder in folders:
            folder.chmod(0o555)
        yield engines
        for folder in folders:
            folder.chmod(0o755)
        return
    # No rights keep root out; a read-only file system does.
    mounted = subprocess.run(["mount", "-t", "tmpfs", "none", str(engines)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"root needs the right to mount: {mounted.stderr.decode().strip()}")
    shutil.copytree(filled_cache, engines, dirs_exist_ok=True)
    subprocess.run(["mount", "-o", "remount,ro", str(engines)], check=True)
    yield engines
    subprocess.run(["umount", "--lazy", str(engines)], check=True)


def test_a_folder_that_may_only_be_read_still_gives_its_plans(closed, store, order):
    there = store(folder=closed)
    assert there.obtain(order, may_build=False)[1]
    with pytest.raises(EngineError, match=r"cannot be written \((Permission denied|Read-only file system)\).*HEMONODE"):
        there.build(order, rebuild=True)
