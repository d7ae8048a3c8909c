"""Unpack a zipped bundle once, into a cache keyed by the zip's hash."""

from __future__ import annotations

import stat
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

import platformdirs

from hemonode.errors import BundleError
from hemonode.runtime.bundle.files import MANIFEST_NAME, hash_file


def cache_folder(archive: Path) -> Path:
    """Where this zip's content is kept, whether or not it is there yet."""
    return Path(platformdirs.user_cache_dir("hemonode")) / "bundles" / hash_file(archive)


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zipped bundle so that `target` appears whole or not at all.

    The zip holds the bundle's files at its top or within one folder.

    Raises:
        BundleError: not a zip, damaged, no `bundle.json` in it, or with a path or link that leads outside.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target: only within one file system is a rename atomic.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="unpacking-") as scratch:
            content = Path(scratch, "content")
            with zipfile.ZipFile(archive) as opened:
                _refuse_unsafe(archive, opened)
                opened.extractall(content)
            _move(_find_bundle(archive, content), target)
    # zipfile raises NotImplementedError for an unknown compression and RuntimeError for an encrypted member.
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise BundleError(f"{archive} is not a readable zip file ({error}); copy it again.") from error
    except OSError as error:
        raise BundleError(f"{archive} cannot be unpacked to {target} ({error}); make that place writable.") from error


def _refuse_unsafe(archive: Path, opened: zipfile.ZipFile) -> None:
    for member in opened.infolist():
        path = PurePosixPath(member.filename.replace("\\", "/"))
        leads_out = path.is_absolute() or ".." in path.parts or ":" in member.filename
        if leads_out or stat.S_ISLNK(member.external_attr >> 16):
            raise BundleError(
                f"{archive} holds {member.filename!r}, which leads outside the bundle; do not trust where it came from."
            )


def _find_bundle(archive: Path, content: Path) -> Path:
    for manifest in (content / MANIFEST_NAME, *content.glob(f"*/{MANIFEST_NAME}")):
        if manifest.is_file():
            return manifest.parent
    raise BundleError(f"{archive} holds no {MANIFEST_NAME}; it is not a bundle.")


def _move(bundle: Path, target: Path) -> None:
    try:
        bundle.rename(target)
    except OSError:
        # Another process may have unpacked the same zip meanwhile; its content is the same by its hash.
        if not target.is_dir():
            raise
