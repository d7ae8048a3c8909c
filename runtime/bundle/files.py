"""The files of a bundle: which there are, and their hashes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from hemonode.errors import BundleError

MANIFEST_NAME = "bundle.json"


def list_files(folder: Path) -> list[str]:
    """Every file below the folder except `bundle.json`, as sorted paths with forward slashes.

    Raises:
        BundleError: something in it is a symbolic link or not a plain file. A link would lead out of what is hashed.
    """
    names = []
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise BundleError(
                    f"{path} is a link or not a plain file; a bundle holds only plain files, copy it there."
                )
        names += [Path(parent, name).relative_to(folder).as_posix() for name in files]
    return sorted(name for name in names if name != MANIFEST_NAME)


def hash_file(path: Path) -> str:
    """The file's sha256, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
