"""Every engine that can be had, each opened for the bundle that shows most in the time it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import pytest

from hemonode.device.host.processor import processor_features
from hemonode.device.smear import render_view
from hemonode.runtime.bundle.reader import Bundle, open_bundle
from hemonode.runtime.engines import open_engine
from hemonode.runtime.engines.contract import AskedPrecision, Engine
from hemonode.runtime.preprocess import equalise

HEIGHT, WIDTH = 128, 160
MOST = 3
"""Frames in the largest batch."""


@dataclass(frozen=True)
class Case:
    """An engine in one precision, on the shipped bundle or on the one that sorts pixels by colour."""

    engine: str
    precision: str
    shipped: bool

    def __str__(self) -> str:
        return f"{self.engine}-{self.precision}"


def _case(engine: str, precision: str, *, shipped: bool = True) -> object:
    case = Case(engine, precision, shipped)
    return pytest.param(case, id=str(case), marks=[pytest.mark.gpu] if engine in ("tensorrt", "cuda") else [])


CASES = [
    # The colour bundle's graph takes a millisecond, so it can be run a thousand times.
    _case("cpu", "fp32", shipped=False),
    _case("openvino", "fp32", shipped=False),
    _case("openvino", "bf16"),
    _case("cuda", "fp32"),
    _case("cuda", "fp16"),
    _case("tensorrt", "fp32"),
    _case("tensorrt", "fp16"),
]


class OpenCase(Protocol):
    """Type of the `open_case` fixture."""

    def __call__(self, *, batch: int = 1, lanes: int = 1) -> Engine: ...


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    found = cast(Case, request.param)
    if found.precision == "bf16" and "amx_bf16" not in processor_features():
        pytest.skip("this CPU has no matrix units for bfloat16")
    return found


@pytest.fixture(scope="module")
def bundle(case: Case, colour_bundle: Bundle) -> Bundle:
    return open_bundle() if case.shipped else colour_bundle


@pytest.fixture(scope="module")
def open_case(case: Case, bundle: Bundle) -> OpenCase:
    """Opens the engine anew: `open_case(batch=3, lanes=2)`."""

    def open_it(*, batch: int = 1, lanes: int = 1) -> Engine:
        return open_engine(
            bundle,
            (batch, HEIGHT, WIDTH),
            engine=case.engine,
            precision=cast(AskedPrecision, case.precision),
            threads=lanes,
            lanes=lanes,
        )

    return open_it


@pytest.fixture(scope="module")
def engine(open_case: OpenCase) -> Iterator[Engine]:
    """Opened for up to `MOST` frames."""
    with open_case(batch=MOST) as opened:
        yield opened


@pytest.fixture(scope="module")
def frames(case: Case, bundle: Bundle, draw_cells) -> np.ndarray:
    """`MOST` different frames, uint8 [MOST, H, W, 3], as the bundle expects them."""
    if not case.shipped:
        discs = [(2, 40.0, 60.0, 40.0), (1, 110.0, 70.0, 70.0)]
        return np.stack(
            [draw_cells(HEIGHT, WIDTH, [(c, x + 7 * i, y, d) for c, x, y, d in discs]) for i in range(MOST)]
        )
    views = [render_view(seed=seed, height=HEIGHT, width=WIDTH, red_cell_px=40) for seed in range(MOST)]
    return np.stack([equalise(view.pixels, bundle.manifest.preprocessing) for view in views])
