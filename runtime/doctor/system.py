"""Checks of the ground everything stands on: Python, memory, disk."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hemonode import __version__
from hemonode.device.host.memory import read_memory
from hemonode.device.host.power import power_modes
from hemonode.device.host.processor import processor_name
from hemonode.device.host.thermal import temperatures_c
from hemonode.runtime.doctor.finding import Facts, Finding, green, red, yellow
from hemonode.runtime.doctor.machine import Machine

OLDEST_PYTHON, FIRST_UNTESTED_PYTHON = (3, 10), (3, 14)

LEAST_MEMORY_BYTES = 300e6
"""A page, an engine and a picture take about that."""

ROOMY_MEMORY_BYTES = 1e9
"""TensorRT builds, and several engines at once, take more than that."""

LEAST_DISK_BYTES, ROOMY_DISK_BYTES = 100e6, 1e9
"""One built engine; several, with what building leaves on the way."""

LEAST_SHARED_BYTES = 32e6
"""Some camera libraries pass frames through shared memory, and die by a bus error where it is full."""

HOT_C = 85.0
"""From about here processors and Jetsons slow down by themselves."""


def python(_: Machine) -> Iterator[Finding]:
    """Python, hemonode and the platform."""
    here = f"hemonode {__version__} on Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    facts: Facts = {"hemonode": __version__, "python": platform.python_version(), "executable": sys.executable}
    if OLDEST_PYTHON <= sys.version_info < FIRST_UNTESTED_PYTHON:
        yield green(f"{here}.", **facts, platform=platform.platform())
    else:
        yield yellow(
            f"{here}, for which hemonode is not tested.",
            "Use Python 3.10 to 3.13.",
            **facts,
            platform=platform.platform(),
        )


def processor(machine: Machine) -> Iterator[Finding]:
    """Processor, power mode and temperature; what is a Jetson's own is told there."""
    name, modes = processor_name(machine.root), power_modes(machine.root)
    cores = os.cpu_count() or 1
    told = "".join(f", {what} {mode}" for what, mode in modes.items())
    if modes.get("platform profile") == "low-power":
        yield yellow(f"{name}, {cores} cores{told}.", "Choose another power profile: powerprofilesctl set balanced")
    else:
        yield green(f"{name}, {cores} cores{told}.", processor=name, cores=cores)
    temperatures = temperatures_c(machine.root)
    if temperatures:
        where, hottest = max(temperatures.items(), key=lambda item: item[1])
        if hottest >= HOT_C:
            yield yellow(
                f"{where} is {hottest:.0f} °C hot, so that the clocks go down.",
                "Look at the fan and the air around the machine.",
                hottest_c=hottest,
            )
        else:
            yield green(f"The warmest sensor, {where}, tells {hottest:.0f} °C.", hottest_c=hottest)


def memory(machine: Machine) -> Iterator[Finding]:
    """Free memory."""
    found = read_memory(machine.root)
    if found is None:
        yield yellow("This system does not tell how much memory is free.", "Look that at least 1 GB is.")
        return
    sentence = f"{_gb(found.available_bytes)} of {_gb(found.total_bytes)} of memory are free."
    facts: Facts = {
        "available_bytes": found.available_bytes,
        "total_bytes": found.total_bytes,
        "swap_bytes": found.swap_bytes,
    }
    if found.available_bytes < LEAST_MEMORY_BYTES:
        yield red(sentence, "End other programs: hemonode needs about 300 MB.", **facts)
    elif found.available_bytes < ROOMY_MEMORY_BYTES:
        yield yellow(sentence, "End other programs before engines are built; on a Jetson, the desktop.", **facts)
    else:
        yield green(sentence, **facts)


def disk(machine: Machine) -> Iterator[Finding]:
    """Room and rights in the cache folder and for temporary files, and shared memory."""
    # Not at the top: without it nothing but this check breaks.
    import platformdirs

    yield _folder("The cache folder", platformdirs.user_cache_path("hemonode"))
    yield _folder("The folder for temporary files", Path(tempfile.gettempdir()))
    shared = machine.root / "dev/shm"
    if shared.is_dir():
        usage = shutil.disk_usage(shared)
        sentence = f"{_gb(usage.free)} of {_gb(usage.total)} of shared memory (/dev/shm) are free."
        if usage.free < LEAST_SHARED_BYTES:
            advice = "Remove what lies there; in docker give --shm-size=256m or --ipc=host."
            yield yellow(sentence, advice, free_bytes=usage.free)
        else:
            yield green(sentence, free_bytes=usage.free)


def _folder(what: str, folder: Path) -> Finding:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    facts: Facts = {"folder": str(folder), "free_bytes": free}
    try:
        # Rights alone do not tell of a file system that is mounted read-only.
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return red(
            f"{what}, {folder}, cannot be written ({error.strerror}).",
            "Make it writable, or set XDG_CACHE_HOME or TMPDIR to a folder that is.",
            **facts,
        )
    if free < LEAST_DISK_BYTES:
        return red(f"{what}, {folder}, has {_gb(free)} left.", "Make room: hemonode engines clean", **facts)
    if free < ROOMY_DISK_BYTES:
        return yellow(f"{what}, {folder}, has {_gb(free)} left.", "Make room before engines are built.", **facts)
    return green(f"{what}, {folder}, can be written and has {_gb(free)} left.", **facts)


def _gb(count: float) -> str:
    return f"{count / 1e9:.1f} GB"
