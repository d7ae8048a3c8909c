"""What a calibration measured, as `solver.json` holds it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """A part of the file."""

    # `forbid`: the file may be written by hand, and a misspelt field must not be dropped in silence.
    model_config = ConfigDict(frozen=True, extra="forbid")


class OutputChange(Record):
    """What a rung changes in the network's output, against the reference solution of every block."""

    images: int = Field(gt=0)
    mask: float = Field(ge=0, le=1)
    """Largest share of an image's mask pixels."""
    mask_mean: float = Field(ge=0, le=1)
    """Share of all images' mask pixels."""
    counts: float = Field(ge=0)
    """Share of counted cells, over all images and classes, by which the counts differ."""
    worst_image: str
    """Where the mask changes most."""


class Repair(Record):
    """A block that got a better solver because the blocks together changed the output too much."""

    position: int = Field(ge=1, le=9)
    before: str
    after: str
    change: OutputChange
    """What made it necessary; over the images up to the first whose mask changed too much."""


class Confirmation(Record):
    """A rung on images that were not used for the choice."""

    change: OutputChange
    errors: dict[int, float]
    """Largest error over whole images, by block."""
    tile_errors: dict[int, float]
    """Largest error over 32 px tiles, by block."""
    keeps: bool
    """Whether tolerance and limits hold there, too."""


class HeldOutRecord(Record):
    """What the choice was confirmed on."""

    data: tuple[str, ...]
    split: str
    images: int = Field(gt=0)


class CalibrationRecord(Record):
    """What the choice was made on, and how."""

    hemonode_version: str
    data: tuple[str, ...]
    """Names of the data sets."""
    images: int = Field(ge=0)
    seed: int
    split: str | None = None
    budget: int | None = Field(default=None, gt=0)
    """Most evaluations of f in one pass of a block that were tried."""
    methods: tuple[str, ...] = ()
    """That were tried."""
    cost_unit: str | None = None
    reference_tolerances: dict[int, float] = {}
    """dopri5's in each block's reference, by position."""
    reference_errors: dict[int, float] = {}
    """Largest own error of each reference on the first images, against one ten times tighter in float64."""
    fp16_errors: dict[int, float] = {}
    """What FP16 inside f alone does to each block, in the same measure: no tighter tolerance can be kept in FP16."""
    held_out: HeldOutRecord | None = None
    warnings: tuple[str, ...] = ()
