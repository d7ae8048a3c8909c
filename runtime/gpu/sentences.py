"""What went wrong on a GPU, in sentences that say what to do."""

from __future__ import annotations

from hemonode.runtime.gpu.calls import CudaCallError
from hemonode.runtime.gpu.facts import GpuFacts

_MIB = 2**20

_ADVICE = {
    "cudaErrorSystemDriverMismatch": "the driver was probably updated while it was in use: restart the machine",
    "cudaErrorIllegalAddress": "start the program again, its CUDA state is lost; if it comes back, report it",
    "cudaErrorLaunchFailure": "start the program again, its CUDA state is lost; if it comes back, report it",
    "cudaErrorECCUncorrectable": "the GPU's memory is faulty: restart the machine and have the card tested",
    "cudaErrorDevicesUnavailable": "another program holds the GPU in exclusive mode: end it",
}


def call_failed(error: CudaCallError) -> str:
    """The CUDA error's name and text, the call, and what to do."""
    said = f"{error.name}, {error.text}" if error.name else error.text
    advice = _ADVICE.get(error.name, "look at nvidia-smi (tegrastats on a Jetson) and try again")
    return f"The CUDA call {error.call} failed ({said}); {advice}."


def no_driver() -> str:
    """There is no NVIDIA driver."""
    return (
        "There is no NVIDIA driver here (libcuda.so.1 was not found); install it, or give the container the GPU "
        "(docker run --gpus all; on a Jetson --runtime nvidia)."
    )


def driver_too_old(driver: str, made_for: str) -> str:
    """The driver supports an older CUDA than cuda-bindings was made for; both as "12.6"."""
    major, minor = (int(part) for part in driver.split("."))
    if int(made_for.partition(".")[0]) > major:
        below = f"{major + 1}"
    else:
        # A Jetson's driver takes no later minor version, as a PC's does; up to 12.8 the package brings no runtime of
        # CUDA's that could ask for one.
        below = "12.9" if major == 12 else f"{major}.{minor + 1}"
    return (
        f"The NVIDIA driver supports CUDA up to {driver}, which is too old for cuda-bindings {made_for}; update the "
        f"driver, or pip install 'cuda-bindings<{below}'."
    )


def no_device(index: int, count: int) -> str:
    """The driver is there, the GPU is not."""
    if count == 0:
        return "The NVIDIA driver finds no GPU; look at nvidia-smi and at CUDA_VISIBLE_DEVICES."
    return f"There is no GPU {index}; the driver finds {count}, numbered from 0 (see CUDA_VISIBLE_DEVICES)."


def no_room(size: int, kind: str, facts: GpuFacts) -> str:
    """Out of memory: how much was wanted, how much is free."""
    return (
        f"Out of {kind}: {_mib(size)} were wanted, {_mib(facts.free_bytes)} of {_mib(facts.total_bytes)} are free on "
        f"{facts.name}; end other programs that use it, or choose a smaller batch or tile."
    )


def out_of_memory(library: str, facts: GpuFacts) -> str:
    """Out of memory inside a library, which does not tell how much it wanted."""
    return (
        f"{library} ran out of GPU memory: {_mib(facts.free_bytes)} of {_mib(facts.total_bytes)} are free on "
        f"{facts.name}; end other programs that use it, or choose a smaller batch or tile."
    )


def _mib(size: int) -> str:
    return f"{size / _MIB:,.1f} MiB" if size < 10 * _MIB else f"{size / _MIB:,.0f} MiB"
