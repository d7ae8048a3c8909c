"""Write a file so that it is whole at any time, whatever interrupts the writing and whoever else writes it."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def write_atomically(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Replace a file's content in one step; its folder is there already.

    Args:
        path: of the file.
        data: all of it.
        durable: whether the content is on the disk itself before it has its name, so that a power cut, too, leaves
            either all of it or nothing.

    Raises:
        OSError: it cannot be written; what was there before is still there.
    """
    # A name of its own: two processes may write the same file.
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        # On a read-only disk even this fails.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
