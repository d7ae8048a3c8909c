"""`bundle.json`: everything a device must know about a model, as checked types."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = 1

Precision = Literal["fp32", "fp16"]


class _Record(BaseModel):
    # `ignore`: a later minor schema may add fields; a change of meaning raises `schema_version`.
    model_config = ConfigDict(frozen=True, extra="ignore")


class ClassRecord(_Record):
    """One mask class. `peak_threshold` is the least heat-map score of a counted cell, chosen on training images."""

    id: int = Field(ge=0, le=254)
    name: str
    colour_bgr: tuple[int, int, int]
    countable: bool
    peak_threshold: float | None = Field(default=None, ge=0, le=1)


class InputRecord(_Record):
    """The graph's input: uint8 NHWC BGR. H and W must be multiples of `stride`, at least `minimum`.

    `reach_px` is how far, in input pixels, a change of one pixel can alter the output: tiles overlap by it.
    """

    stride: int = Field(gt=0)
    minimum: int = Field(gt=0)
    reach_px: int = Field(ge=0)
    mask_scale: int = Field(ge=1)
    """Class ids come out at this multiple of the input's height and width."""
    peaks: int = Field(gt=0, le=1024)
    """Rows in each frame's list of peaks."""


class ScaleRecord(_Record):
    """The working scale: pictures are resampled until red cells measure `red_cell_px`."""

    red_cell_px: float = Field(gt=0)
    red_cell_um: float = Field(gt=0)
    """Diameter of a red cell in a dried smear, micrometres; converts `um_per_px` into pixels per cell."""


class PreprocessingRecord(_Record):
    """Li et al. 2021, section 2: contrast-limited equalisation of the luma plane, after resampling."""

    colour_space: Literal["YUV"] = "YUV"
    clahe_clip_limit: float = Field(gt=0)
    clahe_tiles: tuple[int, int]
    """(columns, rows) of the CLAHE grid over the whole picture."""


class BlockSolver(_Record):
    """How one ODE block is integrated from t = 0 to 1."""

    position: int = Field(ge=1, le=9)
    method: str
    grid: tuple[float, ...]
    evaluations: int = Field(gt=0)
    error: float | None = None
    """Largest ‖h − h_ref‖ / ‖h_ref − h(0)‖ over the verification images."""


class SettingVerification(_Record):
    """torch adaptive ↔ torch unrolled ↔ ONNX on real images: worst and mean figures."""

    images: int = Field(gt=0)
    mask_agreement_unrolled_onnx: float
    """Smallest share of equal pixels over the images, torch unrolled against this ONNX graph."""
    mask_agreement_adaptive_onnx: float
    """Smallest share of equal pixels over the images, torch adaptive dopri5 against this ONNX graph."""
    count_difference_adaptive_onnx: float
    """Largest |difference| of the number of cells in an image, torch adaptive against ONNX."""
    largest_magnitude: float | None = None
    """Largest absolute value of any of the network's tensors; FP16 ends at 65504."""
    mask_agreement_strict_fp16: float | None = None
    """Share of equal pixels on one small crop, torch unrolled against this graph with each value rounded as written."""


class SolverSetting(_Record):
    """One rung of the ladder: a named choice of solver for every ODE block, its graphs and its proof."""

    name: str
    blocks: tuple[BlockSolver, ...]
    graphs: dict[Precision, str]
    """Path of the ONNX graph inside the bundle, per precision."""
    verification: dict[Precision, SettingVerification]


class Provenance(_Record):
    """Where the weights come from."""

    trained_on: tuple[str, ...]
    licences: tuple[str, ...]
    recipe: str
    seed: int
    epochs: int
    hemonode_version: str
    torch_version: str


class Manifest(_Record):
    """The whole `bundle.json`."""

    schema_version: int
    name: str
    model: str
    classes: tuple[ClassRecord, ...]
    input: InputRecord
    scale: ScaleRecord
    preprocessing: PreprocessingRecord
    settings: tuple[SolverSetting, ...] = Field(min_length=1)
    """From cheap to exact."""
    default_setting: str
    provenance: Provenance
    files: dict[str, str]
    """sha256 (hex) of every other file in the bundle, by path."""
