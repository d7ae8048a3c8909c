"""Calls of `cuda-bindings` whose answer is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cuda.bindings import driver, nvrtc, runtime

from hemonode.runtime.gpu.calls import CudaCallError

_OUT_OF_MEMORY = {"cudaErrorMemoryAllocation", "CUDA_ERROR_OUT_OF_MEMORY", "NVRTC_ERROR_OUT_OF_MEMORY"}


def checked(function: Callable[..., tuple[Any, ...]], *arguments: object) -> Any:  # noqa: ANN401  (as many types as functions)
    """Call a function of the runtime API, the driver API or NVRTC.

    Returns:
        Its result: None where it has none, a tuple where it has several.

    Raises:
        CudaCallError: it reported an error, or its library, or the function in it, is missing.
    """
    try:
        status, *results = function(*arguments)
    except RuntimeError as error:
        # Libraries are loaded at the first call, and cuda-bindings says in this way that one is not there.
        raise CudaCallError(function.__name__, "", str(error).strip()) from error
    if int(status) != 0:
        name = status.name
        # The runtime keeps the error as the thread's last one, where a library that asks for its own would find it.
        if isinstance(status, runtime.cudaError_t):
            runtime.cudaGetLastError()
        raise CudaCallError(function.__name__, name, _text(status), out_of_memory=name in _OUT_OF_MEMORY)
    return results[0] if len(results) == 1 else (tuple(results) or None)


def _text(status: runtime.cudaError_t | driver.CUresult | nvrtc.nvrtcResult) -> str:
    if isinstance(status, runtime.cudaError_t):
        answer = runtime.cudaGetErrorString(status)
    elif isinstance(status, driver.CUresult):
        answer = driver.cuGetErrorString(status)
    else:
        answer = nvrtc.nvrtcGetErrorString(status)
    return str(answer[1].decode())
