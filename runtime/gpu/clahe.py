"""The paper's contrast equalisation on the GPU, equal to OpenCV's; the arithmetic is in `clahe.cu`."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hemonode.runtime.bundle.schema import PreprocessingRecord
from hemonode.runtime.gpu.buffers import ArrayKind, Buffers
from hemonode.runtime.gpu.gpu import Gpu
from hemonode.runtime.gpu.launch import Kernels
from hemonode.runtime.gpu.memory import Graph

Pixels = npt.NDArray[np.uint8]
SOURCE = Path(__file__).with_name("clahe.cu")
GREYS = 256
_THREADS = (32, 8)


@dataclass(frozen=True)
class Grid:
    """OpenCV's tiles for a picture: where it does not divide evenly, they reach beyond the right and lower border."""

    columns: int
    rows: int
    tile_height: int
    tile_width: int
    clip_limit: int
    """Pixels of one grey that count in one tile."""

    @classmethod
    def of(cls, height: int, width: int, preprocessing: PreprocessingRecord) -> Grid:
        """The tiles for a picture of `height`×`width` px."""
        columns, rows = preprocessing.clahe_tiles
        if height % rows or width % columns:
            # As OpenCV does it: a side that divides evenly is extended by a whole pixel per tile, too.
            height, width = height + rows - height % rows, width + columns - width % columns
        tile_height, tile_width = height // rows, width // columns
        clip_limit = int(preprocessing.clahe_clip_limit * (tile_height * tile_width) / GREYS)
        return cls(columns, rows, tile_height, tile_width, max(clip_limit, 1))


class Clahe:
    """Equalises pictures on a GPU, in its thread. Memory is kept for pictures of the last one's size.

    Args:
        gpu: has room for two pictures; frees all when it is closed, which is what to do after an error.
        kernels: those of `SOURCE`.
        preprocessing: clip limit and grid, from the bundle.
    """

    def __init__(self, gpu: Gpu, kernels: Kernels, preprocessing: PreprocessingRecord) -> None:
        self._gpu = gpu
        self._kernels = kernels
        self._preprocessing = preprocessing
        self._size: _Size | None = None

    def __call__(self, pixels: Pixels) -> Pixels:
        """See `hemonode.runtime.preprocess.equalise`.

        Raises:
            EngineError: no room on the GPU, or it failed.
        """
        size = self._size
        if size is None or size.picture.shape != pixels.shape:
            if size is not None:
                size.free()
            grid = Grid.of(pixels.shape[0], pixels.shape[1], self._preprocessing)
            size = self._size = _Size(self._gpu, self._kernels, grid, pixels.shape)
        np.copyto(size.picture, pixels)
        size.run()
        # A copy: the next picture is written over it.
        return size.equalised.astype(np.uint8)


class _Size:
    """Memory for pictures of one size, and the work on them, recorded after its first run where that is possible."""

    def __init__(self, gpu: Gpu, kernels: Kernels, grid: Grid, shape: tuple[int, ...]) -> None:
        self._gpu = gpu
        self._kernels = kernels
        self._grid = grid
        kind = ArrayKind(shape, np.dtype(np.uint8))
        self._buffers = Buffers(gpu, {"picture": kind}, {"equalised": kind})
        self._tables = gpu.device(grid.rows * grid.columns * GREYS)
        self._graph: Graph | None = None
        self.picture = self._buffers.inputs["picture"]
        self.equalised = self._buffers.outputs["equalised"]

    def run(self) -> None:
        if self._graph is not None:
            self._gpu.launch(self._graph)
            self._gpu.synchronise()
            return
        self._put()
        self._gpu.synchronise()
        if self._gpu.can_capture:
            self._graph = self._gpu.capture(self._put)

    def free(self) -> None:
        if self._graph is not None:
            self._gpu.free(self._graph)
        self._gpu.free(self._tables)
        self._buffers.free()

    def _put(self) -> None:
        grid, pointers = self._grid, self._buffers.pointers
        height, width = self.picture.shape[:2]
        picture = (ctypes.c_void_p(pointers["picture"]), ctypes.c_int(height), ctypes.c_int(width))
        tile = (ctypes.c_int(grid.tile_height), ctypes.c_int(grid.tile_width))
        tables = ctypes.c_void_p(self._tables.pointer)
        scale = np.float32(GREYS - 1) / np.float32(grid.tile_height * grid.tile_width)
        limits = (ctypes.c_int(grid.clip_limit), ctypes.c_float(float(scale)))
        tiles = (ctypes.c_int(grid.rows), ctypes.c_int(grid.columns))
        across, down = _THREADS
        self._buffers.upload()
        self._kernels.launch("make_tables", (grid.columns, grid.rows), (GREYS, 1), (*picture, *tile, *limits, tables))
        self._kernels.launch(
            "equalise",
            (-(-width // across), -(-height // down)),
            _THREADS,
            (*picture, *tile, *tiles, tables, ctypes.c_void_p(pointers["equalised"])),
        )
        self._buffers.download()
