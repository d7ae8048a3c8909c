"""Compiled OpenVINO models, kept between runs: opening one takes about 60 % of the time of compiling it.

OpenVINO's own cache believes what it finds: a file in it with flipped bits gave masks without one right pixel. Here
each file begins with the sha256 of the rest.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from hemonode.runtime.atomic import write_atomically
from hemonode.runtime.plans.cache import COMPILED, engines_folder

_MOST_FILES = 32
"""Each is as large as the weights, and serves one frame size; the least recently used ones go first."""

_DIGEST_BYTES = 32


def cache_folder() -> Path:
    """Where they lie."""
    return engines_folder() / COMPILED


def load_compiled(key: str) -> bytes | None:
    """What was kept under a key, if it is there and undamaged."""
    path = cache_folder() / f"{key}.blob"
    try:
        content = path.read_bytes()
        path.touch()  # the least recently used is told by the time
    except OSError:
        return None
    digest, compiled = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return compiled if hashlib.sha256(compiled).digest() == digest else None


def keep_compiled(key: str, compiled: bytes) -> None:
    """Keep a compiled model under a key, a hash of all that it depends on."""
    folder = cache_folder()
    # Without room or rights it is compiled again next time; nothing else is lost.
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / f"{key}.blob", hashlib.sha256(compiled).digest() + compiled)
        # What a killed process had begun to write is among them.
        oldest_last = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in oldest_last[_MOST_FILES:]:
            path.unlink(missing_ok=True)
