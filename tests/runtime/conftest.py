"""What the runtime's tests share: smears and `hemonode run` as a person would run it, and a GPU that is none."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from hemonode.cli import main
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.gpu.calls import AnyArray, Bytes, CudaCallError, CudaCalls
from hemonode.runtime.gpu.facts import GpuFacts

# Class ids: 1 white, 2 red, 3 platelet. One red cell is cut by the left edge, one by the bottom.
CELLS = [(1, 60, 60, 60), (2, 130, 40, 40), (2, 130, 100, 40), (2, 5, 130, 40), (2, 100, 155, 40), (3, 30, 110, 16)]


@dataclass(frozen=True)
class Finished:
    """How a command ended: exit status, standard output, standard error."""

    status: int
    out: str
    err: str


class RunCommand(Protocol):
    def __call__(self, *arguments: object) -> Finished: ...


@pytest.fixture
def run(
    colour_bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> RunCommand:
    """`run("smear.png", "-o", "out")` is `hemonode run smear.png -o out` in `tmp_path`, with the colour bundle."""

    def command(*arguments: object) -> Finished:
        monkeypatch.chdir(tmp_path)
        words = ["hemonode", "run", *map(str, arguments), "--bundle", str(colour_bundle.folder), "--engine", "cpu"]
        monkeypatch.setattr("sys.argv", words)
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        return Finished(status, *capsys.readouterr())

    return command


@pytest.fixture
def smear(tmp_path: Path, draw_cells) -> Path:
    """A picture of 170×160 px with a white cell, four red cells of 40 px, and a platelet."""
    path = tmp_path / "smear.png"
    cv2.imwrite(str(path), draw_cells(160, 170, CELLS))
    return path


class GpuInMemory(CudaCalls):
    """CUDA calls on NumPy arrays: what is put on a stream happens at `synchronise`, not before.

    Attributes:
        log: every call by its name, in order.
        alive: what is allocated: "device", "pinned", "mapped", "stream", "graph", by its number.
        fail_at: which call, counted from 0, reports an error; None for none.
        room: bytes that can be allocated on the device.
        integrated: what `facts` says.
    """

    backend = "in memory"
    can_capture = True

    def __init__(self) -> None:
        self.log: list[str] = []
        self.alive: dict[int, str] = {}
        self.fail_at: int | None = None
        self.room = 2**30
        self.integrated = False
        self._entered = 0
        self._numbers = itertools.count(0x7F0000000000, 0x1000000)
        self._memory: dict[int, np.ndarray] = {}
        self._queue: list[Callable[[], None]] = []
        self._recording: list[Callable[[], None]] | None = None
        self._graphs: dict[int, list[Callable[[], None]]] = {}

    def array_at(self, pointer: int, shape: tuple[int, ...], dtype: npt.DTypeLike) -> np.ndarray:
        """What lies at an address of the device, as a network's context sees it."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return self._memory[pointer][:size].view(dtype).reshape(shape)

    def put(self, work: Callable[[], None]) -> None:
        """Put work on the stream, as a network's context does."""
        (self._queue if self._recording is None else self._recording).append(work)

    def enter(self) -> None:
        self._called("enter")
        self._entered += 1

    def leave(self) -> None:
        assert self._entered > 1 or not self.alive, f"left behind: {self.alive}"
        try:
            self._called("leave")
        finally:
            self._entered -= 1

    def facts(self) -> GpuFacts:
        self._called("facts")
        used = sum(len(self._memory[number]) for number, kind in self.alive.items() if kind == "device")
        free = self.room - used
        return GpuFacts("NumPy", "0.0", None, self.room, free, self.integrated, "12.6", "12.9", self.backend)

    def create_stream(self) -> int:
        return self._made("create_stream", "stream")

    def destroy_stream(self, stream: int) -> None:
        self._gone("destroy_stream", "stream", stream)

    def synchronise(self, stream: int) -> None:
        assert self.alive[stream] == "stream"
        # What was queued is done or lost: a failed synchronisation leaves nothing pending either.
        queued, self._queue = self._queue, []
        self._called("synchronise")
        for work in queued:
            work()

    def allocate(self, size: int) -> int:
        if size > self.facts().free_bytes:
            raise CudaCallError("cudaMalloc", "cudaErrorMemoryAllocation", "out of memory", out_of_memory=True)
        pointer = self._made("allocate", "device")
        self._memory[pointer] = np.full(size, 0xCD, np.uint8)
        return pointer

    def free(self, pointer: int) -> None:
        self._gone("free", "device", pointer)

    def allocate_pinned(self, size: int, *, mapped: bool) -> Bytes:
        number = self._made("allocate_pinned", "mapped" if mapped else "pinned")
        self._memory[number] = np.full(size, 0xCD, np.uint8)
        return self._memory[number]

    def mapped_pointer(self, pinned: Bytes) -> int:
        self._called("mapped_pointer")
        number = self._number(pinned)
        assert self.alive[number] == "mapped"
        return number

    def free_pinned(self, pinned: Bytes) -> None:
        number = self._number(pinned)
        self._gone("free_pinned", self.alive[number], number)
        # Whoever still looks at it sees this, where real memory would crash.
        pinned[:] = 0xDD

    def copy_in(self, pointer: int, source: AnyArray, stream: int) -> None:
        assert self.alive[stream] == "stream"
        self._called("copy_in")
        target = self.array_at(pointer, source.shape, source.dtype)
        self.put(lambda: np.copyto(target, source))

    def copy_out(self, target: AnyArray, pointer: int, stream: int) -> None:
        assert self.alive[stream] == "stream"
        self._called("copy_out")
        source = self.array_at(pointer, target.shape, target.dtype)
        self.put(lambda: np.copyto(target, source))

    def begin_capture(self, stream: int) -> None:
        assert self.alive[stream] == "stream"
        self._called("begin_capture")
        self._recording = []

    def end_capture(self, stream: int) -> int:
        recorded, self._recording = self._recording, None
        assert recorded is not None
        assert self.alive[stream] == "stream"
        number = self._made("end_capture", "graph")
        self._graphs[number] = recorded
        return number

    def launch(self, graph: int, stream: int) -> None:
        assert (self.alive[graph], self.alive[stream]) == ("graph", "stream")
        self._called("launch")
        self._queue.extend(self._graphs[graph])

    def destroy_graph(self, graph: int) -> None:
        self._gone("destroy_graph", "graph", graph)

    def _called(self, name: str) -> None:
        assert self._entered or name == "enter", f"{name} without a context"
        self.log.append(name)
        if len(self.log) - 1 == self.fail_at:
            raise CudaCallError(name, "cudaErrorUnknown", "unknown error")

    def _made(self, call: str, kind: str) -> int:
        self._called(call)
        number = next(self._numbers)
        self.alive[number] = kind
        return number

    def _gone(self, call: str, kind: str, number: int) -> None:
        assert not self._queue, f"{call} while work is on the stream"
        assert self.alive.pop(number) == kind
        self._called(call)

    def _number(self, pinned: Bytes) -> int:
        return next(number for number, array in self._memory.items() if array is pinned and number in self.alive)


@pytest.fixture
def gpu_in_memory() -> GpuInMemory:
    """The calls of a GPU that is none; `Gpu(gpu_in_memory)` uses them. Nothing may be left on it."""
    return GpuInMemory()
