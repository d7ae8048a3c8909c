"""The TensorRT engine on a GPU in memory and a plan that is none: buffers, order, graphs, threads, errors, closing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest

from hemonode.errors import EngineError
from hemonode.runtime.engines.tensorrt import TensorRtEngine
from hemonode.runtime.engines.tensorrt_session import SessionOptions, Tensor
from hemonode.runtime.gpu.gpu import Gpu

SHAPE = (2, 4, 6)


@dataclass
class Plan:
    """Stands for a loaded plan: class ids are the frame's blue, twice as large; the peak is the frame's sum.

    Attributes:
        gpu: the GPU in memory that it runs on.
        sizes: of the input, -1 where the plan has a profile.
        refuses: names of calls that TensorRT refuses, and how often.
    """

    gpu: object
    sizes: tuple[int, ...] = (*SHAPE, 3)
    peaks: type = np.float32
    block_errors: bool = False
    refuses: dict[str, int] = field(default_factory=dict)
    shape_set: tuple[int, ...] = ()
    threads: set[str] = field(default_factory=set)
    bound: dict[str, int] = field(default_factory=dict)
    open: bool = True

    def tensors(self) -> tuple[Tensor, ...]:
        found = [Tensor("frames", True, self.sizes, np.dtype(np.uint8))]
        for name, dtype in self._outputs().items():
            found.append(Tensor(name, False, self._size_of(name, self.sizes), np.dtype(dtype)))
        return tuple(found)

    def batch_range(self, _: str) -> tuple[int, int]:
        return 1, 8

    def set_shape(self, name: str, shape: tuple[int, ...]) -> None:
        self._called("set_shape")
        assert name == "frames"
        assert all(told in (-1, size) for told, size in zip(self.sizes, shape, strict=True))
        self.shape_set = tuple(shape)

    def shape(self, name: str) -> tuple[int, ...]:
        return self._size_of(name, self.shape_set)

    def bind(self, name: str, pointer: int) -> None:
        self._called("bind")
        self.bound[name] = pointer

    def execute(self, stream: int) -> None:
        self._called("execute")
        assert self.gpu.alive[stream] == "stream"
        assert self.bound.keys() == {"frames", *self._outputs()}
        shapes = {name: self.shape(name) for name in self.bound}
        self.gpu.put(lambda: self._compute(shapes))

    def close(self) -> None:
        assert self.open, "closed twice"
        self._called("close")
        self.open = False

    def _compute(self, shapes: dict[str, tuple[int, ...]]) -> None:
        assert self.open
        dtypes = {"frames": np.uint8, **self._outputs()}
        at = {name: self.gpu.array_at(self.bound[name], shapes[name], dtypes[name]) for name in shapes}
        at["class_ids"][:] = at["frames"][..., 0].repeat(2, axis=1).repeat(2, axis=2)
        at["peaks"][:] = at["frames"].astype(np.float32).sum(axis=(1, 2, 3))[:, None, None]
        if self.block_errors:
            at["block_errors"][:] = 0.5

    def _outputs(self) -> dict[str, type]:
        more = {"block_errors": np.float32} if self.block_errors else {}
        return {"class_ids": np.uint8, "peaks": self.peaks, **more}

    def _size_of(self, name: str, frames: tuple[int, ...]) -> tuple[int, ...]:
        batch, height, width, _ = frames
        return {
            "frames": frames,
            "class_ids": (batch, *(-1 if side < 0 else 2 * side for side in (height, width))),
            "peaks": (batch, 5, 4),
            "block_errors": (batch, 3),
        }[name]

    def _called(self, call: str) -> None:
        self.threads.add(threading.current_thread().name)
        if self.refuses.get(call, 0):
            self.refuses[call] -= 1
            raise EngineError(f"TensorRT refused {call}")


def open_with(plan: Plan, shape: tuple[int, int, int] = SHAPE, **options: object) -> TensorRtEngine:
    return TensorRtEngine(
        lambda: plan,
        shape,
        precision="fp16",
        version="TensorRT 10.3.0",
        device="NumPy",
        options=SessionOptions(**options),
        take_gpu=lambda: Gpu(plan.gpu),
    )


def frames(count: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (count, *SHAPE[1:], 3), np.uint8)


def assert_right(found: object, given: np.ndarray) -> None:
    assert (found.class_ids == given[..., 0].repeat(2, axis=1).repeat(2, axis=2)).all()
    assert (found.peaks[:, 0, 0] == given.astype(np.float32).sum(axis=(1, 2, 3))).all()


WAYS: dict[str, dict[str, object]] = {
    "graph": {},
    "no graph": {"cuda_graph": False},
    "pageable": {"memory": "pageable"},
    "mapped": {"memory": "mapped"},
}


@pytest.mark.parametrize("way", WAYS)
def test_answers_are_the_plans_and_the_callers_to_keep(gpu_in_memory, way: str) -> None:
    first, second = frames(seed=1), frames(seed=2)
    with open_with(Plan(gpu_in_memory), **WAYS[way]) as engine:
        found = engine.run(first)
        assert_right(found, first)
        found.peaks[:] = -1
        assert_right(engine.run(second), second)
        assert (found.peaks == -1).all()
        assert (found.class_ids == first[..., 0].repeat(2, axis=1).repeat(2, axis=2)).all()
        assert found.block_errors is None
    assert gpu_in_memory.alive == {}


@pytest.mark.parametrize(
    ("way", "calls"),
    [
        ("graph", ["launch", "synchronise"]),
        ("no graph", ["copy_in", "copy_out", "copy_out", "synchronise"]),
        ("pageable", ["copy_in", "copy_out", "copy_out", "synchronise"]),
        ("mapped", ["launch", "synchronise"]),
    ],
)
def test_a_frame_costs_no_more_calls_than_it_must(gpu_in_memory, way: str, calls: list[str]) -> None:
    with open_with(Plan(gpu_in_memory), **WAYS[way]) as engine:
        before = len(gpu_in_memory.log)
        engine.run(frames())
        assert gpu_in_memory.log[before:] == calls


def test_an_integrated_gpu_reads_and_writes_the_hosts_memory_itself(gpu_in_memory) -> None:
    gpu_in_memory.integrated = True
    with open_with(Plan(gpu_in_memory)) as engine:
        assert_right(engine.run(frames()), frames())
        assert not {"copy_in", "copy_out", "allocate"} & set(gpu_in_memory.log)


def test_estimated_errors_of_blocks_come_along(gpu_in_memory) -> None:
    with open_with(Plan(gpu_in_memory, block_errors=True)) as engine:
        assert engine.run(frames(1)).block_errors.tolist() == [[0.5] * 3]


def test_fewer_frames_are_filled_up_for_a_plan_of_one_size(gpu_in_memory) -> None:
    plan = Plan(gpu_in_memory)
    with open_with(plan) as engine:
        assert engine.batch_sizes == (2,)
        assert_right(engine.run(frames(1)), frames(1))
        assert plan.shape_set == (*SHAPE, 3)


def test_a_plan_with_a_profile_runs_each_batch_as_it_is_and_without_a_graph(gpu_in_memory) -> None:
    plan = Plan(gpu_in_memory, sizes=(-1, -1, -1, 3))
    with open_with(plan, (3, *SHAPE[1:])) as engine:
        assert engine.batch_sizes == (1, 2, 3)
        for count in (3, 1, 2, 3):
            given = frames(count, seed=count)
            assert_right(engine.run(given), given)
            assert plan.shape_set == (*given.shape,)
        assert "launch" not in gpu_in_memory.log


def test_a_backend_without_graphs_is_told_and_works(gpu_in_memory) -> None:
    gpu_in_memory.can_capture = False
    with open_with(Plan(gpu_in_memory)) as engine:
        assert engine.remarks == ("in memory has no CUDA graphs; with cuda-bindings a frame costs less CPU time.",)
        assert_right(engine.run(frames()), frames())


def test_work_that_cannot_be_recorded_is_told_and_runs_unrecorded(gpu_in_memory) -> None:
    plan = Plan(gpu_in_memory)
    executed = plan.execute

    def execute(stream: int) -> None:
        if "begin_capture" in gpu_in_memory.log and "end_capture" not in gpu_in_memory.log:
            raise EngineError("operation not permitted when stream is capturing")
        executed(stream)

    plan.execute = execute
    with open_with(plan) as engine:
        assert engine.remarks == (
            "The engine runs without a CUDA graph: operation not permitted when stream is capturing",
        )
        assert_right(engine.run(frames()), frames())


def test_a_refused_run_is_told_and_the_next_one_works(gpu_in_memory) -> None:
    plan = Plan(gpu_in_memory)
    with open_with(plan, cuda_graph=False) as engine:
        plan.refuses["execute"] = 1
        with pytest.raises(EngineError, match="TensorRT refused execute"):
            engine.run(frames())
        assert_right(engine.run(frames()), frames())
    assert gpu_in_memory.alive == {}


def test_after_a_refused_run_nothing_is_freed_while_a_copy_is_on_its_way(gpu_in_memory) -> None:
    plan = Plan(gpu_in_memory)
    with open_with(plan, cuda_graph=False) as engine:
        plan.refuses["execute"] = 1
        with pytest.raises(EngineError, match="TensorRT refused execute"):
            engine.run(frames())
    assert gpu_in_memory.alive == {}


@pytest.mark.parametrize("call", ["set_shape", "bind", "execute"])
def test_a_plan_that_cannot_run_does_not_open_and_leaves_nothing(gpu_in_memory, call: str) -> None:
    plan = Plan(gpu_in_memory, refuses={call: 1})
    before = threading.active_count()
    with pytest.raises(EngineError, match=f"TensorRT refused {call}"):
        open_with(plan)
    assert gpu_in_memory.alive == {}
    assert not plan.open
    assert threading.active_count() == before


def test_a_plan_that_cannot_be_loaded_leaves_nothing(gpu_in_memory) -> None:
    def load() -> Plan:
        raise EngineError("TensorRT 10.3.0 cannot load the engine")

    with pytest.raises(EngineError, match="cannot load"):
        TensorRtEngine(load, SHAPE, precision="fp16", version="", device="", take_gpu=lambda: Gpu(gpu_in_memory))
    assert gpu_in_memory.alive == {}


def test_whichever_cuda_call_fails_nothing_is_left(gpu_in_memory) -> None:
    def everything(gpu: object) -> None:
        with open_with(Plan(gpu)) as engine:
            engine.run(frames())

    everything(gpu_in_memory)
    failed = 0
    for number, name in enumerate(gpu_in_memory.log):
        fresh = type(gpu_in_memory)()
        fresh.fail_at = number
        try:
            everything(fresh)
        except EngineError:
            failed += 1
        else:
            # The recording: without it the engine works all the same, and says so.
            assert name in ("begin_capture", "copy_in", "copy_out", "end_capture"), name
        assert fresh.alive == {}, f"call {number}, {name}"
    assert failed > 15


def test_no_room_on_the_gpu_is_told_with_how_much_was_wanted(gpu_in_memory) -> None:
    gpu_in_memory.room = 100
    with pytest.raises(EngineError, match=r"Out of GPU memory: 0\.0 MiB were wanted"):
        open_with(Plan(gpu_in_memory))
    assert gpu_in_memory.alive == {}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sizes": (2, 4, 8, 3)}, r"not for frames of \(2, 4, 6, 3\) \(it has frames uint8 \(2, 4, 8, 3\), class_ids"),
        ({"peaks": np.float16}, r"it has .*peaks float16"),
    ],
)
def test_a_plan_of_another_graph_is_refused(gpu_in_memory, change: dict[str, object], told: str) -> None:
    with pytest.raises(EngineError, match=told):
        open_with(Plan(gpu_in_memory, **change))
    assert gpu_in_memory.alive == {}


def test_one_thread_does_all_that_touches_the_gpu_whoever_calls(gpu_in_memory) -> None:
    plan = Plan(gpu_in_memory)
    engine = open_with(plan)

    def run(seed: int) -> bool:
        given = frames(seed=seed)
        return bool((engine.run(given).peaks[:, 0, 0] == given.astype(np.float32).sum(axis=(1, 2, 3))).all())

    with ThreadPoolExecutor(4) as callers:
        assert all(callers.map(run, range(40)))
    threading.Thread(target=engine.close).start()
    engine.close()
    assert plan.threads == {"tensorrt_0"}
    assert gpu_in_memory.alive == {}


def test_after_closing_a_run_is_refused(gpu_in_memory) -> None:
    engine = open_with(Plan(gpu_in_memory))
    engine.close()
    with pytest.raises(EngineError, match="The tensorrt engine was closed"):
        engine.run(frames())
    engine.close()


def test_two_engines_stand_side_by_side(gpu_in_memory, make_gpu: Callable[[], object]) -> None:
    with open_with(Plan(gpu_in_memory)) as one, open_with(Plan(make_gpu())) as other:
        for seed in range(3):
            assert_right(one.run(frames(seed=seed)), frames(seed=seed))
            assert_right(other.run(frames(seed=seed + 9)), frames(seed=seed + 9))


@pytest.fixture
def make_gpu(gpu_in_memory) -> Callable[[], object]:
    return type(gpu_in_memory)
