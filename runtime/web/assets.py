"""The page's own files, read once: no path that a client sends ever reaches the file system."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Asset:
    """A file of the page. `tag` changes with its content."""

    content: bytes
    media_type: str
    tag: str


def read_assets(folder: Path = STATIC) -> Mapping[str, Asset]:
    """All files below a folder, by their path in it, with `/`."""
    return {path.relative_to(folder).as_posix(): _asset(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if path.suffix == ".js":
        media_type = "text/javascript"  # what the system's table says differs, and browsers run nothing else
    return Asset(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
