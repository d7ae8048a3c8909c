"""A GPU's memory, stream and graphs, in memory: nothing leaks, whatever fails, and one thread owns it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from hemonode.errors import EngineError
from hemonode.runtime.gpu.gpu import Gpu
from hemonode.runtime.gpu.sentences import driver_too_old


def everything(gpu: Gpu) -> None:
    """What an engine does with a GPU, from opening to a replayed graph."""
    with gpu:
        device = gpu.device(16)
        host = gpu.pinned((4,), np.float32)
        both = gpu.mapped((2, 2), np.uint8)
        host[:] = [1, 2, 3, 4]
        gpu.upload(device, host)
        gpu.download(host, device)
        gpu.synchronise()
        graph = gpu.capture(lambda: gpu.upload(device, host))
        gpu.launch(graph)
        gpu.synchronise()
        gpu.free(both)


def test_what_goes_to_the_gpu_comes_back_after_synchronising_and_not_before(gpu_in_memory) -> None:
    with Gpu(gpu_in_memory) as gpu:
        device = gpu.device(12)
        sent, received = gpu.pinned((3,), np.int32), gpu.pinned((3,), np.int32)
        sent[:], received[:] = [1, 2, 3], 0
        gpu.upload(device, sent)
        gpu.download(received, device)
        assert received.tolist() == [0, 0, 0]
        gpu.synchronise()
        assert received.tolist() == [1, 2, 3]


def test_a_graph_repeats_what_was_recorded_with_the_data_of_now(gpu_in_memory) -> None:
    with Gpu(gpu_in_memory) as gpu:
        device = gpu.device(4)
        sent, received = gpu.pinned((4,), np.uint8), gpu.pinned((4,), np.uint8)
        received[:] = 0

        def work() -> None:
            gpu.upload(device, sent)
            gpu.download(received, device)

        graph = gpu.capture(work)
        gpu.synchronise()
        assert received.tolist() == [0] * 4
        for value in (5, 6):
            sent[:] = value
            gpu.launch(graph)
            gpu.synchronise()
            assert received.tolist() == [value] * 4


def test_mapped_memory_is_one_memory_for_both(gpu_in_memory) -> None:
    with Gpu(gpu_in_memory) as gpu:
        both = gpu.mapped((2, 3), np.float32)
        both.host[:] = 7
        assert (gpu_in_memory.array_at(both.pointer, (2, 3), np.float32) == 7).all()


def test_nothing_is_left_when_all_goes_well(gpu_in_memory) -> None:
    everything(Gpu(gpu_in_memory))
    assert gpu_in_memory.alive == {}
    assert gpu_in_memory.log[-2:] == ["destroy_stream", "leave"]


def test_nothing_is_left_whichever_call_fails(gpu_in_memory, request) -> None:
    everything(Gpu(gpu_in_memory))
    for number, name in enumerate(gpu_in_memory.log):
        fresh = type(gpu_in_memory)()
        fresh.fail_at = number
        with pytest.raises(EngineError, match=rf"The CUDA call {name} failed \(cudaErrorUnknown, unknown error\); "):
            everything(Gpu(fresh))
        assert fresh.alive == {}, f"call {number}, {name}"
        assert fresh.log.count("enter") == fresh.log.count("leave") + (name == "enter"), f"call {number}, {name}"


def test_a_failure_inside_a_recording_leaves_the_stream_usable(gpu_in_memory) -> None:
    with Gpu(gpu_in_memory) as gpu:
        device, host = gpu.device(1), gpu.pinned((1,), np.uint8)

        def work() -> None:
            gpu.upload(device, host)
            raise EngineError("not today")

        with pytest.raises(EngineError, match="not today"):
            gpu.capture(work)
        host[:] = 3
        gpu.upload(device, host)
        gpu.synchronise()
        assert gpu_in_memory.array_at(device.pointer, (1,), np.uint8) == 3
    assert gpu_in_memory.alive == {}


def test_a_backend_without_graphs_says_so(gpu_in_memory) -> None:
    gpu_in_memory.can_capture = False
    with Gpu(gpu_in_memory) as gpu, pytest.raises(EngineError, match="no CUDA graphs"):
        gpu.capture(lambda: None)


def test_out_of_memory_tells_what_was_wanted_and_what_is_free(gpu_in_memory) -> None:
    gpu_in_memory.room = 100 * 2**20
    with Gpu(gpu_in_memory) as gpu:
        gpu.device(36 * 2**20)
        with pytest.raises(
            EngineError, match=r"Out of GPU memory: 80 MiB were wanted, 64 MiB of 100 MiB are free on NumPy; end other"
        ):
            gpu.device(80 * 2**20)
        gpu.device(64 * 2**20)


@pytest.mark.parametrize(
    "use",
    [
        lambda gpu: gpu.device(1),
        lambda gpu: gpu.pinned((1,), np.uint8),
        lambda gpu: gpu.mapped((1,), np.uint8),
        lambda gpu: gpu.synchronise(),
        lambda gpu: gpu.capture(lambda: None),
        lambda gpu: gpu.facts(),
        lambda gpu: gpu.keep(gpu, lambda: None),
        lambda gpu: gpu.close(),
    ],
)
def test_another_thread_is_refused(gpu_in_memory, use: Callable[[Gpu], object]) -> None:
    refused = []

    def other() -> None:
        try:
            use(gpu)
        except EngineError as error:
            refused.append(str(error))

    with Gpu(gpu_in_memory) as gpu:
        before = len(gpu_in_memory.log)
        thread = threading.Thread(target=other, name="worker-1")
        thread.start()
        thread.join()
        assert len(refused) == 1
        assert "belongs to the thread 'MainThread' but 'worker-1' used it" in refused[0]
        assert len(gpu_in_memory.log) == before


def test_closing_twice_is_one_closing_and_use_after_it_is_refused(gpu_in_memory) -> None:
    gpu = Gpu(gpu_in_memory)
    gpu.close()
    before = len(gpu_in_memory.log)
    gpu.close()
    assert len(gpu_in_memory.log) == before
    with pytest.raises(EngineError, match="closed"):
        gpu.device(1)


def test_what_uses_memory_is_released_before_it(gpu_in_memory) -> None:
    with Gpu(gpu_in_memory) as gpu:
        device = gpu.device(8)
        gpu.keep(object(), lambda: gpu_in_memory.log.append(f"context, memory {gpu_in_memory.alive[device.pointer]}"))
    assert gpu_in_memory.log[-4:] == ["context, memory device", "free", "destroy_stream", "leave"]


def test_the_first_error_is_the_one_told(gpu_in_memory) -> None:
    def use() -> None:
        with Gpu(gpu_in_memory) as gpu:
            gpu.device(8)
            gpu_in_memory.fail_at = len(gpu_in_memory.log)
            raise EngineError("the cause")

    with pytest.raises(EngineError, match="the cause"):
        use()
    assert gpu_in_memory.alive == {}


def test_freeing_what_was_freed_is_refused(gpu_in_memory) -> None:
    with Gpu(gpu_in_memory) as gpu:
        device = gpu.device(8)
        gpu.free(device)
        with pytest.raises(EngineError, match="freed it before"):
            gpu.free(device)


@pytest.mark.parametrize("host", [np.zeros(9, np.uint8), np.zeros((4, 4), np.uint8)[:, ::2]])
def test_an_array_that_does_not_fit_is_not_copied(gpu_in_memory, host: np.ndarray) -> None:
    with Gpu(gpu_in_memory) as gpu:
        device = gpu.device(8)
        with pytest.raises(EngineError, match="contiguous array of at most"):
            gpu.upload(device, host)
        with pytest.raises(EngineError, match="contiguous array of at most"):
            gpu.download(host, device)


@pytest.mark.parametrize(
    ("driver", "made_for", "below"),
    [("11.4", "12.9", "12"), ("12.6", "13.5", "13"), ("12.6", "12.9", "12.9"), ("13.0", "13.5", "13.1")],
)
def test_advice_for_an_old_driver_names_bindings_that_it_takes(driver: str, made_for: str, below: str) -> None:
    said = driver_too_old(driver, made_for)
    assert said.startswith(
        f"The NVIDIA driver supports CUDA up to {driver}, which is too old for cuda-bindings {made_for}"
    )
    assert said.endswith(f"'cuda-bindings<{below}'.")
