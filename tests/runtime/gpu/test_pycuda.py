"""The pycuda backend on a stand-in that is as strict about contexts and threads as pycuda 2026.1 is."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest

from hemonode.errors import EngineError
from hemonode.runtime.gpu import BACKENDS, gpu_facts, open_gpu
from hemonode.runtime.gpu.gpu import Gpu


class Error(Exception):
    """As pycuda's, with messages like "cuMemAlloc failed: out of memory"."""


class OutOfMemoryError(Error):
    pass


class Context:
    stacks = threading.local()

    @classmethod
    def stack(cls) -> list[Context]:
        if not hasattr(cls.stacks, "entries"):
            cls.stacks.entries = []
        return cls.stacks.entries

    @classmethod
    def current(cls) -> Context:
        if not cls.stack():
            raise Error("explicit_context_dependent failed: invalid device context - no currently active context?")
        return cls.stack()[-1]

    def push(self) -> None:
        self.stack().append(self)

    @staticmethod
    def pop() -> None:
        if not Context.stack():
            raise Error("context::pop failed: invalid device context - cannot pop non-current context")
        Context.stack().pop()


class Owned:
    """Memory that only its own context object may free."""

    def __init__(self, size: int) -> None:
        self.context = Context.current()
        self.bytes = np.zeros(size, np.uint8)
        self.valid = True
        self.__array_interface__ = self.bytes.__array_interface__

    def __int__(self) -> int:
        return self.bytes.ctypes.data

    def get_device_pointer(self) -> int:
        return int(self)

    def free(self) -> None:
        assert Context.current() is self.context
        if not self.valid:
            raise Error("device_allocation::free failed: invalid resource handle")
        self.valid = False
        FakeDriver.alive.remove(self)


class FakeDriver(ModuleType):
    """`pycuda.driver`, of which there is one GPU."""

    alive: list[object]  # type: ignore[misc]
    Error = Error
    MemoryError = OutOfMemoryError
    Context = Context

    class host_alloc_flags:  # noqa: N801
        DEVICEMAP = 2

    class device_attribute:  # noqa: N801
        INTEGRATED = 18

    class Device:
        def __init__(self, index: int) -> None:
            assert index == 0

        @staticmethod
        def count() -> int:
            return 1

        def name(self) -> str:
            return "Orin"

        def compute_capability(self) -> tuple[int, int]:
            return 8, 7

        def get_attribute(self, attribute: int) -> int:
            return int(attribute == 18)

        def retain_primary_context(self) -> Context:
            return Context()

    class Stream:
        def __init__(self, flags: int = 0) -> None:
            assert flags == 1
            self.context = Context.current()
            self.handle = id(self)
            FakeDriver.alive.append(self.handle)

        def synchronize(self) -> None:
            assert Context.current() is self.context

        def __del__(self) -> None:
            FakeDriver.alive.remove(self.handle)

    def init(self) -> None:
        pass

    def get_version(self) -> tuple[int, int, int]:
        return 12, 6, 0

    def get_driver_version(self) -> int:
        return 12060

    def mem_get_info(self) -> tuple[int, int]:
        Context.current()
        return 2**20, 2**30

    def mem_alloc(self, size: int) -> Owned:
        if size > 2**20:
            raise OutOfMemoryError("cuMemAlloc failed: out of memory")
        FakeDriver.alive.append(allocation := Owned(size))
        return allocation

    def pagelocked_empty(self, shape: int, dtype: object, order: str = "C", mem_flags: int = 0) -> np.ndarray:
        assert (dtype, order, mem_flags) in ((np.uint8, "C", 0), (np.uint8, "C", 2))
        FakeDriver.alive.append(allocation := Owned(shape))
        array = np.asarray(allocation)
        assert array.base is allocation
        return array

    def memcpy_htod_async(self, dest: int, src: np.ndarray, stream: object = None) -> None:
        assert isinstance(stream, self.Stream)
        self._at(dest)[: src.nbytes] = src.reshape(-1).view(np.uint8)

    def memcpy_dtoh_async(self, dest: np.ndarray, src: int, stream: object = None) -> None:
        assert isinstance(stream, self.Stream)
        dest.reshape(-1).view(np.uint8)[:] = self._at(src)[: dest.nbytes]

    def _at(self, pointer: int) -> np.ndarray:
        return next(owned.bytes for owned in self.alive if isinstance(owned, Owned) and int(owned) == pointer)


