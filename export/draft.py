"""A folder that is filled beside its final place and moved there whole, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hemonode.errors import OutputError
from hemonode.runtime.bundle.files import MANIFEST_NAME


def check_target(out: Path) -> None:
    """Refuse a place that holds anything but a bundle.

    Raises:
        OutputError: something that is not a bundle lies there, or its parent is no folder.
    """
    if out.is_symlink() or (out.exists() and not (out / MANIFEST_NAME).is_file()):
        raise OutputError(f"{out} exists and is not a bundle: name another place, or remove it first")
    if not out.parent.is_dir():
        raise OutputError(f"there is no folder {out.parent} to write {out.name} into: make it first")


@contextmanager
def drafted(out: Path) -> Iterator[Path]:
    """An empty folder to fill; it replaces the bundle at `out` when the block ends well, and vanishes otherwise.

    Raises:
        OutputError: `out` holds something that is not a bundle, or cannot be written.
    """
    check_target(out)
    try:
        draft = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        # mkdtemp makes a folder for its owner alone; a bundle is read by others too.
        draft.chmod(0o755)
    except OSError as error:
        raise OutputError(f"{out.parent} cannot be written ({error}): choose another place") from error
    try:
        yield draft
        _replace(draft, out)
    except OSError as error:
        raise OutputError(f"{out} cannot be written ({error}): make room or choose another place") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _replace(draft: Path, out: Path) -> None:
    former = Path(tempfile.mkdtemp(prefix=f".{out.name}.former.", dir=out.parent)) / out.name
    try:
        if out.exists():
            out.rename(former)
        try:
            draft.rename(out)
        except OSError:
            if former.exists():
                former.rename(out)
            raise
    finally:
        shutil.rmtree(former.parent, ignore_errors=True)
