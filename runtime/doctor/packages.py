"""Checks of the Python packages: what is there, and what stands in its own way."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from hemonode.device.host.jetson import find_jetson
from hemonode.runtime.doctor.finding import Finding, green, red
from hemonode.runtime.doctor.machine import Machine

SHOWN = (
    "numpy",
    "opencv-python-headless",
    "opencv-python",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "tensorrt",
    "cuda-bindings",
    "pycuda",
    "pyserial",
    "fastapi",
    "torch",
)

# Distributions that put the same package into the same folder, so that the last one installed wins, in part.
CONFLICTS = {
    "cv2": ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python"),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml"),
}


def versions(machine: Machine) -> Iterator[Finding]:
    """What is installed."""
    there = {name: machine.distributions[name] for name in SHOWN if name in machine.distributions}
    absent = [name for name in SHOWN if name not in there]
    listed = ", ".join(f"{name} {version}" for name, version in there.items()) or "none of the known packages"
    yield green(f"Installed: {listed}.", **there, absent=absent)


def conflicts(machine: Machine) -> Iterator[Finding]:
    """Distributions that overwrite each other, and an OpenCV that hides JetPack's."""
    clear = True
    for package, names in CONFLICTS.items():
        present = [name for name in names if name in machine.distributions]
        if len(present) > 1:
            clear = False
            yield red(
                f"{' and '.join(present)} are both installed, and overwrite each other's {package}.",
                f"Keep one: pip uninstall {' '.join(present)}, then install it again.",
                installed=present,
            )
    places = packages_called("cv2", sys.path)
    if find_jetson(machine.root) is not None and len(places) > 1:
        clear = False
        yield red(
            f"OpenCV is there {len(places)} times ({', '.join(places)}): the first one hides JetPack's, which "
            "alone has GStreamer.",
            "Run: pip uninstall opencv-python opencv-python-headless",
            places=places,
        )
    if clear:
        yield green("No distributions stand in each other's way.")


def packages_called(name: str, path: Sequence[str]) -> list[str]:
    """Every folder of an import path that has a package of that name."""
    found = []
    for folder in dict.fromkeys(path):
        # PathFinder would take the working folder for the empty entry.
        spec = importlib.machinery.PathFinder.find_spec(name, [folder]) if folder else None
        if spec is not None and spec.origin is not None:
            found.append(str(Path(folder)))
    return found
