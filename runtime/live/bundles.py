"""The bundles that a live view may be told to run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hemonode.errors import UnknownNameError
from hemonode.runtime.bundle.reader import Bundle, open_bundle


@dataclass(frozen=True)
class BundleChoice:
    """One: `path` is None for the bundle that ships with hemonode."""

    id: str
    name: str
    path: Path | None

    def open(self) -> Bundle:
        """Open and check it, as it is now.

        Raises:
            BundleError: not a bundle, or damaged.
        """
        return open_bundle(self.path)


class Bundles:
    """Those that were named when the view was started; no other can be asked for.

    Args:
        paths: None stands for the one that ships with hemonode.
    """

    def __init__(self, paths: Sequence[Path | None]) -> None:
        self.all = tuple(_choice(path) for path in dict.fromkeys(paths))

    def find(self, bundle_id: str) -> BundleChoice:
        """The bundle with an id.

        Raises:
            UnknownNameError: there is none.
        """
        for choice in self.all:
            if choice.id == bundle_id:
                return choice
        raise UnknownNameError("There is no such bundle; choose one of the list.")


def _choice(path: Path | None) -> BundleChoice:
    if path is None:
        return BundleChoice("shipped", "shipped with hemonode", None)
    identity = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    return BundleChoice(identity, path.name, path)
