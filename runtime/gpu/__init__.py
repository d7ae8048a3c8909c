"""One NVIDIA GPU for one thread: memory, copies, a stream, graphs. The packages that can give it, best first."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from hemonode.device.host.nvidia import has_nvidia_gpu
from hemonode.errors import EngineError

if TYPE_CHECKING:
    from hemonode.runtime.gpu.calls import CudaCalls
    from hemonode.runtime.gpu.facts import GpuFacts
    from hemonode.runtime.gpu.gpu import Gpu

# One line per backend, best first. Each module has `open_calls(index) -> CudaCalls`.
BACKENDS = {
    "cuda-bindings": "hemonode.runtime.gpu.cuda_bindings",
    "pycuda": "hemonode.runtime.gpu.pycuda",
}


def require_nvidia_gpu() -> None:
    """Say so where there is no GPU: all other advice would lead astray.

    Raises:
        EngineError: there is none.
    """
    if not has_nvidia_gpu():
        raise EngineError("this machine has no NVIDIA GPU that hemonode could use.")


def open_gpu(index: int = 0) -> Gpu:
    """Take a GPU for the calling thread, with the best backend that works.

    Raises:
        EngineError: no backend is installed, or no driver, an old driver, no such GPU; the sentence says what to do.
    """
    from hemonode.runtime.gpu.gpu import Gpu

    calls, passed_over = _open_calls(index)
    return Gpu(calls, passed_over)


def gpu_facts(index: int = 0) -> GpuFacts:
    """What the GPU is and how much memory is free now.

    Raises:
        EngineError: as `open_gpu`.
    """
    with open_gpu(index) as gpu:
        return gpu.facts()


def _open_calls(index: int) -> tuple[CudaCalls, tuple[str, ...]]:
    missing, failed = [], []
    for name, module in BACKENDS.items():
        try:
            calls: CudaCalls = importlib.import_module(module).open_calls(index)
        except ImportError as error:
            missing.append(f"{name}: {error}")
        except EngineError as error:
            failed.append(f"{name}: {error}")
        else:
            return calls, (*missing, *failed)
    if failed:
        raise EngineError(" ".join(failed) if len(failed) > 1 else failed[0].partition(": ")[2])
    raise EngineError(f"No package for CUDA can be loaded ({'; '.join(missing)}); pip install 'hemonode[cuda]'.")
