"""The contract of every engine: right answers, for any batch, from any thread, owned by the caller, until closed."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest

from hemonode.errors import EngineError
from hemonode.runtime.engines import ENGINES
from hemonode.runtime.prediction import Prediction

FEWEST_EQUAL = {"fp32": 0.9999, "bf16": 0.999, "fp16": 0.999}
"""Share of mask pixels that must be those of the ONNX graph on ONNX Runtime."""
FARTHEST_SCORE = {"fp32": 1e-3, "bf16": 0.05, "fp16": 0.01}


def same(one: Prediction, other: Prediction) -> bool:
    return np.array_equal(one.class_ids, other.class_ids) and np.array_equal(one.peaks, other.peaks)


def agreeing(one: Prediction, other: Prediction) -> bool:
    """Batches may be summed in another order than single frames."""
    return bool(np.mean(one.class_ids == other.class_ids) > 0.9995)


def test_it_gives_what_the_graph_says(engine, case, bundle, frames):
    session = onnxruntime.InferenceSession(bundle.graph_path(None), providers=["CPUExecutionProvider"])
    class_ids, peaks = session.run(["class_ids", "peaks"], {"frames": frames})
    found = engine.run(frames)
    assert found.class_ids.dtype == np.uint8
    assert found.peaks.dtype == np.float32
    assert found.class_ids.shape == class_ids.shape
    assert (found.class_ids == class_ids).mean() > FEWEST_EQUAL[case.precision]
    for ours, theirs in zip(found.peaks, peaks, strict=True):
        strong = theirs[theirs[:, 3] > 0.5]
        assert len(strong) > 1
        for class_id, x, y, score in strong:
            near = ours[(ours[:, 0] == class_id) & (np.abs(ours[:, 1] - x) < 4.5) & (np.abs(ours[:, 2] - y) < 4.5)]
            assert len(near) > 0
            assert abs(near[0, 3] - score) < FARTHEST_SCORE[case.precision]


def test_it_says_what_it_is(engine, case):
    assert engine.name == case.engine
    assert engine.name in ENGINES
    assert engine.precision == case.precision
    assert engine.version
    assert engine.device
    assert engine.batch_sizes[-1] == engine.shape[0] == 3


@pytest.mark.parametrize("count", [1, 2, 3])
def test_any_batch_up_to_the_largest_gives_what_each_frame_gives(engine, open_case, frames, count):
    found = engine.run(frames[:count])
    assert len(found.class_ids) == len(found.peaks) == count
    with open_case() as single:
        for number in range(count):
            alone = single.run(frames[number : number + 1])
            together = Prediction(found.class_ids[number : number + 1], found.peaks[number : number + 1])
            assert agreeing(alone, together)


@pytest.mark.parametrize("count", [0, 4])
def test_no_frame_or_too_many_are_refused_with_how_many_may_be_given(engine, frames, count):
    with pytest.raises(EngineError, match="1 to 3 frames"):
        engine.run(np.zeros((count, *frames.shape[1:]), np.uint8))


def test_the_same_frames_give_the_same_answer(engine, frames):
    first = engine.run(frames)
    assert all(same(first, engine.run(frames)) for _ in range(3))


def test_an_answer_is_not_overwritten_by_the_next(engine, frames):
    first = engine.run(frames)
    kept = Prediction(first.class_ids.copy(), first.peaks.copy())
    for number in range(3):
        engine.run(np.full_like(frames, 80 * number))
    assert same(first, kept)


def test_the_frame_is_left_as_it_was(engine, frames):
    given = frames.copy()
    engine.run(given)
    assert np.array_equal(given, frames)


def test_a_frame_that_is_not_contiguous_is_read_as_it_looks(engine, frames):
    wide = np.zeros((len(frames), frames.shape[1], 2 * frames.shape[2], 3), np.uint8)
    wide[:, :, ::2] = frames
    assert same(engine.run(wide[:, :, ::2]), engine.run(frames))


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((1, 128, 128, 3), np.uint8), np.zeros((128, 160, 3), np.uint8), np.zeros((1, 128, 160, 3), np.float32)],
    ids=["size", "no batch", "dtype"],
)
def test_a_frame_of_another_kind_is_refused_with_what_it_was_opened_for(engine, wrong):
    with pytest.raises(EngineError, match="opened for uint8 frames of"):
        engine.run(wrong)


def test_one_thread_may_open_another_run_and_a_third_close(open_case, frames):
    expected = None
    with ThreadPoolExecutor(1) as opener, ThreadPoolExecutor(1) as runner, ThreadPoolExecutor(1) as closer:
        opened = opener.submit(open_case).result()
        expected = opened.run(frames[:1])
        assert same(runner.submit(opened.run, frames[:1]).result(), expected)
        closer.submit(opened.close).result()
        with pytest.raises(EngineError, match="closed"):
            runner.submit(opened.run, frames[:1]).result()


@pytest.mark.parametrize("lanes", [1, 2])
def test_callers_at_the_same_time_each_get_their_own_answer(open_case, frames, lanes):
    with open_case(lanes=lanes) as opened:
        expected = [opened.run(frame[None]) for frame in frames]
        with ThreadPoolExecutor(4) as callers:
            numbers = [number % len(frames) for number in range(24)]
            answers = callers.map(lambda number: opened.run(frames[number : number + 1]), numbers)
            assert all(same(answer, expected[number]) for number, answer in zip(numbers, answers, strict=True))


def test_two_engines_side_by_side_do_not_disturb_each_other(open_case, frames):
    with open_case() as one, open_case() as other, ThreadPoolExecutor(2) as callers:
        expected = [one.run(frame[None]) for frame in frames[:2]]
        for _ in range(5):
            found = callers.submit(one.run, frames[:1]), callers.submit(other.run, frames[1:2])
            assert all(same(future.result(), right) for future, right in zip(found, expected, strict=True))


def test_closing_waits_for_the_run_in_work(open_case, frames):
    opened = open_case()
    answers, failures = [], []
    started = threading.Event()

    def work() -> None:
        try:
            for _ in range(5000):
                answers.append(opened.run(frames[:1]))
                started.set()
        except EngineError as error:
            failures.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    started.wait(60)
    opened.close()
    thread.join(60)
    assert len(failures) == 1
    assert "closed" in failures[0]
    assert all(same(answer, answers[0]) for answer in answers)


def test_after_close_it_refuses_to_run_and_closing_again_does_nothing(open_case, frames):
    opened = open_case()
    opened.close()
    opened.close()
    with pytest.raises(EngineError, match="closed"):
        opened.run(frames[:1])


LEAK = """
import gc, pathlib, sys
import numpy as np
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.engines import open_engine

def resident():
    gc.collect()
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096

frames = np.load(sys.argv[2])
bundle = open_bundle(pathlib.Path(sys.argv[1]))
with open_engine(bundle, (1, *frames.shape[1:3]), engine=sys.argv[3], precision=sys.argv[4], threads=1) as engine:
    for number in range(1100):
        engine.run(frames[number % len(frames)][None])
        if number == 100:
            before = resident()
    print(resident() - before)
"""


def test_memory_stays_flat_over_a_thousand_runs(case, bundle, frames, tmp_path):
    np.save(tmp_path / "frames.npy", frames)
    # A process of its own: what other tests left behind comes and goes.
    words = [sys.executable, "-c", LEAK, bundle.folder, tmp_path / "frames.npy", case.engine, case.precision]
    grown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    # One answer kept back in each run would be 98 MB.
    assert int(grown) < 10e6
