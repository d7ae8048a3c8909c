"""A real NVIDIA GPU, by every backend that is installed: copies, graphs, mapped memory, errors, equalisation."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from hemonode.device.smear import render_view
from hemonode.errors import EngineError
from hemonode.runtime.bundle.schema import PreprocessingRecord
from hemonode.runtime.equalisers import FastestEqualiser
from hemonode.runtime.gpu import BACKENDS, gpu_facts, open_gpu
from hemonode.runtime.gpu.buffers import ArrayKind, Buffers
from hemonode.runtime.gpu.gpu import Gpu
from hemonode.runtime.gpu.memory import DeviceMemory
from hemonode.runtime.preprocess import equalise

pytestmark = pytest.mark.gpu

PREPROCESSING = PreprocessingRecord(clahe_clip_limit=2, clahe_tiles=(8, 8))


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Only this backend is to be had; those that are not installed are skipped."""
    monkeypatch.setattr("hemonode.runtime.gpu.BACKENDS", {request.param: BACKENDS[request.param]})
    try:
        open_gpu().close()
    except EngineError as error:
        if "No package for CUDA" in str(error):
            pytest.skip(str(error))
        raise
    return request.param


@pytest.fixture
def gpu(backend: str) -> Iterator[Gpu]:
    with open_gpu() as opened:
        yield opened


def test_it_tells_what_it_is(backend: str) -> None:
    facts = gpu_facts()
    print(facts)
    assert facts.backend == backend
    assert facts.name
    assert 0 < facts.free_bytes <= facts.total_bytes
    assert float(facts.compute_capability) >= 5
    assert float(facts.driver_version) >= 11
    assert float(facts.runtime_version) >= 11
    assert facts.uuid is None or facts.uuid.startswith("GPU-")


@pytest.mark.parametrize("memory", ["pinned", "pageable"])
def test_what_goes_there_comes_back(gpu: Gpu, memory) -> None:
    kind = ArrayKind((480, 640, 3), np.dtype(np.uint8))
    sent = np.random.default_rng(0).integers(0, 256, kind.shape, np.uint8)
    buffers = Buffers(gpu, {"in": kind}, {"out": kind}, memory)
    device = gpu.device(sent.nbytes)
    for shift in range(3):
        np.copyto(buffers.inputs["in"], sent + np.uint8(shift))
        gpu.upload(device, buffers.inputs["in"])
        gpu.download(buffers.outputs["out"], device)
        gpu.synchronise()
        np.testing.assert_array_equal(buffers.outputs["out"], sent + np.uint8(shift))


def test_a_graph_repeats_what_was_recorded(gpu: Gpu) -> None:
    device = gpu.device(4096)
    sent, received = gpu.pinned((1024,), np.float32), gpu.pinned((1024,), np.float32)

    def work() -> None:
        gpu.upload(device, sent)
        gpu.download(received, device)

    work()
    gpu.synchronise()
    if not gpu.can_capture:
        with pytest.raises(EngineError, match="no CUDA graphs"):
            gpu.capture(work)
        return
    graph = gpu.capture(work)
    for value in (1.5, -2.5):
        sent[:] = value
        gpu.launch(graph)
        gpu.synchronise()
        assert (received == value).all()


def test_what_cannot_be_recorded_leaves_the_stream_usable(gpu: Gpu) -> None:
    if not gpu.can_capture:
        pytest.skip("no graphs")
    device, host = gpu.device(64), gpu.pinned((16,), np.int32)
    with pytest.raises(EngineError):
        gpu.capture(gpu.synchronise)
    host[:] = 3
    gpu.upload(device, host)
    host_again = gpu.pinned((16,), np.int32)
    gpu.download(host_again, device)
    gpu.synchronise()
    assert (host_again == 3).all()


def test_mapped_memory_is_reached_from_both_sides(gpu: Gpu) -> None:
    both = gpu.mapped((16,), np.int32)
    assert both.pointer
    other = gpu.pinned((16,), np.int32)
    both.host[:] = 7
    # The device's address serves as a copy's source, as it would serve a kernel.
    gpu.download(other, DeviceMemory(both.pointer, both.host.nbytes))
    gpu.synchronise()
    assert (other == 7).all()


def test_more_memory_than_there_is_is_refused_and_the_rest_goes_on(gpu: Gpu) -> None:
    with pytest.raises(EngineError, match="Out of GPU memory"):
        gpu.device(2 * gpu.facts().total_bytes)
    gpu.device(1024)


def test_threads_have_each_their_own(backend: str) -> None:
    found = []

    def work() -> None:
        with open_gpu() as own:
            device, host = own.device(4), own.pinned((1,), np.int32)
            host[:] = 5
            own.upload(device, host)
            host[:] = 0
            own.download(host, device)
            own.synchronise()
            found.append(int(host[0]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [5] * 4


@pytest.mark.parametrize(("height", "width"), [(192, 256), (213, 284), (480, 640), (97, 131), (1, 1)])
def test_equalised_pictures_are_opencv_s(height: int, width: int) -> None:
    from hemonode.runtime.gpu.equaliser import CudaEqualiser

    smear = render_view(seed=3, height=480, width=640).pixels
    picture = np.asarray(cv2.resize(smear, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    equaliser = CudaEqualiser(PREPROCESSING)
    try:
        for _ in range(3):
            differences = np.abs(equaliser(picture).astype(int) - equalise(picture, PREPROCESSING))
            # On ARM, OpenCV's compiler may fuse a multiplication and an addition into one rounding.
            assert differences.max() <= 1
            assert np.mean(differences.any(axis=2)) <= 1e-3
    finally:
        equaliser.close()


def test_the_choice_is_told_with_both_times() -> None:
    picture = render_view(seed=3, height=213, width=284, red_cell_px=40).pixels
    fastest = FastestEqualiser(PREPROCESSING, lambda: True)
    fastest(picture)
    print(fastest.remark)
    assert fastest.remark is not None
    assert "cannot" not in fastest.remark
    assert fastest.remark.count(" ms") == 2
    fastest.close()
