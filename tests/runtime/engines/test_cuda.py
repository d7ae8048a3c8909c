"""ONNX Runtime on a GPU: what it says where it cannot, and its order of work on a GPU in memory."""

from __future__ import annotations

import platform
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import Bundle, open_bundle
from hemonode.runtime.engines import cuda, cuda_session, open_engine
from hemonode.runtime.engines.contract import Opening
from hemonode.runtime.engines.cpu import CpuEngine
from hemonode.runtime.gpu.gpu import Gpu

SHAPE = (2, 128, 160)
CPU = "CPUExecutionProvider"


class SessionOnStream:
    """A session for CPUs that passes for one on the GPU in memory: it reads and writes there, in the stream's turn."""

    def __init__(self, calls, graph: Path, options: onnxruntime.SessionOptions, providers: list) -> None:
        self._calls = calls
        self._session = onnxruntime.InferenceSession(graph, options, providers=[CPU])
        self.providers: list[str] = [cuda_session.PROVIDER, CPU]
        self.asked: dict[str, str] = providers[0][1]
        self.failure: str | None = None

    def get_providers(self) -> list[str]:
        return self.providers

    def get_provider_graph_assignment_info(self) -> list:
        left = SimpleNamespace(ep_name=CPU, get_nodes=lambda: [SimpleNamespace(op_type="TopK")])
        there = SimpleNamespace(ep_name=cuda_session.PROVIDER, get_nodes=lambda: [SimpleNamespace(op_type="Conv")])
        return [there, left, left]

    def get_outputs(self) -> list:
        return self._session.get_outputs()

    def io_binding(self) -> SessionOnStream:
        self.bound: dict[str, tuple] = {}
        return self

    def bind_input(self, name, device_type, device_id, element_type, shape, buffer_ptr) -> None:
        assert (device_type, device_id) == ("cuda", 0)
        self.bound[name] = (buffer_ptr, shape, element_type)

    def bind_output(self, name, device_type, device_id, element_type, shape, buffer_ptr) -> None:
        self.bind_input(name, device_type, device_id, element_type, shape, buffer_ptr)

    def run_with_iobinding(self, binding, options: onnxruntime.RunOptions) -> None:
        assert binding is self
        assert options.get_run_config_entry("disable_synchronize_execution_providers") == "1"
        if self.failure is not None:
            raise RuntimeError(self.failure)
        assert self.asked["user_compute_stream"] in map(str, self._calls.alive)

        def work() -> None:
            arrays = {name: self._calls.array_at(*where) for name, where in self.bound.items()}
            names = [output.name for output in self.get_outputs()]
            for name, value in zip(names, self._session.run(names, {"frames": arrays["frames"]}), strict=True):
                arrays[name][:] = value

        self._calls.put(work)


@pytest.fixture
def sessions(gpu_in_memory, monkeypatch: pytest.MonkeyPatch) -> list[SessionOnStream]:
    """The sessions that were opened."""
    opened: list[SessionOnStream] = []

    def open_session(graph: Path, options: onnxruntime.SessionOptions, providers: list) -> SessionOnStream:
        opened.append(SessionOnStream(gpu_in_memory, graph, options, providers))
        return opened[-1]

    monkeypatch.setattr(cuda_session, "open_session", open_session)
    return opened


OpenCuda = Callable[..., cuda.CudaEngine]


@pytest.fixture
def open_cuda(gpu_in_memory, colour_bundle: Bundle, sessions) -> OpenCuda:
    def open_it(**options: object) -> cuda.CudaEngine:
        graph = colour_bundle.graph_path(None)
        return cuda.CudaEngine(graph, SHAPE, "fp32", "NumPy", take_gpu=lambda: Gpu(gpu_in_memory), **options)

    return open_it


@pytest.fixture
def frames(draw_cells) -> np.ndarray:
    return np.stack([draw_cells(128, 160, [(2, 40.0 + 20 * i, 60.0, 40.0)]) for i in range(2)])


@pytest.mark.parametrize("memory", [None, "pinned", "pageable", "mapped"])
def test_the_answers_are_the_graph_s_and_the_caller_s(open_cuda, colour_bundle, frames, gpu_in_memory, memory) -> None:
    with open_cuda(memory=memory) as engine, CpuEngine(colour_bundle.graph_path(None), SHAPE) as exact:
        first = engine.run(frames)
        kept = first.class_ids.copy(), first.peaks.copy()
        engine.run(frames[::-1])
        np.testing.assert_array_equal(first.class_ids, kept[0])
        np.testing.assert_array_equal(first.peaks, kept[1])
        right = exact.run(frames)
        np.testing.assert_array_equal(first.class_ids, right.class_ids)
        np.testing.assert_array_equal(first.peaks, right.peaks)
    assert gpu_in_memory.alive == {}


def test_callers_in_any_thread_are_served_by_the_one_that_owns_the_gpu(open_cuda, frames) -> None:
    with open_cuda() as engine, ThreadPoolExecutor(3) as callers:
        expected = [engine.run(frames[number : number + 1]).class_ids for number in range(2)]
        for number, found in enumerate(callers.map(lambda n: engine.run(frames[n % 2][None]), range(12))):
            np.testing.assert_array_equal(found.class_ids, expected[number % 2])


