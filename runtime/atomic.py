"""Write a file so that it is whole at any time, whatever interrupts the writing and whoever else writes it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file's content in one step; its folder is there already.

    Raises:
        OSError: it cannot be written; what was there before is still there.
    """
    # A name of its own: two processes may write the same file.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        # mkstemp's files are private; results are as open as the user's other files.
        partial.chmod(0o666 & ~_umask())
        partial.replace(path)
    except BaseException:
        # On a read-only disk even this fails.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
