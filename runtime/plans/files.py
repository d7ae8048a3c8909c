"""The disk below the built engines: room on it, what is really on it, and what to say where it takes nothing."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path

from hemonode.errors import EngineError

FOLDER_VARIABLE = "HEMONODE_ENGINES"
"""Environment variable that names another folder for built engines."""


def sync(path: Path) -> None:
    """Bring a file, or a folder's names, to the disk itself, so that it survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_room(folder: Path, needed_bytes: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises:
        EngineError: less than `needed_bytes` are free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise EngineError(
            f"building needs about {mib(needed_bytes)} MiB of disk at {folder}, where {mib(free)} MiB are free; make "
            f"room (hemonode engines clean), or set {FOLDER_VARIABLE} to a folder elsewhere."
        )


def cannot_write(folder: Path, error: OSError) -> EngineError:
    """The error that says that the folder of built engines takes no file, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EngineError(
            f"the disk is full at {folder}; make room (hemonode engines clean), or set {FOLDER_VARIABLE} to a folder "
            "elsewhere."
        )
    return EngineError(
        f"the folder of built engines, {folder}, cannot be written ({error.strerror}); make it writable, or set "
        f"{FOLDER_VARIABLE} to another folder."
    )


def mib(count: int) -> int:
    """Bytes as mebibytes, rounded up."""
    return -(-count // (1 << 20))


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += Path(parent, name).lstat().st_size
    return total