def test_full_precision_is_not_tf32_and_work_goes_on_our_stream(open_cuda, sessions, gpu_in_memory) -> None:
    with open_cuda() as engine:
        assert sessions[0].asked["use_tf32"] == "0"
        assert gpu_in_memory.alive[int(sessions[0].asked["user_compute_stream"])] == "stream"
        assert engine.remarks == (f"{engine.version} leaves 2 TopK to the CPU.",)


def test_a_session_that_fell_back_to_the_cpu_is_refused_with_what_is_missing(
    open_cuda, gpu_in_memory, monkeypatch
) -> None:
    monkeypatch.setattr(SessionOnStream, "get_providers", lambda _: [CPU])
    with pytest.raises(EngineError, match=r"fell back to the CPU \(libcublas\.so\.13 not found\); pip install"):
        open_cuda(missing_libraries=("libcublas.so.13",))
    assert gpu_in_memory.alive == {}


def test_out_of_memory_while_running_tells_what_is_free(open_cuda, sessions, frames, gpu_in_memory) -> None:
    with open_cuda() as engine:
        sessions[0].failure = "Failed to allocate memory for requested buffer of size 8388608"
        with pytest.raises(EngineError, match=r"ran out of GPU memory: .* of 1,024 MiB are free on NumPy; end other"):
            engine.run(frames)
        sessions[0].failure = "CUDA failure 700: an illegal memory access was encountered"
        with pytest.raises(EngineError, match=r"ONNX Runtime \S+ failed on the GPU: .*illegal memory access"):
            engine.run(frames)
        sessions[0].failure = None
        assert engine.run(frames).class_ids.any()
    assert gpu_in_memory.alive == {}


def test_a_gpu_that_it_cannot_run_on_is_told_when_it_is_opened(open_cuda, gpu_in_memory, monkeypatch) -> None:
    def run(*_: object) -> None:
        raise RuntimeError("CUDNN failure 5003:\n no kernel image is available for execution on the device")

    monkeypatch.setattr(SessionOnStream, "run_with_iobinding", run)
    with pytest.raises(EngineError, match=r"failed on the GPU: CUDNN failure 5003: no kernel image is available"):
        open_cuda()
    assert gpu_in_memory.alive == {}


def test_nothing_is_left_whichever_cuda_call_fails_while_opening(open_cuda, gpu_in_memory) -> None:
    open_cuda().close()
    calls = len(gpu_in_memory.log)
    for number in range(calls):
        gpu_in_memory.log.clear()
        gpu_in_memory.fail_at = number
        with pytest.raises(EngineError, match="The CUDA call"):
            open_cuda().close()
        assert gpu_in_memory.alive == {}


@pytest.mark.skipif(
    cuda_session.PROVIDER in onnxruntime.get_available_providers(), reason="this ONNX Runtime is the build for GPUs"
)
@pytest.mark.parametrize(
    ("processor", "advice"),
    [("x86_64", r"pip uninstall onnxruntime, then pip install 'hemonode\[cuda\]'"), ("aarch64", "use TensorRT")],
)
def test_onnx_runtime_for_cpus_is_named_with_what_to_do_here(monkeypatch, processor: str, advice: str) -> None:
    monkeypatch.setattr(platform, "machine", lambda: processor)
    with pytest.raises(EngineError, match=rf"^ONNX Runtime \S+ is the build for CPUs; {advice}"):
        cuda.require_cuda_build()


def test_the_reason_why_it_was_passed_over_is_kept(colour_bundle: Bundle) -> None:
    with open_engine(colour_bundle, SHAPE) as chosen:
        assert chosen.name in ("tensorrt", "cuda") or any(why.startswith("cuda: ") for why in chosen.passed_over)


def test_a_precision_that_it_has_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "require_cuda_build", lambda: None)
    monkeypatch.setattr(cuda, "gpu_facts", lambda: SimpleNamespace(name="NumPy", compute_capability="8.7"))
    bundle = open_bundle()
    with pytest.raises(EngineError, match="fp32 or fp16 on a GPU, not in bf16"):
        cuda.open_engine(Opening(bundle, SHAPE, bundle.setting().name, precision="bf16"))


@pytest.mark.parametrize(
    ("asked", "capability", "expected"),
    [("auto", "8.7", "fp16"), ("auto", "6.1", "fp32"), ("fp32", "8.7", "fp32"), ("fp16", "8.7", "fp16")],
)
def test_fp16_is_taken_where_bundle_and_gpu_are_made_for_it(
    sessions, gpu_in_memory, monkeypatch: pytest.MonkeyPatch, asked: str, capability: str, expected: str
) -> None:
    monkeypatch.setattr(cuda, "require_cuda_build", lambda: None)
    monkeypatch.setattr(cuda, "gpu_facts", lambda: SimpleNamespace(name="NumPy", compute_capability=capability))
    opened: list[Path] = []
    monkeypatch.setattr(cuda, "CudaEngine", lambda graph, *rest, **_: opened.append(graph) or rest[1])
    bundle = open_bundle()
    assert cuda.open_engine(Opening(bundle, SHAPE, bundle.setting().name, precision=asked)) == expected
    assert opened == [bundle.graph_path(None, expected)]


def test_what_the_library_prints_is_kept_from_standard_output(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    def preload() -> None:
        print("Failed to load libcublasLt.so.13: libcublasLt.so.13: cannot open shared object file")
        print("Please follow https://example.org to install CUDA.")

    monkeypatch.setattr(onnxruntime, "preload_dlls", preload, raising=False)
    assert cuda.load_cuda_libraries() == ("libcublasLt.so.13",)
    assert capsys.readouterr().out == ""
