"""Who equalises: the fastest with OpenCV's answer, and OpenCV whenever another cannot, differs, is slower or fails."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from hemonode.errors import EngineError
from hemonode.runtime import equalisers
from hemonode.runtime.bundle.schema import PreprocessingRecord
from hemonode.runtime.engines.cpu import CpuEngine
from hemonode.runtime.equalisers import FastestEqualiser
from hemonode.runtime.preprocess import equalise
from hemonode.runtime.segment import Segmenter

PREPROCESSING = PreprocessingRecord(clahe_clip_limit=2, clahe_tiles=(8, 8))


class Other:
    """An equaliser that knows the answers beforehand."""

    def __init__(self, answer: np.ndarray, *, delay_s: float = 0.0, fails_after: int | None = None) -> None:
        self.answer = answer
        self.delay_s = delay_s
        self.left = fails_after
        self.calls = 0
        self.closed = 0

    def __call__(self, _: np.ndarray, /) -> np.ndarray:
        self.calls += 1
        if self.left is not None and self.calls > self.left:
            raise EngineError("The GPU is on fire.")
        time.sleep(self.delay_s)
        return self.answer

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Other], Other]:
    """Makes an equaliser the one beside OpenCV's."""

    def put(other: Other) -> Other:
        monkeypatch.setattr(equalisers, "OTHERS", {"CUDA": lambda _: other})
        return other

    return put


def choose(picture: np.ndarray, *, may_try: bool = True) -> tuple[FastestEqualiser, np.ndarray]:
    fastest = FastestEqualiser(PREPROCESSING, lambda: may_try)
    return fastest, fastest(picture)


def test_a_faster_one_with_the_same_answer_is_taken_and_both_times_are_told(use, picture) -> None:
    other = use(Other(equalise(picture, PREPROCESSING)))
    fastest, found = choose(picture)
    assert fastest.remark is not None
    assert fastest.remark.startswith("Contrast is equalised by CUDA in 0.0")
    assert "; OpenCV takes " in fastest.remark
    assert found is other.answer
    fastest.close()
    assert other.closed == 1
    np.testing.assert_array_equal(fastest(picture), other.answer)
    assert other.calls < 15


def test_a_slower_one_is_not_taken(use, picture) -> None:
    other = use(Other(equalise(picture, PREPROCESSING), delay_s=0.1))
    fastest, found = choose(picture)
    assert fastest.remark is not None
    assert "by OpenCV in" in fastest.remark
    assert "CUDA takes 10" in fastest.remark
    assert found is not other.answer


@pytest.mark.parametrize(("grey", "pixels", "taken"), [(1, 300, True), (1, 400, False), (2, 1, False)])
def test_an_answer_that_is_not_opencv_s_is_not_taken(use, picture, grey: int, pixels: int, taken: bool) -> None:
    answer = equalise(picture, PREPROCESSING).astype(int)
    answer.reshape(-1, 3)[:pixels] += np.where(answer.reshape(-1, 3)[:pixels] > 127, -grey, grey)
    other = use(Other(answer.astype(np.uint8)))
    fastest, found = choose(picture)
    assert (found is other.answer) == taken
    assert ("differs on" in (fastest.remark or "")) != taken


def test_one_that_cannot_be_had_is_told_with_its_reason(monkeypatch, picture) -> None:
    def refuse(_: PreprocessingRecord) -> Other:
        raise EngineError("There is no NVIDIA driver here.")

    monkeypatch.setattr(equalisers, "OTHERS", {"CUDA": refuse})
    fastest, found = choose(picture)
    assert fastest.remark is not None
    assert fastest.remark.endswith(" ms. CUDA cannot: There is no NVIDIA driver here.")
    np.testing.assert_array_equal(found, equalise(picture, PREPROCESSING))


def test_a_failure_later_on_costs_no_picture_and_is_told(use, picture) -> None:
    other = use(Other(equalise(picture, PREPROCESSING), fails_after=20))
    fastest, _ = choose(picture)
    for _ in range(12):
        np.testing.assert_array_equal(fastest(picture), other.answer)
    assert fastest.remark == "Contrast is equalised by OpenCV from now on: The GPU is on fire."
    assert other.calls == 21


def test_nothing_is_tried_before_it_may_be(use, picture) -> None:
    other = use(Other(equalise(picture, PREPROCESSING)))
    fastest, found = choose(picture, may_try=False)
    assert other.calls == 0
    assert fastest.remark is None
    np.testing.assert_array_equal(found, other.answer)


def test_the_gpu_is_left_alone_unless_the_engine_uses_it(colour_bundle, use, draw_cells, monkeypatch) -> None:
    picture = draw_cells(160, 170, [(2, 60.0, 60.0, 40.0)])
    other = use(Other(equalise(picture, colour_bundle.manifest.preprocessing)))
    with Segmenter(colour_bundle, engine="cpu") as segmenter:
        alone = segmenter.segment(picture, red_cell_px=40)
        assert other.calls == 0
        assert segmenter.remarks == ()
        monkeypatch.setattr(CpuEngine, "beside_cpu", True)
        beside = segmenter.segment(picture, red_cell_px=40)
        assert other.calls > 0
        assert segmenter.remarks[0].startswith("Contrast is equalised by ")
        np.testing.assert_array_equal(alone.class_ids, beside.class_ids)
    assert other.closed == 1
