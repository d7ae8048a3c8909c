"""What is evaluated: anything that turns a picture into a mask and cells, a bundle's model first of all."""

from __future__ import annotations

from typing import Protocol

from hemonode.runtime.classes import CellClass
from hemonode.runtime.segment import Segmenter
from hemonode.runtime.segmentation import Segmentation
from hemonode.train.data.sample import Sample


class Method(Protocol):
    """A way to segment and count."""

    @property
    def name(self) -> str:
        """What the table calls it."""
        ...

    @property
    def details(self) -> dict[str, str]:
        """What it is and how it ran, for the record."""
        ...

    @property
    def classes(self) -> tuple[CellClass, ...]:
        """What it can predict."""
        ...

    def segment(self, sample: Sample) -> Segmentation:
        """Mask and cells of a sample's picture; its labels are not looked at, except for the red cells' diameter."""
        ...


class BundleMethod:
    """A bundle on an engine, through the same way as `run` and `live`.

    Args:
        segmenter: opened bundle; the caller closes it.
        red_cell_px: red-cell diameter of all pictures, pixels; None takes each sample's own.
        estimate_scale: measure the diameter in each picture instead, as `run` does without a scale.
    """

    def __init__(self, segmenter: Segmenter, *, red_cell_px: float | None = None, estimate_scale: bool = False) -> None:
        self._segmenter = segmenter
        self._red_cell_px = red_cell_px
        self._estimate_scale = estimate_scale

    @property
    def name(self) -> str:
        """The bundle's name."""
        return self._segmenter.bundle.manifest.name

    @property
    def classes(self) -> tuple[CellClass, ...]:
        """The bundle's classes."""
        return self._segmenter.bundle.classes

    @property
    def details(self) -> dict[str, str]:
        """Bundle, solver setting, engine and where the scale came from."""
        engine = self._segmenter.engine
        return {
            "bundle sha256": self._segmenter.bundle.sha256,
            "solver setting": self._segmenter.setting,
            "engine": f"{engine.name} {engine.version}, {engine.precision}, {engine.device}",
            "scale": self._scale_words(),
        }

    def segment(self, sample: Sample) -> Segmentation:
        """See `Method.segment`."""
        if self._estimate_scale:
            return self._segmenter.segment(sample.pixels)
        return self._segmenter.segment(sample.pixels, red_cell_px=self._red_cell_px or sample.red_cell_px)

    def _scale_words(self) -> str:
        if self._estimate_scale:
            return "red-cell diameter measured in each picture"
        if self._red_cell_px is not None:
            return f"red-cell diameter given: {self._red_cell_px:g} px"
        return "red-cell diameter from the labels"
