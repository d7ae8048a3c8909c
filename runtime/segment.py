"""From a picture of any size to its mask and cells: the one way that `run`, `live` and `evaluate` share."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

import cv2
import numpy as np

from hemonode.errors import PictureError, TooManyCellsError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.counting.locate import Located, locate_cells
from hemonode.runtime.counting.peaks import check_not_full, peak_thresholds
from hemonode.runtime.engines.contract import AskedPrecision, Engine
from hemonode.runtime.engines.shelf import Asked, EngineShelf, Rung
from hemonode.runtime.equalisers import FastestEqualiser
from hemonode.runtime.preprocess import pad, padded_side, resample
from hemonode.runtime.scale import RedCells, from_um_per_px, measure_red_cell_px
from hemonode.runtime.segmentation import Inferred, ModelUsed, Pixels, Prepared, ScaleSource, Segmentation
from hemonode.runtime.tiling import TILE_PX, core_peaks, paste_core, plan_tiles

Size = tuple[int, int]
"""Height and width, pixels."""

# At the working scale; about a hundred red cells, enough to measure by.
_MEASURED_PART_PX = 384
# Beyond this many pixels at the working scale a wrong scale is likelier than a picture so large.
_LARGEST_WORKING_PIXELS = 200_000_000


class Segmenter:
    """One model on one engine, for pictures of any size and callers in any thread. Close it, or use it in `with`.

    Args:
        bundle: the model.
        engine: an engine's name, or "auto".
        setting: solver setting where a call names none; None is the bundle's default.
        precision: see `open_engine`.
        threads: CPU threads in all; None leaves it to the library.
        lanes: callers that the engine serves at once.
        tile_px: largest side of an engine's frame, at the working scale; bounds the engine's memory.
        tell: called with a line for each thing that makes opening an engine take long.
        open_rung: opens an engine in another way than `open_engine`.
        quick_start: measure the scale in frames of one size, not of eight: one engine to open, a third more to compute.

    Attributes:
        engines: those that are open, by solver setting and frame size.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        engine: str = "auto",
        setting: str | None = None,
        precision: AskedPrecision = "auto",
        threads: int | None = None,
        lanes: int = 1,
        tile_px: int = TILE_PX,
        tell: Callable[[str], None] | None = None,
        open_rung: Callable[[Rung], Engine] | None = None,
        quick_start: bool = False,
    ) -> None:
        self.bundle = bundle
        self.setting = bundle.setting(setting).name
        self.engines = EngineShelf(bundle, Asked(engine, precision, threads, lanes, tell, open_rung))
        self._tile_px = tile_px
        self._quick_start = quick_start
        # A GPU that computes nothing else is left alone.
        self._equalise = FastestEqualiser(bundle.manifest.preprocessing, lambda: self.engine.beside_cpu)
        smallest = bundle.manifest.input.minimum
        with self.engines.using(Rung(self.setting, (1, smallest, smallest)), to_measure=True):
            pass  # what cannot be opened at all is told here

    @property
    def engine(self) -> Engine:
        """The engine used last: what it is, what it computes in, and why better ones were passed over."""
        return self.engines.latest

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences on choices that were made by now and that a user would want to know."""
        return self.engine.remarks if self._equalise.remark is None else (*self.engine.remarks, self._equalise.remark)

    def segment(
        self,
        pixels: Pixels,
        *,
        red_cell_px: float | None = None,
        um_per_px: float | None = None,
        setting: str | None = None,
    ) -> Segmentation:
        """Mask and cells of a picture.

        Args:
            pixels: uint8 [H, W, 3] BGR, any size.
            red_cell_px: red-cell diameter in its pixels, where known.
            um_per_px: or its micrometres per pixel. Without either the diameter is measured.
            setting: solver setting; None is the segmenter's own.

        Raises:
            BundleError: no such solver setting.
            PictureError: no scale was given, and there are not enough red cells to measure.
            EngineError: the engine failed, or the picture holds more cells than can be listed.
        """
        prepared = self.prepare(pixels, red_cell_px=red_cell_px, um_per_px=um_per_px)
        return self.finish(prepared, self.infer(prepared, setting))

    def measure_red_cell_px(self, pixels: Pixels) -> float:
        """Red-cell diameter in pixels of the picture, measured with the model (see `runtime.scale`).

        Raises:
            PictureError: not enough red cells of 30 to 150 px.
        """
        return measure_red_cell_px(lambda assumed: self._red_cells(pixels, assumed))

    def prepare(self, pixels: Pixels, *, red_cell_px: float | None = None, um_per_px: float | None = None) -> Prepared:
        """Everything before the engine; see `segment`. Measuring the scale uses the engine too."""
        started = time.perf_counter()
        diameter, source = self._scale(pixels, red_cell_px, um_per_px)
        scaled = time.perf_counter()
        manifest = self.bundle.manifest
        factor = manifest.scale.red_cell_px / diameter
        _check_size(pixels, factor)
        working = self._equalise(resample(pixels, factor))
        plan = plan_tiles(working.shape[0], working.shape[1], manifest.input, self._tile_px)
        timings = {"scale": _ms(started, scaled), "preprocess": _ms(scaled, time.perf_counter())}
        return Prepared(pixels.shape[0], pixels.shape[1], working, plan, diameter, source, timings)

    def infer(self, prepared: Prepared, setting: str | None = None) -> Inferred:
        """Run the engine of a solver setting (None: the segmenter's own) on every tile and join the answers."""
        return self._infer(prepared, self.bundle.setting(setting or self.setting).name)

    def _infer(self, prepared: Prepared, setting: str, *, to_measure: bool = False) -> Inferred:
        started = time.perf_counter()
        plan, pixels = prepared.plan, prepared.pixels
        scale = self.bundle.manifest.input.mask_scale
        thresholds = peak_thresholds(self.bundle.manifest)
        class_ids = np.zeros((pixels.shape[0] * scale, pixels.shape[1] * scale), np.uint8)
        peaks, errors = [], []
        height, width = plan.frame_height, plan.frame_width
        if to_measure and self._quick_start:
            record = self.bundle.manifest.input
            side = padded_side(_MEASURED_PART_PX, record.stride, record.minimum)
            height, width = max(height, side), max(width, side)
        with self.engines.using(Rung(setting, (1, height, width)), to_measure=to_measure) as engine:
            for tile in plan.tiles:
                part = pixels[tile.top : tile.top + plan.frame_height, tile.left : tile.left + plan.frame_width]
                prediction = engine.run(pad(part, height, width)[None])
                check_not_full(prediction.peaks[0], thresholds)
                paste_core(class_ids, prediction.class_ids[0], tile, scale)
                peaks.append(core_peaks(prediction.peaks[0], tile))
                if prediction.block_errors is not None:
                    errors.append(prediction.block_errors[0])
            used = self._used(engine, setting)
        block_errors = tuple(float(error) for error in np.max(errors, axis=0)) if errors else None
        return Inferred(class_ids, np.concatenate(peaks), used, block_errors, _ms(started, time.perf_counter()))

    def _used(self, engine: Engine, setting: str) -> ModelUsed:
        bundle = self.bundle
        return ModelUsed(bundle.manifest.name, bundle.sha256, setting, engine.name, engine.version, engine.precision)

    def finish(self, prepared: Prepared, inferred: Inferred) -> Segmentation:
        """Count, and bring mask and cells back to the picture's size."""
        started = time.perf_counter()
        located = self._locate(prepared, inferred)
        return Segmentation(
            class_ids=_to_size(inferred.class_ids, prepared.height, prepared.width),
            cells=located.cells,
            red_cell_px=prepared.red_cell_px,
            scale_source=prepared.scale_source,
            model=inferred.model,
            block_errors=inferred.block_errors,
            timings_ms={
                **prepared.timings_ms,
                "engine": inferred.engine_ms,
                "count": _ms(started, time.perf_counter()),
            },
        )

    def give_up(self, thread: int) -> bool:
        """A caller's thread does not come back: leave the engine to it that it is in, and open a new one for others.

        Returns:
            False: it is opening an engine, which may take its time; nothing was done.
        """
        if self.engines.is_opening(thread):
            return False
        self.engines.give_up(thread)
        return True

    def close(self) -> None:
        """Release the engines. Calling it again does nothing."""
        self.engines.close()
        self._equalise.close()

    def __enter__(self) -> Segmenter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _locate(self, prepared: Prepared, inferred: Inferred) -> Located:
        return locate_cells(inferred.class_ids, inferred.peaks, self.bundle.manifest, prepared.height, prepared.width)

    def _scale(self, pixels: Pixels, red_cell_px: float | None, um_per_px: float | None) -> tuple[float, ScaleSource]:
        if red_cell_px is not None:
            return red_cell_px, "given"
        if um_per_px is not None:
            return from_um_per_px(um_per_px, self.bundle.manifest.scale), "um_per_px"
        return self.measure_red_cell_px(pixels), "estimated"

    def _red_cells(self, pixels: Pixels, assumed_px: float) -> RedCells:
        """Whole red cells in the middle of a picture, at an assumed scale."""
        manifest = self.bundle.manifest
        side = round(_MEASURED_PART_PX * assumed_px / manifest.scale.red_cell_px)
        top, left = max(pixels.shape[0] - side, 0) // 2, max(pixels.shape[1] - side, 0) // 2
        part = pixels[top : top + side, left : left + side]
        prepared = self.prepare(part, red_cell_px=assumed_px)
        try:
            located = self._locate(prepared, self._infer(prepared, self.setting, to_measure=True))
        except TooManyCellsError:
            # Under a wrong scale noise can look like cells without end: no evidence for that scale.
            return RedCells(np.zeros(0), np.zeros(0))
        red = [entry.id for entry in manifest.classes if entry.name == "red_cell"]
        chosen = located.whole & np.isin([cell.class_id for cell in located.cells], red)
        scores = np.array([cell.score for cell in located.cells], np.float64)
        return RedCells(located.diameters_px[chosen], scores[chosen])


def _ms(started: float, ended: float) -> float:
    return (ended - started) * 1000


def _check_size(pixels: Pixels, factor: float) -> None:
    if pixels.shape[0] * pixels.shape[1] * factor**2 > _LARGEST_WORKING_PIXELS:
        raise PictureError(
            f"a picture of {pixels.shape[1]}×{pixels.shape[0]} px is too large at this scale (×{factor:.2f}): "
            "check the red-cell diameter, or cut the picture into parts"
        )


def _to_size(class_ids: Pixels, height: int, width: int) -> Pixels:
    """Nearest neighbour at pixel centres: class ids must not be blended."""
    return np.asarray(cv2.resize(class_ids, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
