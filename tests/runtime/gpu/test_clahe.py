"""The GPU's contrast equalisation against OpenCV's: its very source, compiled for the CPU, on a GPU in memory."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from hemonode.device.smear import render_view
from hemonode.errors import EngineError
from hemonode.runtime.bundle.schema import PreprocessingRecord
from hemonode.runtime.gpu.clahe import SOURCE, Clahe
from hemonode.runtime.gpu.gpu import Gpu
from hemonode.runtime.preprocess import equalise

AS_SHIPPED = PreprocessingRecord(clahe_clip_limit=2, clahe_tiles=(8, 8))


class Extent(ctypes.Structure):
    _fields_ = (("x", ctypes.c_int), ("y", ctypes.c_int))


class KernelsOnCpu:
    """The kernels, put on the stream of a GPU in memory."""

    def __init__(self, library: ctypes.CDLL, calls) -> None:
        self._library = library
        self._calls = calls

    def launch(self, name: str, blocks: tuple[int, int], threads: tuple[int, int], arguments: Sequence) -> None:
        kernel = getattr(self._library, f"run_{name}")
        here = [
            ctypes.c_void_p(self._calls.array_at(argument.value, (1,), np.uint8).ctypes.data)
            if isinstance(argument, ctypes.c_void_p)
            else argument
            for argument in arguments
        ]
        self._calls.put(lambda: kernel(Extent(*blocks), Extent(*threads), *here))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    compiler = shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        pytest.skip("needs a C++ compiler")
    built = tmp_path_factory.mktemp("clahe") / "clahe.so"
    around = Path(__file__).with_name("cuda_on_cpu.cpp")
    options = ["-O1", "-ffp-contract=off", "-shared", "-fPIC", f"-I{SOURCE.parent}"]
    subprocess.run([compiler, *options, "-o", built, around], check=True)
    return ctypes.CDLL(str(built))


@cache
def a_smear() -> np.ndarray:
    return render_view(seed=3, height=213, width=284, red_cell_px=40).pixels


def pictures(height: int, width: int) -> list[np.ndarray]:
    """A drawn smear, noise in all colours, and one grey."""
    chance = np.random.default_rng(height * 1000 + width)
    smear = cv2.resize(a_smear(), (width, height), interpolation=cv2.INTER_AREA)
    return [smear, chance.integers(0, 256, (height, width, 3), np.uint8), np.full((height, width, 3), 77, np.uint8)]


@pytest.mark.parametrize(
    ("height", "width"),
    [(192, 256), (213, 284), (192, 250), (190, 256), (97, 131), (9, 300), (7, 5), (1, 1)],
    ids=lambda side: str(side),
)
@pytest.mark.parametrize(("clip_limit", "tiles"), [(2.0, (8, 8)), (40.0, (3, 5)), (0.01, (1, 1))])
def test_every_pixel_is_opencv_s(
    gpu_in_memory, library, height: int, width: int, clip_limit: float, tiles: tuple[int, int]
) -> None:
    preprocessing = PreprocessingRecord(clahe_clip_limit=clip_limit, clahe_tiles=tiles)
    with Gpu(gpu_in_memory) as gpu:
        clahe = Clahe(gpu, KernelsOnCpu(library, gpu_in_memory), preprocessing)
        for picture in pictures(height, width):
            np.testing.assert_array_equal(clahe(picture), equalise(picture, preprocessing))
    assert gpu_in_memory.alive == {}


def test_labelled_smears_come_out_as_from_opencv(gpu_in_memory, library) -> None:
    data = Path(os.environ.get("HEMONODE_DATA", Path(__file__).parents[4] / "shared" / "data"))
    found = sorted(path for path in data.rglob("*") if path.suffix.lower() in (".jpg", ".png", ".bmp", ".tif"))
    read = [cv2.imread(str(path)) for path in found[:: max(len(found) // 6, 1)][:6]]
    photographs = [picture for picture in read if picture is not None]
    if not photographs:
        pytest.skip(f"no pictures in {data}; set HEMONODE_DATA")
    with Gpu(gpu_in_memory) as gpu:
        clahe = Clahe(gpu, KernelsOnCpu(library, gpu_in_memory), AS_SHIPPED)
        for photograph in photographs:
            picture = cv2.resize(photograph, (284, 213), interpolation=cv2.INTER_AREA)
            np.testing.assert_array_equal(clahe(picture), equalise(picture, AS_SHIPPED))


def test_the_second_picture_of_a_size_is_one_launch_and_a_new_size_gives_memory_back(gpu_in_memory, library) -> None:
    with Gpu(gpu_in_memory) as gpu:
        clahe = Clahe(gpu, KernelsOnCpu(library, gpu_in_memory), AS_SHIPPED)
        first, second, _ = pictures(64, 64)
        kept = clahe(first)
        before = kept.copy()
        start, held = len(gpu_in_memory.log), dict(gpu_in_memory.alive)
        clahe(second)
        assert gpu_in_memory.log[start:] == ["launch", "synchronise"]
        np.testing.assert_array_equal(kept, before)
        clahe(pictures(80, 48)[0])
        assert sorted(gpu_in_memory.alive.values()) == sorted(held.values())
        assert not held.keys() & gpu_in_memory.alive.keys() - {gpu.stream}


def test_a_picture_that_is_part_of_another_is_read_rightly(gpu_in_memory, library) -> None:
    part = pictures(120, 160)[0][11:75, 20:116]
    with Gpu(gpu_in_memory) as gpu:
        found = Clahe(gpu, KernelsOnCpu(library, gpu_in_memory), AS_SHIPPED)(part)
    np.testing.assert_array_equal(found, equalise(part, AS_SHIPPED))


def test_mapped_memory_and_no_graphs_give_the_same(gpu_in_memory, library) -> None:
    picture = pictures(100, 90)[0]
    gpu_in_memory.integrated, gpu_in_memory.can_capture = True, False
    with Gpu(gpu_in_memory) as gpu:
        clahe = Clahe(gpu, KernelsOnCpu(library, gpu_in_memory), AS_SHIPPED)
        for _ in range(2):
            np.testing.assert_array_equal(clahe(picture), equalise(picture, AS_SHIPPED))
    assert "copy_in" not in gpu_in_memory.log


def test_the_real_compiler_takes_the_source_for_jetson_and_desktop() -> None:
    kernels = pytest.importorskip("hemonode.runtime.gpu.kernels", reason="cuda-bindings is not installed")
    source = SOURCE.read_text(encoding="ascii")
    try:
        for capability in ("7.5", "8.7", "8.9", "9.0"):
            assert kernels.compile_for(source, capability).startswith(b"\x7fELF")
    except EngineError as error:
        if "cannot be loaded" not in str(error):
            raise
        pytest.skip("NVRTC is not installed")
    with pytest.raises(EngineError, match=r"expected an expression.*report it"):
        kernels.compile_for("int x = ;", "8.7")
    with pytest.raises(EngineError, match=r"does not compile for compute capability 3\.5"):
        kernels.compile_for(source, "3.5")