NVIDIA = ("cuda", "cuda.bindings", "cuda.bindings.runtime")


@pytest.fixture
def pycuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeDriver]]:
    """A machine where pycuda is the only package for CUDA."""
    FakeDriver.alive = []
    package = ModuleType("pycuda")
    package.driver = FakeDriver("pycuda.driver")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pycuda", package)
    monkeypatch.setitem(sys.modules, "pycuda.driver", package.driver)
    for name in NVIDIA:
        monkeypatch.setitem(sys.modules, name, None)
    for module in BACKENDS.values():
        monkeypatch.delitem(sys.modules, module, raising=False)
    yield FakeDriver
    sys.modules.pop(BACKENDS["pycuda"], None)


def there_and_back(gpu: Gpu) -> list[int]:
    device, host = gpu.device(8), gpu.pinned((2,), np.int32)
    host[:] = [7, 8]
    gpu.upload(device, host)
    host[:] = 0
    gpu.download(host, device)
    gpu.synchronise()
    return host.tolist()


def test_pycuda_does_where_cuda_bindings_is_missing_and_the_reason_is_told(pycuda) -> None:
    with open_gpu() as gpu:
        assert there_and_back(gpu) == [7, 8]
        assert gpu.backend == "pycuda"
        assert gpu.passed_over[0].startswith("cuda-bindings: ")
        with pytest.raises(EngineError, match="pycuda has no CUDA graphs; install cuda-bindings"):
            gpu.capture(lambda: None)
    assert pycuda.alive == []
    assert Context.stack() == []


def test_facts_of_a_jetson(pycuda) -> None:
    facts = gpu_facts()
    assert (facts.name, facts.compute_capability, facts.integrated) == ("Orin", "8.7", True)
    assert (facts.driver_version, facts.runtime_version, facts.backend) == ("12.6", "12.6", "pycuda")
    assert facts.total_bytes == 2**30
    # The kernel gives back its caches, which CUDA does not count.
    assert facts.free_bytes >= 2**20


def test_each_thread_has_its_gpu_and_frees_its_memory(pycuda) -> None:
    answers: list[object] = []

    def work() -> None:
        with open_gpu() as gpu:
            answers.append(there_and_back(gpu))
        answers.append(list(Context.stack()))

    with open_gpu() as outer:
        outer.device(4)
        with open_gpu() as inner:
            assert there_and_back(inner) == [7, 8]
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert there_and_back(outer) == [7, 8]
    assert answers == [[7, 8], []]
    assert pycuda.alive == []


def test_mapped_memory_has_an_address_for_the_gpu(pycuda) -> None:
    with open_gpu() as gpu:
        both = gpu.mapped((3,), np.uint8)
        assert both.pointer == both.host.ctypes.data
    assert pycuda.alive == []


def test_out_of_memory_is_its_own_sentence(pycuda) -> None:
    with open_gpu() as gpu, pytest.raises(EngineError, match=r"Out of GPU memory: 2\.0 MiB were wanted"):
        gpu.device(2**21)
    assert pycuda.alive == []


def test_a_gpu_that_is_not_there_is_named(pycuda) -> None:
    with pytest.raises(EngineError, match="There is no GPU 1; the driver finds 1, numbered from 0"):
        open_gpu(1)


def test_without_any_package_the_sentence_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NVIDIA, "pycuda"):
        monkeypatch.setitem(sys.modules, name, None)
    for module in BACKENDS.values():
        monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(EngineError, match=r"cuda-bindings: .*; pycuda: .*; pip install 'hemonode\[cuda\]'"):
        open_gpu()
