"""Checks of the NVIDIA GPU and of TensorRT. Where there is no such GPU, nothing of theirs is missing."""

from __future__ import annotations

from collections.abc import Iterator

from hemonode.device.host.jetson import find_jetson
from hemonode.device.host.nvidia import has_nvidia_driver, has_nvidia_gpu
from hemonode.runtime.doctor.finding import Finding, green, red, yellow
from hemonode.runtime.doctor.machine import Machine, extra_for
from hemonode.runtime.engines.tensorrt_facts import has_fast_fp16


def gpu(machine: Machine) -> Iterator[Finding]:
    """The GPU, its driver, and the CUDA binding."""
    if not has_nvidia_gpu(machine.root):
        yield green("No NVIDIA GPU here; the CPU engines do the work.", gpu=None)
        return
    answer = machine.ask("gpu")
    if answer.facts is not None:
        facts = answer.facts
        memory = f"{facts['free_bytes'] / 1e9:.1f} of {facts['total_bytes'] / 1e9:.1f} GB free"
        shared = " (shared with the CPU)" if facts["integrated"] else ""
        yield green(
            f"{facts['name']}, compute capability {facts['compute_capability']}, {memory}{shared}; driver for CUDA "
            f"{facts['driver_version']}, {facts['backend']} for CUDA {facts['runtime_version']}.",
            **facts,
        )
    elif not has_nvidia_driver(machine.root):
        yield yellow("There is an NVIDIA GPU, but not NVIDIA's driver.", "Install the driver, and start again.")
    elif not {"cuda-bindings", "pycuda"} & machine.distributions.keys():
        yield yellow(
            "There is an NVIDIA GPU, but neither cuda-bindings nor pycuda, by which hemonode uses it.",
            f"Run: pip install 'hemonode[{extra_for(machine)}]'",
        )
    else:
        yield red(f"The NVIDIA GPU cannot be used: {_phrase(answer.trouble or answer.missing)}.", "See docs/jetson.md.")


def tensorrt(machine: Machine) -> Iterator[Finding]:
    """TensorRT, and what it is good for on this GPU."""
    if not has_nvidia_gpu(machine.root):
        yield green("TensorRT is not needed without an NVIDIA GPU.")
        return
    answer, graphics = machine.ask("tensorrt"), machine.ask("gpu").facts
    if answer.facts is None:
        why = _phrase(answer.trouble or f"{answer.missing} is not installed")
        if "tensorrt" in machine.distributions:
            yield red(f"TensorRT is installed and cannot be used: {why}.", "Install it again, or another version.")
        else:
            yield yellow(f"TensorRT cannot be used: {why}.", _how_to_get_tensorrt(machine))
        return
    told = f"TensorRT {answer.facts['version']} works"
    if graphics is None:
        yield green(f"{told}.", **answer.facts)
    elif has_fast_fp16(graphics["compute_capability"]):
        yield green(f"{told}, and FP16 is fast on this GPU.", fast_fp16=True, **answer.facts)
    else:
        yield yellow(
            f"{told}, but this GPU (compute capability {graphics['compute_capability']}) is not faster in FP16.",
            "Ask for --precision fp32.",
            fast_fp16=False,
            **answer.facts,
        )


def _how_to_get_tensorrt(machine: Machine) -> str:
    if find_jetson(machine.root) is not None:
        return (
            "Run: sudo apt install nvidia-jetpack (or python3-libnvinfer); the environment needs --system-site-packages"
        )
    return "Run: pip install 'hemonode[tensorrt]'"


def _phrase(sentence: str | None) -> str:
    return (sentence or "it does not say why").rstrip(".")
