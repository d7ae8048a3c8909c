"""Contrast equalisation by what is fastest on this machine, with OpenCV's answer."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from hemonode.errors import EngineError
from hemonode.runtime.bundle.schema import PreprocessingRecord
from hemonode.runtime.preprocess import Pixels, equalise

_REPEATS = 7
# What another order of roundings may come to: never more than the network was trained to ignore.
_FARTHEST_GREY = 1
_MOST_OTHER_PIXELS = 1e-3


class Equaliser(Protocol):
    """Does what `hemonode.runtime.preprocess.equalise` does, for callers in any thread."""

    def __call__(self, pixels: Pixels, /) -> Pixels:
        """Raises EngineError where it fails."""

    def close(self) -> None:
        """Give back what it took."""


class OpenCvEqualiser:
    """On the CPU: always there, and what the others are held to."""

    def __init__(self, preprocessing: PreprocessingRecord) -> None:
        self._preprocessing = preprocessing

    def __call__(self, pixels: Pixels, /) -> Pixels:
        """See `Equaliser`."""
        return equalise(pixels, self._preprocessing)

    def close(self) -> None:
        """Nothing was taken."""


def _cuda(preprocessing: PreprocessingRecord) -> Equaliser:
    try:
        from hemonode.runtime.gpu.equaliser import CudaEqualiser
    except ImportError as error:
        raise EngineError(f"cuda-bindings cannot be loaded ({error}); pip install 'hemonode[cuda]'.") from error
    return CudaEqualiser(preprocessing)


# One line per equaliser beside OpenCV's, with how to make it.
OTHERS: dict[str, Callable[[PreprocessingRecord], Equaliser]] = {
    "CUDA": _cuda,
}


class FastestEqualiser:
    """OpenCV's equalisation, or a faster one of `OTHERS`, found by trying them on the first picture that may be used.

    Args:
        preprocessing: from the bundle.
        may_try: whether others than OpenCV's may be tried by now; asked at every picture until it is so.

    Attributes:
        remark: one sentence on what was chosen and why; None as long as nothing was tried.
    """

    def __init__(self, preprocessing: PreprocessingRecord, may_try: Callable[[], bool]) -> None:
        self.remark: str | None = None
        self._preprocessing = preprocessing
        self._may_try = may_try
        self._opencv = OpenCvEqualiser(preprocessing)
        self._choosing = threading.Lock()
        self._chosen: Equaliser | None = None
        self._opened: list[Equaliser] = []

    def __call__(self, pixels: Pixels) -> Pixels:
        """See `hemonode.runtime.preprocess.equalise`. A failure of the GPU is told in `remark`; OpenCV goes on."""
        if self._chosen is None and self._may_try():
            with self._choosing:
                if self._chosen is None:
                    self._chosen = self._choose(pixels)
        try:
            return (self._chosen or self._opencv)(pixels)
        except EngineError as error:
            self._chosen = self._opencv
            self.remark = f"Contrast is equalised by OpenCV from now on: {error}"
            return self._opencv(pixels)

    def close(self) -> None:
        """Give back what was taken. Afterwards OpenCV does it."""
        with self._choosing:
            self._chosen = self._opencv
            while self._opened:
                self._opened.pop().close()

    def _choose(self, pixels: Pixels) -> Equaliser:
        best: Equaliser = self._opencv
        best_ms = opencv_ms = _milliseconds(self._opencv, pixels)
        self.remark = f"Contrast is equalised by OpenCV in {opencv_ms:.2f} ms."
        for name, make in OTHERS.items():
            try:
                other = make(self._preprocessing)
                self._opened.append(other)
                _check(other(pixels), self._opencv(pixels))
                other_ms = _milliseconds(other, pixels)
            except EngineError as error:
                self.remark = f"{self.remark} {name} cannot: {error}"
                continue
            if other_ms < best_ms:
                best, best_ms = other, other_ms
                self.remark = f"Contrast is equalised by {name} in {other_ms:.2f} ms; OpenCV takes {opencv_ms:.2f} ms."
            else:
                self.remark = f"{self.remark} {name} takes {other_ms:.2f} ms."
        return best


def _check(found: Pixels, right: Pixels) -> None:
    differences = np.abs(found.astype(np.int16) - right)
    others = np.mean(differences.any(axis=2))
    if differences.max(initial=0) > _FARTHEST_GREY or others > _MOST_OTHER_PIXELS:
        raise EngineError(f"its result differs on {others:.2%} of the pixels, by up to {differences.max()} of 255.")


def _milliseconds(equaliser: Equaliser, pixels: Pixels) -> float:
    """The median of a few runs, after a first one that may set things up."""
    equaliser(pixels)
    took = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        equaliser(pixels)
        took.append(1e3 * (time.perf_counter() - started))
    return statistics.median(took)
