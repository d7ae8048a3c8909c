"""`bundle.json`: everything a device must know about a model, as checked types."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = 1

Precision = Literal["fp32", "fp16", "int8"]


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


class TableauRecord(_Record):
    """A Runge-Kutta method of the user's own: `hemonode.export.butcher` says what the fields mean.

    Coefficients are fractions or decimals as text, so that none is rounded.
    """

    order: int = Field(ge=1)
    c: tuple[str, ...]
    a: tuple[tuple[str, ...], ...]
    b: tuple[str, ...]
    b_low: tuple[str, ...] | None = None
    low_order: int | None = None


class BlockSolver(_Record):
    """How one ODE block is integrated from t = 0 to 1."""

    position: int = Field(ge=1, le=9)
    method: str
    """A method that hemonode knows by this name, or the name of `tableau`."""
    tableau: TableauRecord | None = None
    grid: tuple[float, ...]
    evaluations: int = Field(gt=0)
    """Of f in one pass, those for the error estimate included."""
    error: float | None = None
    """Largest ‖h − h_ref‖ / ‖h_ref − h(0)‖ over the verification images."""
    tile_error: float | None = None
    """The same over the worst 32 px tile of any verification image."""
    estimates: bool = False
    """Whether the graph returns this block's local error."""
    price_of_estimate: int = Field(default=0, ge=0)
    """Evaluations of f, of those above, that serve the estimate alone."""


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
    """Smallest share of equal pixels over the images, torch unrolled against this graph with each value rounded as
    written. Of an fp16 graph, the agreement with the adaptive solver and the counts are taken with this rounding, too:
    CPU engines do without it."""
    mask_agreement_adaptive_unrolled: float | None = None
    """Smallest share of equal pixels over the images, torch adaptive dopri5 against torch unrolled."""
    worst_image: str | None = None
    """Where the ONNX graph's mask agrees least with the adaptive solver's."""
    magnitudes: dict[str, float] = {}
    """Of an fp16 graph: largest absolute value over the images of what each convolution takes and gives, by its name in
    the fp32 graph. Activations, pooling, enlarging and joining never exceed what they are given by more than 1."""
    kept_fp32: tuple[str, ...] = ()
    """Parts of the network that an fp16 or int8 graph computes in FP32, by their path in the model."""
    rounding_errors: dict[int, float] = {}
    """Of an fp16 or int8 graph: what f in that precision, on an FP32 state, does to each ODE block, by position; not of
    those in `kept_fp32`. Largest ‖h − h_fp32‖ / ‖h_ref − h(0)‖ of the same solver, over any image or tile of one."""
    int8_share: float | None = None
    """Of an int8 graph: share of the multiply-adds that are in 8 bits."""
    calibration_images: int | None = None
    """Of an int8 graph: pictures of the training split that the ranges of its 8 bits were seen on."""
    agreement_by_engine: dict[str, float] = {}
    """Of an int8 graph: `mask_agreement_unrolled_onnx` on each engine, which round differently, by name and version.
    The other figures are those of the engine that agrees least."""
    casts: int | None = None
    """Cast nodes of the graph."""


class BlockEstimate(_Record):
    """How one ODE block's error estimate is distributed over the verification images, and how far it can be trusted.

    Both estimate and true error are in the solver's own norm: root mean square of error / (atol + rtol · magnitude).
    """

    position: int = Field(ge=1, le=9)
    images: int = Field(gt=0)
    median: float
    p95: float | None = None
    """Given from 59 images on: fewer cannot bound it with 95 % confidence."""
    p99: float | None = None
    """Given from 299 images on."""
    largest: float
    ratio_to_true_error: float | None = None
    """Median over the images of estimate / true error; None where a true error is 0."""
    smallest_ratio: float | None = None
    """The image on which the estimate is most hopeful."""


class SolverSetting(_Record):
    """One rung of the ladder: a named choice of solver for every ODE block, its graphs and its proof."""

    name: str
    blocks: tuple[BlockSolver, ...]
    graphs: dict[Precision, str]
    """Path of the ONNX graph inside the bundle, per precision."""
    verification: dict[Precision, SettingVerification]
    tolerance: float | None = None
    """That was asked for; None where the setting was asked for by method."""
    estimates: tuple[BlockEstimate, ...] = ()
    """By rising position, of the blocks whose solver estimates."""
    multiply_adds_per_px: float | None = None
    """Of the convolutions in one pass, per pixel of the input."""


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
