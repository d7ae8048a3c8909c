"""Every engine gives what the graph says, owns nothing of the caller's, and ends when closed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import onnxruntime
import pytest

from hemonode.errors import BundleError, EngineError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.engines import ENGINES, open_engine
from hemonode.runtime.engines.contract import Engine
from hemonode.runtime.engines.pool import EnginePool

SHAPE = (1, 128, 160)


@pytest.fixture(scope="module", params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, colour_bundle: Bundle) -> Iterator[Engine]:
    with open_engine(colour_bundle, SHAPE, engine=request.param, precision="fp32", threads=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def frames(draw_cells) -> np.ndarray:
    return draw_cells(128, 160, [(2, 40.0, 60.0, 40.0), (1, 110.0, 70.0, 70.0)])[None]


def test_it_gives_what_the_graph_says(engine: Engine, colour_bundle: Bundle, frames: np.ndarray) -> None:
    session = onnxruntime.InferenceSession(colour_bundle.graph_path(None), providers=["CPUExecutionProvider"])
    class_ids, peaks = session.run(["class_ids", "peaks"], {"frames": frames})
    found = engine.run(frames)
    assert (found.class_ids == class_ids).mean() > 0.999
    strong = peaks[0, peaks[0, :, 3] > 0.5]
    assert np.allclose(found.peaks[0, : len(strong)], strong, atol=1e-3)


def test_it_says_what_it_is(engine: Engine) -> None:
    assert engine.name in ENGINES
    assert engine.precision == "fp32"
    assert engine.version
    assert engine.device


def test_the_same_frame_gives_the_same_answer(engine: Engine, frames: np.ndarray) -> None:
    first, second = engine.run(frames), engine.run(frames)
    assert np.array_equal(first.class_ids, second.class_ids)
    assert np.array_equal(first.peaks, second.peaks)


def test_an_answer_is_not_overwritten_by_the_next(engine: Engine, frames: np.ndarray) -> None:
    first = engine.run(frames)
    kept = first.class_ids.copy(), first.peaks.copy()
    engine.run(np.zeros_like(frames))
    assert np.array_equal(first.class_ids, kept[0])
    assert np.array_equal(first.peaks, kept[1])


def test_a_frame_of_another_size_is_refused(engine: Engine) -> None:
    with pytest.raises(EngineError, match="opened for"):
        engine.run(np.zeros((1, 128, 128, 3), np.uint8))


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_after_close_it_refuses_to_run(colour_bundle: Bundle, name: str) -> None:
    opened = open_engine(colour_bundle, SHAPE, engine=name, precision="fp32", threads=1)
    opened.close()
    opened.close()
    with pytest.raises(EngineError, match="closed"):
        opened.run(np.zeros((*SHAPE, 3), np.uint8))


def test_auto_names_what_it_chose_and_agrees_with_fp32(colour_bundle: Bundle, frames: np.ndarray) -> None:
    with open_engine(colour_bundle, SHAPE, engine="cpu", precision="fp32", threads=1) as exact:
        expected = exact.run(frames)
    with open_engine(colour_bundle, SHAPE, engine="auto", precision="auto") as opened:
        assert opened.name == next(iter(ENGINES))
        found = opened.run(frames)
    assert (found.class_ids == expected.class_ids).mean() > 0.999
    strong = expected.peaks[0, :, 3] > 0.5
    assert {tuple(row) for row in found.peaks[0, strong, :3]} == {tuple(row) for row in expected.peaks[0, strong, :3]}


def test_an_unknown_engine_is_refused_with_the_known_ones(colour_bundle: Bundle) -> None:
    with pytest.raises(EngineError, match="openvino"):
        open_engine(colour_bundle, SHAPE, engine="abacus")


def test_a_missing_setting_is_refused_with_those_there_are(colour_bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="rk4-1"):
        open_engine(colour_bundle, SHAPE, setting="dopri5-9")


def test_a_folder_of_many_sizes_keeps_few_engines_open(colour_bundle: Bundle) -> None:
    opened: list[Engine] = []

    def open_for(shape: tuple[int, int, int]) -> Engine:
        opened.append(open_engine(colour_bundle, shape, engine="cpu", precision="fp32", threads=1))
        return opened[-1]

    def still_open(engine: Engine) -> bool:
        try:
            engine.run(np.zeros((*engine.shape, 3), np.uint8))
        except EngineError:
            return False
        return True

    pool = EnginePool(open_for)
    for width in range(128, 128 + 12 * 16, 16):
        assert pool.take((1, 128, width)).shape == (1, 128, width)
        assert pool.take((1, 128, 128)) is opened[0]
    assert len(opened) == 12
    assert [still_open(engine) for engine in opened] == [True, False, False] + [True] * 9
    pool.close()
    assert not any(still_open(engine) for engine in opened)
    with pytest.raises(EngineError, match="closed"):
        pool.take((1, 128, 128))


def test_the_runtime_never_loads_torch() -> None:
    code = (
        "import pkgutil, importlib, sys, hemonode.runtime as r\n"
        "for m in pkgutil.walk_packages(r.__path__, 'hemonode.runtime.'): importlib.import_module(m.name)\n"
        "assert 'hemonode.runtime.segment' in sys.modules\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
