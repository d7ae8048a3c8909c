"""What a user wants built, and the orders that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.bundle.schema import Precision
from hemonode.runtime.plans.frames import Size, camera_frames, check_frames, parse_sizes
from hemonode.runtime.plans.key import BuildOptions, Shapes
from hemonode.runtime.plans.machine import Machine
from hemonode.runtime.plans.order import PlanOrder, order_plan, usual_precision

USUAL_CAMERA: Size = (480, 640)
USUAL_RED_CELL_PX = 90.0
"""Of the shipped model's training pictures, and of the simulated microscope."""


@dataclass(frozen=True)
class BuildAsk:
    """One call of `hemonode build`, its words understood but not yet fitted to a bundle.

    Attributes:
        bundle: None is the shipped one.
        settings: of the bundle; none is its default.
        precision: of the graphs.
        camera: height and width of its pictures, and the red-cell diameter in them; used where `shapes` is empty.
        red_cell_px: see `camera`.
        shapes: height and width of frames at the working scale.
        profile: least and largest frames of one engine for many.
        batch: most frames at once.
        options: for TensorRT's builder.
    """

    bundle: Path | None
    settings: tuple[str, ...]
    precision: Precision | Literal["auto"]
    camera: Size
    red_cell_px: float
    shapes: tuple[Size, ...]
    profile: tuple[Size, Size] | None
    batch: int
    options: BuildOptions

    @classmethod
    def from_words(
        cls,
        *,
        bundle: Path | None,
        settings: Sequence[str],
        precision: Precision | Literal["auto"],
        camera: str | None,
        red_cell_px: float | None,
        shapes: Sequence[str],
        profile: str | None,
        batch: int,
        workspace_mib: int | None,
        optimisation_level: int | None,
    ) -> BuildAsk:
        """As on the command line.

        Raises:
            ValueError: sizes that are none, or a profile that ends before it begins.
        """
        width, height = parse_sizes(camera) if camera is not None else USUAL_CAMERA[::-1]
        return cls(
            bundle=bundle,
            settings=tuple(dict.fromkeys(settings)),
            precision=precision,
            camera=(height, width),
            red_cell_px=red_cell_px or USUAL_RED_CELL_PX,
            shapes=tuple(dict.fromkeys(parse_sizes(text) for text in shapes)),
            profile=None if profile is None else _parse_profile(profile),
            batch=batch,
            options=BuildOptions(
                workspace_bytes=None if workspace_mib is None else workspace_mib << 20,
                optimisation_level=optimisation_level,
            ),
        )

    def check(self, bundle: Bundle) -> None:
        """Refuse what no machine could build from this bundle, before this one is asked.

        Raises:
            BundleError: no such setting.
            EngineError: frames that the model does not take.
        """
        for setting in self.settings:
            bundle.setting(setting)
        self._shapes(bundle)

    def orders(self, bundle: Bundle, machine: Machine) -> list[PlanOrder]:
        """The plans to build, in the order of the words.

        Raises:
            BundleError: no such setting, or it has no graph in that precision.
            EngineError: frames that the model does not take.
        """
        shapes = self._shapes(bundle)
        return [
            order_plan(
                bundle,
                setting,
                usual_precision(bundle, setting, machine.compute_capability)
                if self.precision == "auto"
                else self.precision,
                each,
                machine,
                self.options,
            )
            for setting in self.settings or (bundle.manifest.default_setting,)
            for each in shapes
        ]

    def _shapes(self, bundle: Bundle) -> list[Shapes]:
        manifest = bundle.manifest
        sizes = self.shapes
        if self.profile is not None:
            least, most = self.profile
            best = sizes[0] if sizes else most
            for size in (least, best, most):
                check_frames(size, manifest)
            if not all(low <= middle <= high for low, middle, high in zip(least, best, most, strict=True)):
                raise EngineError(
                    f"--shape {best[0]}x{best[1]} lies outside of the --profile; it says where the engine shall be "
                    "fastest."
                )
            return [Shapes(least=(1, *least), best=(self.batch, *best), most=(self.batch, *most))]
        if not sizes:
            sizes = (camera_frames(self.camera, self.red_cell_px, manifest),)
        for size in sizes:
            check_frames(size, manifest)
        return [Shapes.fixed((self.batch, *size)) for size in sizes]


def _parse_profile(text: str) -> tuple[Size, Size]:
    least_text, dots, most_text = text.partition("..")
    if not dots:
        raise ValueError(f"{text!r} is no profile; write it like 128x128..512x512")
    least, most = parse_sizes(least_text), parse_sizes(most_text)
    if least[0] > most[0] or least[1] > most[1]:
        raise ValueError(f"{text!r}: the second size is smaller than the first")
    return least, most
