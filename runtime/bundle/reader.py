"""Open a bundle, a folder or a zip, and believe nothing in it before its hashes are checked."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from hemonode.errors import BundleError
from hemonode.runtime.bundle.files import MANIFEST_NAME, hash_file, list_files
from hemonode.runtime.bundle.schema import SCHEMA_VERSION, Manifest, Precision, SolverSetting
from hemonode.runtime.bundle.unpack import cache_folder, unpack
from hemonode.runtime.classes import CellClass

ASSETS = Path(__file__).resolve().parents[1] / "assets"


@dataclass(frozen=True)
class Bundle:
    """A checked bundle.

    Attributes:
        folder: where its files lie (for a zip, the cache).
        manifest: its `bundle.json`.
        sha256: of `bundle.json`, which holds the hash of every other file: the bundle's identity.
    """

    folder: Path
    manifest: Manifest
    sha256: str

    @property
    def classes(self) -> tuple[CellClass, ...]:
        """The mask classes, in the order of the manifest."""
        return tuple(CellClass(c.id, c.name, c.colour_bgr, c.countable) for c in self.manifest.classes)

    def setting(self, name: str | None = None) -> SolverSetting:
        """A solver setting by its name; None is the default one.

        Raises:
            BundleError: no setting of that name; the sentence lists those there are.
        """
        wanted = name if name is not None else self.manifest.default_setting
        for setting in self.manifest.settings:
            if setting.name == wanted:
                return setting
        names = ", ".join(setting.name for setting in self.manifest.settings)
        raise BundleError(f"{self.folder} has no solver setting {wanted!r}; choose one of: {names}.")

    def graph_path(self, setting: str | None = None, precision: Precision = "fp32") -> Path:
        """The ONNX graph of a setting.

        Raises:
            BundleError: no such setting, or it has no graph in that precision.
        """
        chosen = self.setting(setting)
        if precision not in chosen.graphs:
            there = ", ".join(chosen.graphs) or "none"
            raise BundleError(f"{self.folder}: setting {chosen.name!r} has no {precision} graph; it has: {there}.")
        return self.folder / chosen.graphs[precision]


def open_bundle(path: Path | None = None) -> Bundle:
    """Open and check a bundle.

    Args:
        path: a bundle folder or a zipped bundle; None is the one that ships with hemonode.

    Raises:
        BundleError: not a bundle, damaged, written by a newer hemonode, or contradicting itself.
    """
    path = _shipped() if path is None else Path(path)
    if path.is_dir():
        return _read_folder(path, str(path))
    if not path.is_file():
        raise BundleError(f"{path} does not exist; give a bundle folder (NAME.hemo) or a zipped bundle.")
    return _read_zip(path)


def _shipped() -> Path:
    found = sorted(ASSETS.glob("*.hemo"))
    if len(found) != 1:
        raise BundleError(
            f"{ASSETS} holds {len(found)} bundles where hemonode ships with one; install it again or name a bundle."
        )
    return found[0]


def _read_zip(path: Path) -> Bundle:
    folder = cache_folder(path)
    if folder.is_dir():
        try:
            return _read_folder(folder, str(path))
        except BundleError:
            # The cache was tampered with or half deleted, or the zip itself is bad: the zip decides.
            shutil.rmtree(folder, ignore_errors=True)
    unpack(path, folder)
    return _read_folder(folder, str(path))


def _read_folder(folder: Path, shown: str) -> Bundle:
    """`shown` is the path the user gave, for the error sentences."""
    try:
        content = (folder / MANIFEST_NAME).read_bytes()
        manifest = _parse(content, shown)
        _check_files(folder, manifest, shown)
    except OSError as error:
        raise BundleError(
            f"{shown} is not a readable bundle ({error}); give a folder that holds {MANIFEST_NAME}."
        ) from error
    _check_references(manifest, shown)
    return Bundle(folder, manifest, hashlib.sha256(content).hexdigest())


def _parse(content: bytes, shown: str) -> Manifest:
    try:
        fields = json.loads(content)
        version = fields["schema_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(
            f"{shown}: {MANIFEST_NAME} is damaged or not ours ({error!r}); copy the bundle again."
        ) from error
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise BundleError(
            f"{shown} was written by a newer hemonode (schema {version}, this one reads up to {SCHEMA_VERSION}); "
            f"upgrade hemonode."
        )
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BundleError(
            f"{shown}: {MANIFEST_NAME} is not valid at {where!r}: {first['msg']}; export it again."
        ) from error


def _check_files(folder: Path, manifest: Manifest, shown: str) -> None:
    there = set(list_files(folder))
    if missing := sorted(manifest.files.keys() - there):
        raise BundleError(f"{shown} lacks {missing[0]}, which its {MANIFEST_NAME} lists; copy the bundle again.")
    if extra := sorted(there - manifest.files.keys()):
        raise BundleError(f"{shown} holds {extra[0]}, which its {MANIFEST_NAME} does not list; remove that file.")
    for name, expected in manifest.files.items():
        if hash_file(folder / name) != expected:
            raise BundleError(f"{shown}: {name} is damaged (not the recorded sha256); copy the bundle again.")


def _check_references(manifest: Manifest, shown: str) -> None:
    names = [setting.name for setting in manifest.settings]
    if manifest.default_setting not in names:
        raise BundleError(
            f"{shown}: the default setting {manifest.default_setting!r} is not among its settings "
            f"({', '.join(names)}); export it again."
        )
    for setting in manifest.settings:
        for graph in setting.graphs.values():
            if graph not in manifest.files:
                raise BundleError(f"{shown}: setting {setting.name!r} names {graph}, which it lacks; export it again.")
