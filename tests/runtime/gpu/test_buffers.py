"""Inputs and outputs of a network in memory: pinned, pageable or shared with the GPU, with the same answers."""

from __future__ import annotations

import numpy as np
import pytest

from hemonode.errors import EngineError
from hemonode.runtime.gpu.buffers import ArrayKind, Buffers
from hemonode.runtime.gpu.gpu import Gpu

INPUTS = {"frames": ArrayKind((1, 2, 2, 3), np.dtype(np.uint8))}
OUTPUTS = {"sum": ArrayKind((1,), np.dtype(np.float32)), "copy": ArrayKind((12,), np.dtype(np.uint8))}


def network(calls, pointers: dict[str, int]) -> None:
    """Adds up the frames, on the stream."""

    def work() -> None:
        frames = calls.array_at(pointers["frames"], (12,), np.uint8)
        calls.array_at(pointers["sum"], (1,), np.float32)[:] = frames.sum()
        calls.array_at(pointers["copy"], (12,), np.uint8)[:] = frames

    calls.put(work)


@pytest.mark.parametrize("memory", ["pinned", "pageable", "mapped"])
def test_every_kind_of_memory_gives_the_same_answer(gpu_in_memory, memory) -> None:
    with Gpu(gpu_in_memory) as gpu:
        buffers = Buffers(gpu, INPUTS, OUTPUTS, memory)
        for value in (1, 2):
            buffers.inputs["frames"][:] = value
            buffers.upload()
            network(gpu_in_memory, buffers.pointers)
            buffers.download()
            gpu.synchronise()
            assert buffers.outputs["sum"] == 12 * value
            assert (buffers.outputs["copy"] == value).all()
    assert gpu_in_memory.alive == {}


@pytest.mark.parametrize(("integrated", "expected"), [(True, "mapped"), (False, "pinned")])
def test_integrated_gpus_need_no_copies(gpu_in_memory, integrated: bool, expected: str) -> None:
    gpu_in_memory.integrated = integrated
    with Gpu(gpu_in_memory) as gpu:
        buffers = Buffers(gpu, INPUTS, OUTPUTS)
        buffers.upload()
        buffers.download()
        assert buffers.memory == expected
        assert (gpu_in_memory.log.count("copy_in"), gpu_in_memory.log.count("copy_out")) == (
            (0, 0) if integrated else (1, 2)
        )


@pytest.mark.parametrize("room", [0, 12, 16], ids=["none", "for one", "for two"])
@pytest.mark.parametrize("memory", ["pinned", "pageable"])
def test_nothing_is_kept_when_the_memory_does_not_suffice(gpu_in_memory, memory, room: int) -> None:
    with Gpu(gpu_in_memory) as gpu:
        before = dict(gpu_in_memory.alive)
        gpu_in_memory.room = room
        with pytest.raises(EngineError, match="Out of GPU memory"):
            Buffers(gpu, INPUTS, OUTPUTS, memory)
        assert gpu_in_memory.alive == before


@pytest.mark.parametrize("memory", ["pinned", "pageable", "mapped"])
def test_nothing_outlives_the_gpu_whichever_call_fails(gpu_in_memory, memory) -> None:
    with Gpu(gpu_in_memory) as gpu:
        before, calls = dict(gpu_in_memory.alive), len(gpu_in_memory.log)
        Buffers(gpu, INPUTS, OUTPUTS, memory).free()
        assert gpu_in_memory.alive == before
        for number in range(len(gpu_in_memory.log) - calls):
            gpu_in_memory.fail_at = len(gpu_in_memory.log) + number
            with pytest.raises(EngineError):
                Buffers(gpu, INPUTS, OUTPUTS, memory).free()
    assert gpu_in_memory.alive == {}
