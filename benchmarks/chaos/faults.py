"""What can go wrong beside a microscope, done on purpose to a running live view."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hemonode.benchmarks.chaos.program import Program, kill_child
from hemonode.errors import HemonodeError


@dataclass(frozen=True)
class Store:
    """Where the live view under test keeps its sessions; `own_disk` where that is a small disk of its own."""

    folder: Path
    own_disk: bool

    @property
    def database(self) -> Path:
        """The recorder's."""
        return next(self.folder.glob("*.db"))


Inject = Callable[[Program, Store], None]


@dataclass(frozen=True)
class Fault:
    """One fault: `inject` returns when its cause is gone again, from where the recovery is timed."""

    name: str
    what: str
    inject: Inject


def _switch(name: str, *, seconds: float | None = None, times: int | None = None) -> Inject:
    def inject(program: Program, _: Store) -> None:
        if seconds is not None:
            program.order(switch=name, seconds=seconds)
            time.sleep(seconds)
        else:
            program.order(switch=name, times=times)

    return inject


def _kill_camera(program: Program, _: Store) -> None:
    if not kill_child(program.pid):
        raise HemonodeError("the live view has no camera process to kill")


def _fill_disk(_: Program, store: Store) -> None:
    filler = store.folder / "filler"
    try:
        with filler.open("wb") as file:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
    except OSError:
        time.sleep(10)
    finally:
        filler.unlink(missing_ok=True)


def _lock_database(_: Program, store: Store) -> None:
    with sqlite3.connect(store.database, isolation_level=None, timeout=30) as other:
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(10)
        other.execute("ROLLBACK")
    other.close()


def _jump(seconds: float) -> Inject:
    def inject(program: Program, _: Store) -> None:
        program.order(clock_s=seconds)
        time.sleep(3)
        program.order(clock_s=0)

    return inject


def _kill(program: Program, _: Store) -> None:
    program.kill()
    program.start()
    program.post("/api/tally", {"action": "start", "proceed": True})
    program.post("/api/tally", {"action": "resume"})


FAULTS = (
    Fault("unplugged", "camera unplugged for 5 s, back under another index", _switch("camera_gone", seconds=5)),
    Fault("stall", "camera that gives nothing for 12 s, without an error", _switch("camera_stalls", seconds=12)),
    Fault("half frames", "20 pictures in a row of which half is missing", _switch("camera_half_frames", times=20)),
    Fault("hung camera", "a read of the camera that never returns", _switch("camera_hangs", times=1)),
    Fault("camera killed", "kill -9 of the camera's process, as by the system out of memory", _kill_camera),
    Fault("engine throws", "10 errors of the engine in a row", _switch("engine_throws", times=10)),
    Fault("engine hangs", "a run of the engine that never returns", _switch("engine_hangs", times=1)),
    Fault("disk full", "no byte left on the disk for 10 s", _fill_disk),
    Fault("locked", "the database locked by another program for 10 s", _lock_database),
    Fault("clock forward", "the wall clock a day ahead for 3 s", _jump(86_400)),
    Fault("clock back", "the wall clock an hour behind for 3 s", _jump(-3_600)),
    Fault("killed", "kill -9 of the live view, started again, the tally taken up", _kill),
)


def small_disk(folder: Path, mebibytes: int) -> bool:
    """Put a disk of its own under an empty folder. False where that is not ours to do."""
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        return False
    done = subprocess.run([mount, "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)], check=False)
    return done.returncode == 0


def remove_disk(folder: Path) -> None:
    """Take it away again."""
    subprocess.run(["umount", str(folder)], check=False)
