"""Seal a bundle: hash every file and write `bundle.json` last, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from hemonode.errors import BundleError
from hemonode.runtime.atomic import write_atomically
from hemonode.runtime.bundle.files import MANIFEST_NAME, hash_file, list_files
from hemonode.runtime.bundle.schema import Manifest


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Write `folder/bundle.json` with the sha256 of every other file in the folder.

    Args:
        folder: the bundle, with all its graphs, weights and card in place.
        manifest: everything but `files`, which is replaced.

    Returns:
        The manifest as written.

    Raises:
        BundleError: the folder holds a link, or lacks a graph that the manifest names.
        OSError: the folder cannot be written.
    """
    names = list_files(folder)
    for setting in manifest.settings:
        for graph in setting.graphs.values():
            if graph not in names:
                raise BundleError(
                    f"{folder}: setting {setting.name!r} names the graph {graph}, which is not in the folder; "
                    f"export it before the bundle is sealed."
                )
    sealed = manifest.model_copy(update={"files": {name: hash_file(folder / name) for name in names}})
    write_atomically(folder / MANIFEST_NAME, (sealed.model_dump_json(indent=1) + "\n").encode())
    return sealed
