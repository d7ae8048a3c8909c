"""NVIDIA's own package, really: what it says without a driver, and that it takes the calls as we make them."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from hemonode.runtime.gpu.calls import CudaCallError, CudaCalls

runtime = pytest.importorskip("cuda.bindings.runtime", reason="cuda-bindings is not installed")
driver = pytest.importorskip("cuda.bindings.driver", reason="cuda-bindings is not installed")

# Enough of libcuda.so.1 for the CUDA runtime to ask for its version and to be refused.
DRIVER = """
#include <stdlib.h>
#include <string.h>
static int refuse(void) { return 801; }
int cuInit(unsigned flags) { return atoi(getenv("FAKE_INIT")); }
int cuDriverGetVersion(int *version) { *version = atoi(getenv("FAKE_VERSION")); return 0; }
int cuGetProcAddress_v2(const char *name, void **function, int version, unsigned long long flags, int *status) {
    *function = !strcmp(name, "cuInit") ? (void *)cuInit
        : !strcmp(name, "cuDriverGetVersion") ? (void *)cuDriverGetVersion
        : !strncmp(name, "cuGetProcAddress", 16) ? (void *)cuGetProcAddress_v2 : (void *)refuse;
    if (status) *status = 0;
    return 0;
}
int cuGetExportTable(const void **table, const void *id) { return 801; }
"""
OPEN = """
from hemonode.errors import EngineError
from hemonode.runtime.gpu import gpu_facts
try:
    print(gpu_facts())
except EngineError as error:
    print(error)
"""


def no_driver_here() -> bool:
    return runtime.cudaDriverGetVersion() == (runtime.cudaError_t.cudaSuccess, 0)


def what_is_said(**environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", OPEN], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


@pytest.fixture(scope="module")
def fake_driver(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder for LD_LIBRARY_PATH, with a driver that finds no GPU."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("driver")
    source = folder / "driver.c"
    source.write_text(DRIVER, encoding="ascii")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "libcuda.so.1", source], check=True)
    return str(folder)


@pytest.mark.skipif(not no_driver_here(), reason="an NVIDIA driver is installed here")
def test_without_a_driver_the_sentence_says_so_and_what_to_do() -> None:
    said = what_is_said()
    assert said.startswith("There is no NVIDIA driver here")
    assert "--gpus all" in said


def test_a_driver_that_is_too_old_is_named_with_its_version(fake_driver: str) -> None:
    said = what_is_said(LD_LIBRARY_PATH=fake_driver, FAKE_VERSION="11040", FAKE_INIT="0")
    assert said.startswith("The NVIDIA driver supports CUDA up to 11.4, which is too old for cuda-bindings ")
    assert said.endswith("update the driver, or pip install 'cuda-bindings<12'.")


def test_a_driver_without_a_gpu_is_told_from_no_driver(fake_driver: str) -> None:
    said = what_is_said(LD_LIBRARY_PATH=fake_driver, FAKE_VERSION="99000", FAKE_INIT="100")
    assert said == "The NVIDIA driver finds no GPU; look at nvidia-smi and at CUDA_VISIBLE_DEVICES."


def test_any_other_refusal_of_the_driver_comes_with_its_name(fake_driver: str) -> None:
    said = what_is_said(LD_LIBRARY_PATH=fake_driver, FAKE_VERSION="99000", FAKE_INIT="803")
    assert "cudaGetDeviceCount failed (cudaErrorSystemDriverMismatch, " in said
    assert said.endswith("restart the machine.")


def calls_and_names() -> list[object]:
    array = np.zeros(4, np.uint8)
    uses: list[tuple[str, Callable[[CudaCalls], object]]] = [
        ("cudaSetDevice", lambda calls: calls.enter()),
        ("cudaGetDeviceProperties", lambda calls: calls.facts()),
        ("cudaStreamCreateWithFlags", lambda calls: calls.create_stream()),
        ("cudaStreamDestroy", lambda calls: calls.destroy_stream(5)),
        ("cudaStreamSynchronize", lambda calls: calls.synchronise(5)),
        ("cudaMalloc", lambda calls: calls.allocate(4)),
        ("cudaFree", lambda calls: calls.free(5)),
        ("cudaHostAlloc", lambda calls: calls.allocate_pinned(4, mapped=False)),
        ("cudaHostAlloc", lambda calls: calls.allocate_pinned(4, mapped=True)),
        ("cudaHostGetDevicePointer", lambda calls: calls.mapped_pointer(array)),
        ("cudaFreeHost", lambda calls: calls.free_pinned(array)),
        ("cudaMemcpyAsync", lambda calls: calls.copy_in(5, array, 6)),
        ("cudaMemcpyAsync", lambda calls: calls.copy_out(array, 5, 6)),
        ("cudaStreamBeginCapture", lambda calls: calls.begin_capture(5)),
        ("cudaStreamEndCapture", lambda calls: calls.end_capture(5)),
        ("cudaGraphLaunch", lambda calls: calls.launch(5, 6)),
        ("cudaGraphExecDestroy", lambda calls: calls.destroy_graph(5)),
    ]
    return [pytest.param(name, use, id=f"{number}-{name}") for number, (name, use) in enumerate(uses)]


@pytest.mark.skipif(not no_driver_here(), reason="an NVIDIA driver is installed here: these numbers would crash it")
@pytest.mark.parametrize(("name", "use"), calls_and_names())
def test_the_package_takes_every_call_as_it_is_made_here(name: str, use: Callable[[CudaCalls], object]) -> None:
    from hemonode.runtime.gpu.cuda_bindings import CudaBindings

    # A wrong name, number or type of arguments would be an AttributeError or a TypeError.
    with pytest.raises(CudaCallError) as raised:
        use(CudaBindings(0))
    assert raised.value.call == name
    assert raised.value.name == "cudaErrorInsufficientDriver"
    assert not raised.value.out_of_memory


@pytest.mark.skipif(not no_driver_here(), reason="an NVIDIA driver is installed here: these numbers would crash it")
@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (runtime.cudaGraphInstantiate, (5, 0)),
        (runtime.cudaGraphDestroy, (5,)),
        (driver.cuModuleLoadData, (b"\x7fELF",)),
        (driver.cuModuleGetFunction, (driver.CUmodule(5), b"equalise")),
        (driver.cuLaunchKernel, (driver.CUfunction(5), 8, 8, 1, 256, 1, 1, 0, 6, ctypes.addressof(ctypes.c_int()), 0)),
        (driver.cuModuleUnload, (driver.CUmodule(5),)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_graphs_and_kernels_are_handled_as_the_package_takes_it(function, arguments) -> None:
    from hemonode.runtime.gpu.checked import checked

    with pytest.raises(CudaCallError) as raised:
        checked(function, *arguments)
    assert raised.value.call == function.__name__


def test_the_fields_of_a_device_are_there() -> None:
    device = runtime.cudaDeviceProp()
    assert (device.name, device.uuid.bytes, device.integrated) == (b"", bytes(16), 0)
    assert isinstance(device.major, int)
    assert isinstance(device.minor, int)
