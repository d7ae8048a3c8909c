"""CUDA C compiled on the machine that it runs on, with NVIDIA's NVRTC through `cuda-bindings`."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from cuda.bindings import driver, nvrtc

from hemonode.errors import EngineError
from hemonode.runtime.gpu.calls import CudaCallError
from hemonode.runtime.gpu.checked import checked
from hemonode.runtime.gpu.gpu import Gpu
from hemonode.runtime.gpu.launch import Argument, Extent

# Results must be those of a CPU without fused multiply-add.
_OPTIONS = (b"--fmad=false",)


class CompiledKernels:
    """A source, compiled for the GPU and loaded; unloaded with it. See `launch.Kernels`.

    Args:
        gpu: whose stream and thread runs them; of the backend `cuda-bindings`.
        source: CUDA C without headers, whose kernels are `extern "C"`.

    Raises:
        EngineError: no NVRTC, one that does not know this GPU, or a source that it refuses.
    """

    def __init__(self, gpu: Gpu, source: str) -> None:
        self._gpu = gpu
        capability = gpu.facts().compute_capability
        with gpu.owned():
            self._module = checked(driver.cuModuleLoadData, compile_for(source, capability))
        gpu.keep(self, lambda: checked(driver.cuModuleUnload, self._module))
        self._functions: dict[str, Any] = {}

    def launch(self, name: str, blocks: Extent, threads: Extent, arguments: Sequence[Argument]) -> None:
        """See `launch.Kernels.launch`."""
        addresses = (ctypes.c_void_p * len(arguments))(*(ctypes.addressof(argument) for argument in arguments))
        # Grid, block, shared memory, stream, arguments, no extra options.
        shape = (*blocks, 1, *threads, 1)
        with self._gpu.owned():
            if name not in self._functions:
                self._functions[name] = checked(driver.cuModuleGetFunction, self._module, name.encode())
            function, stream = self._functions[name], self._gpu.stream
            checked(driver.cuLaunchKernel, function, *shape, 0, stream, ctypes.addressof(addresses), 0)


def compile_for(source: str, capability: str) -> bytes:
    """Machine code of a source for GPUs of a compute capability, "8.7".

    Not PTX: a driver older than the compiler would refuse to translate that.

    Raises:
        EngineError: no NVRTC, one that does not know such GPUs, or a source that it refuses.
        CudaCallError: NVRTC failed otherwise.
    """
    try:
        architecture = _architecture(capability)
    except CudaCallError as error:
        raise EngineError(
            f"NVRTC, which compiles for the GPU, cannot be loaded ({error.text.splitlines()[0]}); "
            "pip install nvidia-cuda-nvrtc, or nvidia-cuda-nvrtc-cu12 for CUDA 12."
        ) from error
    program = checked(nvrtc.nvrtcCreateProgram, source.encode(), b"hemonode.cu", 0, (), ())
    try:
        options = (f"--gpu-architecture=sm_{architecture}".encode(), *_OPTIONS)
        try:
            checked(nvrtc.nvrtcCompileProgram, program, len(options), options)
        except CudaCallError as error:
            raise EngineError(f"NVRTC refused a kernel ({error.text}): {_log(program)}; report it.") from error
        code = bytes(checked(nvrtc.nvrtcGetCUBINSize, program))
        checked(nvrtc.nvrtcGetCUBIN, program, code)
    finally:
        checked(nvrtc.nvrtcDestroyProgram, program)
    return code


def _architecture(capability: str) -> int:
    """The newest that NVRTC knows and the GPU can run: of the same generation, not beyond it."""
    major, minor = (int(part) for part in capability.split("."))
    known = checked(nvrtc.nvrtcGetSupportedArchs)
    usable = [number for number in known if number // 10 == major and number % 10 <= minor]
    if not usable:
        version = ".".join(str(part) for part in checked(nvrtc.nvrtcVersion))
        raise EngineError(
            f"NVRTC {version} does not compile for compute capability {capability}; "
            "install the NVRTC of another CUDA version."
        )
    return int(max(usable))


def _log(program: Any) -> str:  # noqa: ANN401  (nvrtc has no types)
    log = bytes(checked(nvrtc.nvrtcGetProgramLogSize, program))
    checked(nvrtc.nvrtcGetProgramLog, program, log)
    return log.decode(errors="replace").strip("\0\n ")
