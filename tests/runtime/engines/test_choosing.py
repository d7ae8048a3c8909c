"""Which engine runs, and why: `auto` says what it passed over, and nothing takes another's place silently."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hemonode.device.host.nvidia import has_nvidia_gpu
from hemonode.errors import BundleError, EngineError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.engines import ENGINES, agreement, open_engine, openvino
from hemonode.runtime.engines.contract import Engine, Opening
from hemonode.runtime.prediction import Prediction

SHAPE = (1, 128, 160)


@pytest.fixture
def frames(draw_cells) -> np.ndarray:
    return draw_cells(128, 160, [(2, 40.0, 60.0, 40.0), (1, 110.0, 70.0, 70.0)])[None]


def test_auto_gives_a_reason_for_each_better_engine_and_agrees_with_fp32(colour_bundle: Bundle, frames) -> None:
    with open_engine(colour_bundle, SHAPE, engine="cpu", precision="fp32", threads=1) as exact:
        expected = exact.run(frames)
    with open_engine(colour_bundle, SHAPE, engine="auto", precision="auto") as opened:
        better = list(ENGINES)[: list(ENGINES).index(opened.name)]
        assert [reason.split(":")[0] for reason in opened.passed_over] == better
        assert all(len(reason.split(": ", 1)[1]) > 20 and "\n" not in reason for reason in opened.passed_over)
        found = opened.run(frames)
    assert (found.class_ids == expected.class_ids).mean() > 0.999


@pytest.mark.skipif(has_nvidia_gpu(), reason="there is an NVIDIA GPU here")
def test_without_a_gpu_nobody_is_sent_to_install_its_software(colour_bundle: Bundle) -> None:
    with open_engine(colour_bundle, SHAPE, engine="auto", precision="fp32") as opened:
        assert all("no NVIDIA GPU" in reason for reason in opened.passed_over[:2])
    with pytest.raises(EngineError, match="no NVIDIA GPU"):
        open_engine(colour_bundle, SHAPE, engine="cuda")


def test_an_unknown_engine_is_refused_with_the_known_ones(colour_bundle: Bundle) -> None:
    with pytest.raises(EngineError, match="auto, tensorrt, cuda, openvino, cpu"):
        open_engine(colour_bundle, SHAPE, engine="abacus")


def test_a_missing_setting_is_refused_with_those_there_are(colour_bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="rk4-1"):
        open_engine(colour_bundle, SHAPE, setting="dopri5-9")


@pytest.mark.parametrize(
    ("engine", "precision", "named"), [("cpu", "bf16", "bf16"), ("cpu", "fp16", "fp16"), ("openvino", "fp16", "fp16")]
)
def test_a_precision_that_an_engine_lacks_is_refused_by_name(colour_bundle: Bundle, engine, precision, named) -> None:
    with pytest.raises(EngineError, match=named):
        open_engine(colour_bundle, SHAPE, engine=engine, precision=precision)


def test_a_bundle_without_the_precision_asked_for_says_which_it_has(colour_bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="no int8 graph; it has: fp32"):
        open_engine(colour_bundle, SHAPE, engine="cpu", precision="int8")


class _Careless(Engine):
    """Computes in "bf16", and calls a share of the pixels something else."""

    name, version, device = "openvino", "1", "a CPU"

    def __init__(self, opening: Opening, wrong: float) -> None:
        super().__init__(opening.shape)
        self.precision = "bf16" if opening.precision == "auto" else opening.precision
        self.ran = 0
        self._exact = open_engine(opening.bundle, opening.shape, engine="cpu", threads=1)
        self._wrong = wrong

    def _infer(self, frames: np.ndarray) -> Prediction:
        self.ran += 1
        found = self._exact.run(frames)
        class_ids = found.class_ids.reshape(-1).copy()
        wrong = round(self._wrong * class_ids.size)
        class_ids[:wrong] = 250
        return Prediction(class_ids.reshape(found.class_ids.shape), found.peaks)

    def _release(self) -> None:
        self._exact.close()


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[_Careless]:
    """In place of OpenVINO: an engine of which 1 % of the pixels are wrong in bf16. What was opened, in order."""
    opened: list[_Careless] = []

    def open_it(opening: Opening) -> Engine:
        opened.append(_Careless(opening, 0.0 if opening.precision == "fp32" else 0.01))
        return opened[-1]

    monkeypatch.setattr("hemonode.runtime.engines.openvino.open_engine", open_it)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return opened


def test_a_precision_that_changes_the_mask_is_refused_where_it_was_asked_for(colour_bundle, careless) -> None:
    with pytest.raises(EngineError, match=r"bf16 .* differs from that of fp32 on 1\.\d\d%"):
        open_engine(colour_bundle, SHAPE, engine="openvino", precision="bf16", threads=1)


def test_auto_takes_fp32_instead_and_says_so(colour_bundle, careless) -> None:
    with open_engine(colour_bundle, SHAPE, engine="openvino", precision="auto", threads=1) as opened:
        assert opened.precision == "fp32"
        assert "bf16" in opened.remarks[0]
    assert len(careless) == 2


def test_where_fp32_cannot_be_had_either_both_reasons_are_told(colour_bundle, careless, monkeypatch) -> None:
    open_it = openvino.open_engine

    def only_bf16(opening: Opening) -> Engine:
        if opening.precision == "fp32":
            raise EngineError("none is built for fp32.")
        return open_it(opening)

    monkeypatch.setattr("hemonode.runtime.engines.openvino.open_engine", only_bf16)
    with open_engine(colour_bundle, SHAPE, precision="auto", threads=1) as opened:
        assert opened.name == "cpu"
        assert "differs from that of fp32" in opened.passed_over[-1]
        assert "none is built for fp32" in opened.passed_over[-1]


def test_an_engine_that_breaks_in_its_own_way_is_passed_over_with_what_it_said(colour_bundle, monkeypatch) -> None:
    def broken(opening: Opening) -> Engine:
        raise TypeError("incompatible function arguments")

    monkeypatch.setattr("hemonode.runtime.engines.openvino.open_engine", broken)
    with open_engine(colour_bundle, SHAPE, precision="fp32", threads=1) as opened:
        assert opened.name == "cpu"
        assert "TypeError: incompatible function arguments" in opened.passed_over[-1]


def test_whether_a_precision_agrees_is_measured_once_and_then_known(colour_bundle, careless, tmp_path) -> None:
    for _ in range(2):
        with pytest.raises(EngineError, match="differs"):
            open_engine(colour_bundle, SHAPE, engine="openvino", precision="bf16", threads=1)
    assert [engine.ran > 0 for engine in careless] == [True, False]
    (record,) = (tmp_path / "cache" / "hemonode" / "agreement").iterdir()
    assert json.loads(record.read_text())["agreement"] == pytest.approx(0.99, abs=1e-3)
    for damage in ("{", '{"agreement": NaN}', '{"agreement": 7}', f'{{"agreement": 1{"0" * 400}}}'):
        record.write_text(damage)
        with pytest.raises(EngineError, match="differs"):
            open_engine(colour_bundle, SHAPE, engine="openvino", precision="bf16", threads=1)
        assert careless[-1].ran > 0


def test_without_onnx_runtime_nothing_below_fp32_is_trusted(colour_bundle, monkeypatch) -> None:
    opening = Opening(colour_bundle, SHAPE, "rk4-1", "bf16", threads=1)
    with _Careless(opening, 0.0) as engine:
        monkeypatch.setitem(sys.modules, "hemonode.runtime.engines.cpu", None)
        with pytest.raises(EngineError, match=r"cannot be told without ONNX Runtime .*; pip install onnxruntime"):
            agreement.measure_agreement(engine, opening)


def test_a_cache_folder_without_rights_costs_the_measurement_only(colour_bundle, tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    opening = Opening(colour_bundle, SHAPE, "rk4-1", "bf16", threads=1)
    agreement.require_agreement(_Careless(opening, 0.0), opening)


def test_the_runtime_never_loads_torch() -> None:
    code = (
        "import pkgutil, importlib, sys, hemonode.runtime as r\n"
        "for m in pkgutil.walk_packages(r.__path__, 'hemonode.runtime.'):\n"
        "    try: importlib.import_module(m.name)\n"
        "    except ModuleNotFoundError as error:\n"
        "        if error.name.split('.')[0] not in ('tensorrt', 'cuda', 'pycuda'): raise\n"
        "assert 'hemonode.runtime.segment' in sys.modules\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, env=os.environ.copy()).returncode == 0
