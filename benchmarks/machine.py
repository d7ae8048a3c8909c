"""What a figure was measured on: processor, cores, load, and the versions of what did the work."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from hemonode.device.host.processor import processor_name
from hemonode.runtime.engines.cores import available_cores

LIBRARIES = ("numpy", "opencv-python-headless", "onnxruntime", "openvino", "torch", "torchdiffeq")


@dataclass(frozen=True)
class Machine:
    """The header of every benchmark. `load` is the one-minute load average before it began."""

    processor: str
    cores: int
    load: float
    system: str
    python: str
    libraries: dict[str, str]


def describe_machine() -> Machine:
    """Describe the machine as it is now."""
    return Machine(
        processor=processor_name(),
        cores=available_cores(),
        load=round(os.getloadavg()[0], 2),
        system=platform.platform(),
        python=platform.python_version(),
        libraries={name: _version(name) for name in LIBRARIES},
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
