"""What libraries are asked, each in a process of its own: python -m hemonode.runtime.doctor.questions NAME."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hemonode.errors import HemonodeError

if TYPE_CHECKING:
    from hemonode.runtime.plans.cache import Entry

Facts = Mapping[str, Any]


def numpy_facts() -> Facts:
    """Its version."""
    import numpy as np

    return {"version": np.__version__}


def opencv_facts() -> Facts:
    """Its version, where it lies, and what it was built with."""
    import cv2

    return {"version": cv2.__version__, "file": cv2.__file__, "build": cv2.getBuildInformation()}


def onnxruntime_facts() -> Facts:
    """Its version and what it can run on."""
    import onnxruntime

    return {"version": onnxruntime.__version__, "providers": list(onnxruntime.get_available_providers())}


def openvino_facts() -> Facts:
    """Its version, devices, and what it computes in on the CPU."""
    import openvino

    core = openvino.Core()
    devices = list(core.available_devices)
    return {
        "version": openvino.__version__,
        "devices": devices,
        "names": [str(core.get_property(device, "FULL_DEVICE_NAME")).strip() for device in devices],
        "capabilities": list(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")) if "CPU" in devices else [],
    }


def gpu_facts() -> Facts:
    """What `hemonode.runtime.gpu` tells of the first GPU."""
    from hemonode.runtime import gpu

    return asdict(gpu.gpu_facts())


def tensorrt_facts() -> Facts:
    """Its version, and whether its networks take their types from the graph."""
    from hemonode.runtime.engines import tensorrt_facts as facts

    version = facts.tensorrt_version()

    import tensorrt

    from hemonode.runtime.engines.tensorrt_features import read_features

    return {"version": version, "typing": read_features(tensorrt).typing}


def plans_facts() -> Facts:
    """The built engines in the cache, and those that do not run here any more."""
    from hemonode.runtime.plans.cache import PlanCache

    cache = PlanCache()
    entries = cache.entries()
    return {
        "folder": str(cache.folder),
        "plans": [entry.name for entry in entries],
        "bytes": sum(file.stat().st_size for file in cache.folder.rglob("*") if file.is_file()),
        "faults": {entry.name: fault for entry in entries if (fault := entry.fault or _misfit(entry)) is not None},
    }


def auto_facts() -> Facts:
    """The engine that `auto` takes for the shipped bundle, and why not another."""
    from hemonode.runtime.bundle.reader import open_bundle
    from hemonode.runtime.engines import open_engine

    bundle = open_bundle()
    side = bundle.manifest.input.minimum
    with open_engine(bundle, (1, side, side), engine="auto", precision="auto") as engine:
        return {
            "engine": engine.name,
            "version": engine.version,
            "device": engine.device,
            "precision": engine.precision,
            "passed_over": list(engine.passed_over),
            "remarks": list(engine.remarks),
        }


def trial_facts(engine: str) -> Facts:
    """How an engine does on a drawn smear."""
    from hemonode.runtime.doctor.smear_run import run_smear

    return run_smear(engine)


# One line per question.
QUESTIONS: Mapping[str, Callable[..., Facts]] = {
    "numpy": numpy_facts,
    "cv2": opencv_facts,
    "onnxruntime": onnxruntime_facts,
    "openvino": openvino_facts,
    "gpu": gpu_facts,
    "tensorrt": tensorrt_facts,
    "plans": plans_facts,
    "auto": auto_facts,
    "trial": trial_facts,
}

AT_ONCE = ("auto", "openvino", "onnxruntime", "cv2", "numpy", "gpu", "tensorrt", "plans")
"""The slowest first. Trials wait for each other, since they are timed."""


def _misfit(entry: Entry) -> str | None:
    """Why a plan does not run here; None too where there is nothing here to run it, which other checks say."""
    from hemonode.runtime.plans.machine import this_machine

    try:
        return None if entry.plan is None else entry.plan.record.key.misfit(this_machine())
    except HemonodeError:
        return None


def answer(name: str, *arguments: str) -> dict[str, Any]:
    """An answer as `hemonode.runtime.doctor.machine.Answer` takes it."""
    try:
        return {"facts": QUESTIONS[name](*arguments)}
    except HemonodeError as error:
        return {"trouble": str(error)}
    except ModuleNotFoundError as error:
        return {"missing": error.name or str(error)}
    except Exception as error:  # whatever a broken library raises is its answer
        return {"trouble": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Answer on what was standard output; what libraries print there goes to standard error."""
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with told:
        json.dump(answer(*sys.argv[1:]), told)


if __name__ == "__main__":
    main()
