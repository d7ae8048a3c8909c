"""Checks of the libraries that do the work: do they import here, and what can they do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from hemonode.device.host.jetson import find_jetson
from hemonode.device.host.processor import processor_features
from hemonode.runtime.doctor.finding import Facts, Finding, green, red, yellow
from hemonode.runtime.doctor.machine import Answer, Machine, extra_for

# As `cv2.getBuildInformation()` calls them; the second is the name of the line of older builds.
_BUILT_WITH = {"GStreamer": ("GStreamer",), "V4L2": ("v4l/v4l2", "V4L/V4L2"), "FFMPEG": ("FFMPEG",)}


def numpy(machine: Machine) -> Iterator[Finding]:
    """NumPy."""
    answer = machine.ask("numpy")
    if answer.facts is None:
        yield _fault("NumPy", answer, "numpy", machine)
    else:
        yield green(f"NumPy {answer.facts['version']} works.", **answer.facts)


def opencv(machine: Machine) -> Iterator[Finding]:
    """OpenCV, and what its build can open."""
    answer, jetson = machine.ask("cv2"), find_jetson(machine.root)
    if answer.facts is None:
        fault = _fault("OpenCV", answer, "opencv-python-headless", machine)
        if jetson is not None:
            advice = "Use JetPack's OpenCV (see docs/jetson.md); where it fails with NumPy 2: pip install 'numpy<2'"
            fault = replace(fault, advice=advice)
        yield fault
        return
    version, build = answer.facts["version"], built_with(answer.facts["build"])
    able = ", ".join(name for name, there in build.items() if there) or "no video at all"
    sentence = f"OpenCV {version} works; its build has {able}."
    facts: Facts = {"version": version, "file": answer.facts["file"], **build}
    if jetson is not None and not build["GStreamer"]:
        yield yellow(
            f"{sentence} Without GStreamer it cannot open a CSI camera.",
            "Use JetPack's OpenCV: pip uninstall opencv-python opencv-python-headless (see docs/jetson.md)",
            **facts,
        )
    elif not build["V4L2"]:
        yield yellow(f"{sentence} Without V4L2 it cannot open a USB camera.", "Install another OpenCV.", **facts)
    else:
        yield green(sentence, **facts)


def onnx_runtime(machine: Machine) -> Iterator[Finding]:
    """ONNX Runtime, which every machine needs: other engines are checked against it."""
    answer = machine.ask("onnxruntime")
    if answer.facts is None:
        yield _fault("ONNX Runtime", answer, "onnxruntime", machine)
        return
    # Azure's, which is in every wheel, would send pictures to a service on the web.
    providers = [name.removesuffix("ExecutionProvider") for name in answer.facts["providers"] if "Azure" not in name]
    yield green(f"ONNX Runtime {answer.facts['version']} works, on {', '.join(providers)}.", **answer.facts)


def openvino(machine: Machine) -> Iterator[Finding]:
    """OpenVINO, and what it computes in on this CPU."""
    answer = machine.ask("openvino")
    if answer.missing is not None:
        if find_jetson(machine.root) is not None:
            yield green("OpenVINO is not installed; on a Jetson the GPU is faster.")
        else:
            yield yellow("OpenVINO is not installed; ONNX Runtime is slower.", "Run: pip install 'hemonode[cpu]'")
        return
    if answer.facts is None:
        yield _fault("OpenVINO", answer, "openvino", machine)
        return
    named = zip(answer.facts["devices"], answer.facts["names"], strict=True)
    devices = ", ".join(f"{device} ({name})" for device, name in named)
    features = sorted(_number_formats(processor_features(machine.root), answer.facts["capabilities"]))
    yield green(
        f"OpenVINO {answer.facts['version'].partition('-')[0]} works, on {devices or 'no device'}; beside fp32 its CPU "
        f"engine has {', '.join(features) or 'no faster number format'}.",
        version=answer.facts["version"],
        devices=answer.facts["devices"],
        formats=features,
    )


def built_with(build: str) -> dict[str, bool]:
    """Which ways to open video are in OpenCV's build, from its own description."""
    lines = dict(re.findall(r"^\s+([\w/]+):\s+(\S+)", build, re.MULTILINE))
    return {name: any(lines.get(label, "NO") == "YES" for label in labels) for name, labels in _BUILT_WITH.items()}


def _number_formats(features: frozenset[str], capabilities: list[str]) -> set[str]:
    """What is fast on this CPU, and not only possible."""
    fast = {
        "bf16 (AMX)": "BF16" in capabilities and "amx_bf16" in features,
        "bf16 (AVX-512)": "BF16" in capabilities and "avx512_bf16" in features and "amx_bf16" not in features,
        "fp16 (AVX-512)": "FP16" in capabilities and "avx512_fp16" in features,
        "fp16 (NEON)": "FP16" in capabilities and "asimdhp" in features,
        "int8 (AMX)": "INT8" in capabilities and "amx_int8" in features,
        "int8 (VNNI)": "INT8" in capabilities and bool(features & {"avx512_vnni", "avx_vnni"}),
        "int8 (NEON)": "INT8" in capabilities and "i8mm" in features,
    }
    return {name for name, able in fast.items() if able}


def _fault(name: str, answer: Answer, distribution: str, machine: Machine) -> Finding:
    if answer.missing is not None and distribution not in machine.distributions:
        return red(f"{name} is not installed.", f"Run: pip install 'hemonode[{extra_for(machine)}]'")
    return red(
        f"{name} is installed and broken: {answer.why_not}.",
        f"Run: pip install --force-reinstall {distribution}",
        trouble=answer.why_not,
    )
