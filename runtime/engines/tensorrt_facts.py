"""Which TensorRT is here, and whether hemonode can use it. Loads it only when asked."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from hemonode.errors import EngineError

OLDEST = (8, 6)
"""The first with a builder optimisation level, explicit cast layers and uint8 inputs together."""

KNOWN_BAD = frozenset({(10, 2, 0)})

_JETSON = Path("/etc/nv_tegra_release")


def tensorrt_version() -> str:
    """Version of the TensorRT that Python finds, "10.3.0".

    Raises:
        EngineError: there is none, it cannot be loaded, or hemonode cannot use it; the sentence says what to do.
    """
    try:
        version = str(importlib.import_module("tensorrt").__version__)
    except ModuleNotFoundError as error:
        if error.name != "tensorrt":
            raise EngineError(_broken(str(error))) from error
        raise EngineError(f"TensorRT is not installed; {_how_to_install()}.") from error
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        # Its loader raises all of these: a library that is missing, of another version, or for another driver; a folder
        # named `tensorrt` without a module in it has no `__version__`.
        raise EngineError(_broken(str(error))) from error
    check_version(version)
    return version


def check_version(version: str) -> None:
    """Refuse a TensorRT that is too old or known to be faulty; newer ones than any we know are tried.

    Raises:
        EngineError: it is refused, or its version cannot be read.
    """
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if len(numbers) < 2:
        raise EngineError(f"TensorRT says that its version is {version!r}, which is none; {_how_to_install()}.")
    if numbers < OLDEST:
        raise EngineError(f"TensorRT {version} is too old; 8.6 or later is needed (JetPack 6, or pip's tensorrt).")
    if numbers in KNOWN_BAD:
        raise EngineError(f"TensorRT {version} is known to be faulty; install 10.3 or later.")


def has_fast_fp16(compute_capability: str) -> bool:
    """Whether a GPU computes in FP16 faster than in FP32.

    From the throughput table of the CUDA C++ programming guide; TensorRT tells it only up to version 10, and only to
    somebody who makes a builder, which takes seconds.

    Args:
        compute_capability: "8.7".
    """
    major, minor = (int(part) for part in compute_capability.split("."))
    return major >= 7 or (major, minor) in ((5, 3), (6, 0), (6, 2))


def workspace_cap(free_bytes: int, *, integrated: bool) -> int:
    """What TensorRT may take for scratch memory while it tries kernels, in bytes.

    On a Jetson the same memory must hold the process that asked, the weights, and what the kernel cannot give back:
    there a build that takes all that is free ends in "Killed".
    """
    return free_bytes // (4 if integrated else 2)


def _broken(why: str) -> str:
    return f"TensorRT cannot be loaded ({' '.join(why.split())}); {_how_to_install()}."


def _how_to_install() -> str:
    if _JETSON.exists():
        return (
            "on a Jetson it comes with JetPack (sudo apt install python3-libnvinfer) and is found from an environment "
            "that was made with --system-site-packages"
        )
    return "pip install 'hemonode[tensorrt]'"
