"""The folder of built plans: what lies where, what is in it, and what killed builds left there."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from hemonode.errors import EngineError
from hemonode.runtime.plans.files import FOLDER_VARIABLE, cannot_write, size_of
from hemonode.runtime.plans.key import BUILD_REVISION
from hemonode.runtime.plans.lock import held_if_free
from hemonode.runtime.plans.machine import Machine
from hemonode.runtime.plans.record import NewerRecord, UnreadableRecord, read_record
from hemonode.runtime.plans.stored import StoredPlan

COMPILED = "openvino"
"""Folder of the models that OpenVINO compiled, beside the plans."""


@dataclass(frozen=True)
class Entry:
    """A plan's folder, readable or not.

    Attributes:
        folder: of the plan.
        plan: with its record; None where the record cannot be read.
        fault: why it cannot be used on any machine, after a quick look; None: nothing was seen.
        newer: whether it is a newer hemonode's, which may well be able to use it.
    """

    folder: Path
    plan: StoredPlan | None
    fault: str | None
    newer: bool = False

    @property
    def name(self) -> str:
        """Of the folder."""
        return self.folder.name


class PlanCache:
    """`plans/NAME/` holds a plan, its record and the log of its build; everything else serves to make them.

    Args:
        folder: None is the one that `HEMONODE_ENGINES` names, or else hemonode's in the user's cache folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or engines_folder()).absolute()
        self.plans = self.folder / "plans"
        self._building = self.folder / "building"
        self._locks = self.folder / "locks"
        self._logs = self.folder / "logs"
        self._timing = self.folder / "timing"

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Make the folders, and turn what goes wrong with files during the block into a sentence.

        Raises:
            EngineError: no rights, no room, or something else is in the way.
        """
        try:
            for folder in (self.plans, self._building, self._locks, self._logs, self._timing):
                folder.mkdir(parents=True, exist_ok=True)
            yield
        except BrokenPipeError:
            # The terminal that was to hear of it has gone; that is no fault of this folder.
            raise
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def lock_of(self, name: str) -> Path:
        """The lock that is held while the plan of that name is built or deleted."""
        return self._locks / f"{name}.lock"

    def log_of(self, name: str) -> Path:
        """Where a build of that name writes; it stays there when the build fails."""
        return self._logs / f"{name}.log"

    def timing_of(self, machine: Machine) -> Path:
        """TensorRT's timing cache: one for each device and exact version, which is all that TensorRT accepts."""
        device = re.sub(r"[^A-Za-z0-9]+", "-", machine.gpu).strip("-")
        return self._timing / f"{device}-{machine.compute_capability}-tensorrt-{machine.tensorrt}.cache"

    def scratch(self, name: str) -> Path:
        """A new folder to build a plan in; for who holds its lock."""
        folder = self._building / f"{name}.{secrets.token_hex(4)}"
        folder.mkdir()
        return folder

    def put(self, scratch: Path, name: str) -> Path:
        """Make a scratch folder the plan of that name, in one step; for who holds its lock. Returns its new place."""
        target = self.plans / name
        # A folder that holds something cannot be renamed over.
        self.remove(name)
        scratch.rename(target)
        return target

    def remove(self, name: str) -> int:
        """Delete a plan, if there is one; for who holds its lock. Returns the bytes that were freed."""
        folder = self.plans / name
        if not folder.exists():
            return 0
        freed = size_of(folder)
        # First out of sight: half a plan is never seen, even if this is killed.
        doomed = self.scratch(name)
        folder.rename(doomed / name)
        # On NFS a file that somebody reads stays until he closes it; the next sweep takes it.
        shutil.rmtree(doomed, ignore_errors=True)
        return freed

    def sweep(self, holding: str | None = None) -> int:
        """Delete what killed builds left. Returns the bytes that were freed.

        Args:
            holding: the name whose lock the caller holds.
        """
        freed = 0
        for leftover in self._building.iterdir() if self._building.is_dir() else ():
            name = leftover.name.rpartition(".")[0]
            # Who builds holds the lock; a scratch folder without a holder has no builder any more.
            with contextlib.nullcontext(True) if name == holding else held_if_free(self.lock_of(name)) as mine:
                if mine:
                    freed += size_of(leftover)
                    shutil.rmtree(leftover, ignore_errors=True)
                    self.log_of(name).unlink(missing_ok=True)
        return freed

    def remove_helpers(self) -> int:
        """Delete the timing caches, the models that OpenVINO compiled, and the logs of builds that failed.

        Returns:
            The bytes that were freed.
        """
        freed = 0
        compiled = self.folder / COMPILED
        for file in (*self._timing.iterdir(), *(compiled.iterdir() if compiled.is_dir() else ())):
            freed += file.stat().st_size
            file.unlink()
        for log in self._logs.iterdir():
            with held_if_free(self.lock_of(log.stem)) as mine:
                if mine:
                    freed += log.stat().st_size
                    log.unlink()
        return freed

    def entries(self) -> list[Entry]:
        """Every plan there is, by name. Quick: no plan is read whole.

        Raises:
            EngineError: the folder cannot be read.
        """
        try:
            folders = sorted(path for path in self.plans.iterdir() if path.is_dir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise EngineError(
                f"the folder of built engines, {self.plans}, cannot be read ({error.strerror}); set "
                f"{FOLDER_VARIABLE} to another folder."
            ) from error
        return [_look_at(folder) for folder in folders]


def _look_at(folder: Path) -> Entry:
    try:
        plan = StoredPlan(folder, read_record(folder))
    except UnreadableRecord as error:
        return Entry(folder, None, str(error), isinstance(error, NewerRecord))
    if plan.record.key.revision > BUILD_REVISION:
        return Entry(folder, plan, "a newer hemonode builds it differently", newer=True)
    return Entry(folder, plan, plan.damage())


def engines_folder() -> Path:
    """Where everything lies that was built or compiled for this machine, unless somebody says otherwise."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_cache_dir("hemonode")) / "engines"
