"""The table of checks, in the order they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from hemonode.runtime.doctor import devices, engines, graphics, jetson, libraries, packages, system, trial
from hemonode.runtime.doctor.finding import Finding
from hemonode.runtime.doctor.machine import Machine


class Check(NamedTuple):
    """A name for programs, the heading that it is shown under, and what looks."""

    name: str
    heading: str
    look: Callable[[Machine], Iterator[Finding]]


# One line per check.
CHECKS = (
    Check("python", "Machine", system.python),
    Check("processor", "Machine", system.processor),
    Check("memory", "Machine", system.memory),
    Check("disk", "Machine", system.disk),
    Check("jetpack", "Machine", jetson.jetpack),
    Check("power", "Machine", jetson.power),
    Check("versions", "Packages", packages.versions),
    Check("conflicts", "Packages", packages.conflicts),
    Check("environment", "Packages", jetson.environment),
    Check("numpy", "Packages", libraries.numpy),
    Check("opencv", "Packages", libraries.opencv),
    Check("onnxruntime", "Engines", libraries.onnx_runtime),
    Check("openvino", "Engines", libraries.openvino),
    Check("gpu", "Engines", graphics.gpu),
    Check("tensorrt", "Engines", graphics.tensorrt),
    Check("plans", "Engines", engines.plans),
    Check("auto", "Engines", engines.auto),
    Check("cameras", "Devices", devices.cameras),
    Check("serial ports", "Devices", devices.serial_ports),
)

TRIAL = Check("trial", "Trial", trial.trial)
"""What `--run` adds."""
